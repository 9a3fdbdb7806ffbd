"""Deliveries against receivers that answer this and that, in a real database."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.errors import SourceUnavailable
from server.callbacks import sender as sender_module
from server.callbacks.history import History
from server.callbacks.own_style import make_style
from server.callbacks.payload import render_callback
from server.callbacks.secret_store import CallbackSecrets
from server.callbacks.sender import CallbackSender, Style
from server.callbacks.signature import sign
from server.database.engine import database_url, open_database
from server.database.upgrade import upgrade_tables
from server.errors import SourceForbidden
from server.jobs.job import Failure, Job, Output, Status
from server.jobs.order import Order, SizeTarget
from server.jobs.tallies import read

ORDER = Order(
    sources=("https://example.com/a.png",), targets=(SizeTarget(width=9, height=9),), seed=1
)
OUTPUT = Output(
    blob="outputs/1/0.png",
    file_name="a_9x9.png",
    media_type="image/png",
    width=9,
    height=9,
    bytes=70,
    sha256="0" * 64,
    source=0,
    target=0,
    variant=0,
    record={"nsfw_detected": None, "seed": 1},
)
CREATED = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def make_job(status: Status = Status.SUCCEEDED) -> Job:
    failed = status is not Status.SUCCEEDED
    return Job(
        id="0199c0de-0000-7000-8000-000000000001",
        owner="key-1",
        model="local/smart-resize",
        order=ORDER,
        status=status,
        created_at=CREATED,
        finished_at=datetime(2026, 11, 1, 12, 0, 2, tzinfo=UTC),
        outputs=() if failed else (OUTPUT,),
        failure=Failure("image_undecodable", "It is no picture.") if failed else None,
        callback_url="https://example.com/hook",
        metadata={"campaign": "spring"},
        request_id="req-1",
    )


class Receiver:
    """Answers in turn with these; an exception stands for no answer at all."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.got: list[tuple[bytes, dict[str, str]]] = []

    def __call__(self, url: str, body: bytes, headers: dict[str, str], timeout: float) -> int:
        self.got.append((body, headers))
        answer = self.answers[min(len(self.got), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    engine = open_database(database_url(tmp_path, None))
    upgrade_tables(engine)
    return engine


def make_sender(
    engine: sa.Engine, post: Receiver, pauses: tuple[float, ...] | None = None
) -> tuple[CallbackSender, list[float]]:
    """With a style of its own where there are ``pauses``, and where the sender says it naps."""
    naps: list[float] = []
    style = Style(render_callback, lambda *_: {}, pauses or (), lambda status: status >= 500)
    sender = CallbackSender(
        History(engine),
        make_style(CallbackSecrets(engine)),
        post,
        lambda output: f"https://here/{output.blob}",
        sleep=naps.append,
        styles={make_job().model: style} if pauses else {},
    )
    return sender, naps


GONE = SourceUnavailable("the connection was closed")


@pytest.mark.parametrize(
    ("answers", "arrived", "naps"),
    [
        ([200], True, []),
        ([204], True, []),
        ([503, 503, 200], True, [1.0, 2.0]),
        ([500], False, [1.0, 2.0]),
        ([404], False, []),
        ([302], False, []),
        ([410], False, []),
        ([GONE, GONE, 200], True, [1.0, 2.0]),
        ([GONE], False, [1.0, 2.0]),
        ([SourceForbidden()], False, []),
    ],
)
def test_only_servers_errors_and_silence_are_tried_again(
    engine: sa.Engine, answers: list[int | Exception], *, arrived: bool, naps: list[float]
) -> None:
    receiver = Receiver(*answers)
    sender, slept = make_sender(engine, receiver)
    assert sender(make_job()) is None
    assert slept == naps
    assert len(receiver.got) == len(naps) + 1
    assert len({body for body, _ in receiver.got}) == 1
    (delivery,) = History(engine).list(make_job().id)
    assert delivery.delivered is arrived
    assert len(delivery.attempts) == len(receiver.got)
    assert all(attempt.finished_at for attempt in delivery.attempts)
    assert [attempt.next_at is None for attempt in delivery.attempts] == [
        *(False for _ in naps),
        True,
    ]
    with engine.connect() as connection:
        [tally] = read(connection)
    assert (tally.labels["outcome"] == "delivered", tally.value) == (arrived, 1)


def test_the_body_says_what_became_of_the_job(engine: sa.Engine) -> None:
    receiver = Receiver(200)
    make_sender(engine, receiver)[0](make_job())
    body = json.loads(receiver.got[0][0])
    assert body["event"] == "run.completed"
    assert body["status"] == "succeeded"
    assert body["created_at"] == "2026-11-01T12:00:00+00:00"
    assert body["duration_ms"] == 2000
    assert body["metadata"] == {"campaign": "spring"}
    assert body["output"]["outputs"][0]["url"] == "https://here/outputs/1/0.png"


@pytest.mark.parametrize(
    ("status", "event"), [(Status.FAILED, "run.failed"), (Status.CANCELLED, "run.cancelled")]
)
def test_a_job_without_outputs_says_why(engine: sa.Engine, status: Status, event: str) -> None:
    receiver = Receiver(200)
    make_sender(engine, receiver)[0](make_job(status))
    body = json.loads(receiver.got[0][0])
    assert (body["event"], body["status"], body["output"]) == (event, status.value, None)
    assert body["error"]["code"] == "IMAGE_UNDECODABLE", "as in the record"


def test_it_is_signed_with_the_newest_secret_and_not_without_one(engine: sa.Engine) -> None:
    receiver, secrets = Receiver(200), CallbackSecrets(engine)
    sender, _ = make_sender(engine, receiver)
    sender(make_job())
    assert "Runflow-Signature" not in receiver.got[0][1]
    secrets.create("key-1", "old")
    newest = secrets.create("key-1", "new")
    secrets.create("another key", "not mine")
    sender(make_job(), number=1)
    body, headers = receiver.got[1]
    assert headers["Runflow-Signature"] == sign(newest.plain, body)
    assert headers["Runflow-Request-Id"] == "req-1"
    assert headers["webhook-signature"].count("v1,") == 2


def test_a_sender_that_was_cut_off_goes_on_with_the_tries_that_are_left(
    engine: sa.Engine,
) -> None:
    class Cut(BaseException):
        pass

    class Killer(Receiver):
        def __call__(self, url: str, body: bytes, headers: dict[str, str], timeout: float) -> int:
            super().__call__(url, body, headers, timeout)
            raise Cut

    first = Killer(0)
    with pytest.raises(Cut):
        make_sender(engine, first)[0](make_job())
    second = Receiver(500)
    make_sender(engine, second)[0](make_job())
    assert len(second.got) == 2
    assert second.got[0][0] == first.got[0][0]


def test_a_pause_that_is_not_short_is_for_the_line_to_wait(engine: sa.Engine) -> None:
    receiver = Receiver(500)
    sender, naps = make_sender(engine, receiver, pauses=(10.0, 600.0))
    first = sender(make_job())
    assert sender(make_job()) == first, "what was tried before the process ended is not repeated"
    assert len(receiver.got) == 1
    assert first is not None
    second = sender(make_job(), 0, first.past)
    assert second is not None
    assert sender(make_job(), 0, second.past) is None
    assert sender(make_job(), 0, second.past) is None
    assert (first.past, second.past, len(receiver.got), naps) == (1, 2, 3, [])
    (delivery,) = History(engine).list(make_job().id)
    first_try, second_try, last_try = delivery.attempts
    for made, again, pause in ((first_try, first, 10), (second_try, second, 600)):
        assert made.finished_at is not None
        assert again.at == made.next_at == made.finished_at + timedelta(seconds=pause)
    assert last_try.next_at is None
    with engine.connect() as connection:
        assert [(tally.labels, tally.value) for tally in read(connection)] == [
            ({"outcome": "refused"}, 1)
        ]


def test_who_is_slow_to_refuse_does_not_wait_in_front_of_others(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "SHORT", 1.0)  # the pause alone takes it all
    sender, naps = make_sender(engine, Receiver(GONE))
    again = sender(make_job())
    assert again is not None
    assert (again.past, naps) == (1, [])


def test_a_last_try_that_was_cut_off_is_the_last(engine: sa.Engine) -> None:
    receiver = Receiver(500)
    sender, _ = make_sender(engine, receiver, pauses=(10.0,))
    sender(make_job())
    history = History(engine)
    (delivery,) = history.list(make_job().id)
    history.begin(delivery, 2)
    for _ in range(2):
        assert sender(make_job(), 0, 1) is None
    assert len(receiver.got) == 1
    with engine.connect() as connection:
        assert [(tally.labels, tally.value) for tally in read(connection)] == [
            ({"outcome": "unanswered"}, 1)
        ]


def test_what_has_arrived_is_not_sent_again_and_a_redelivery_is(engine: sa.Engine) -> None:
    receiver = Receiver(200)
    sender, _ = make_sender(engine, receiver)
    for _ in range(2):
        assert sender(make_job()) is None
    assert len(receiver.got) == 1
    assert sender(make_job(), number=1) is None
    assert len(receiver.got) == 2
    assert [each.id[-2:] for each in History(engine).list(make_job().id)] == ["-0", "-1"]


def test_disabled_secrets_sign_no_more(engine: sa.Engine) -> None:
    secrets = CallbackSecrets(engine)
    secret = secrets.create("key-1", "only")
    assert secrets.disable("key-1", secret.id).disabled_at is not None
    assert secrets.sign_with("key-1") == []

"""What a hub answers is said as it was, by whom, and without asking again for nothing."""

import socket
import time

import pytest

from pipelines.errors import WeightsError
from pipelines.weights.fetch import fetch, list_wanted
from pipelines.weights.hub import Hub
from pipelines.weights.store import Store
from pipelines.weights.verify import verify
from tests.pipelines.weights.small_hub import SmallHub, lock_model, make_files, serve

WEIGHTS = "unet/model.safetensors"
FILES = make_files()
MODEL = lock_model(FILES)


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library waits between its tries, half a minute in all."""
    pause = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: pause(min(seconds, 0.01)))


def bring(store: Store, endpoint: str) -> None:
    fetch(list_wanted([MODEL], store), store, Hub(endpoint))


def small_hub() -> SmallHub:
    return SmallHub({"acme/inpaint": make_files()})


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "401 Unauthorized; it wants a token"),
        (403, "403 Forbidden; it does not allow this"),
        (404, "404 Not Found; it does not have it"),
        (429, "429 Too Many Requests; it was asked too often"),
        (500, "500 Internal Server Error; try again later"),
        (503, "503 Service Unavailable; try again later"),
    ],
)
def test_a_refusal_is_named_with_its_status_and_who_gave_it(
    store: Store, status: int, said: str
) -> None:
    with serve(small_hub()) as hub:
        hub.answers["config.json"] = status
        with pytest.raises(WeightsError) as refused:
            bring(store, hub.endpoint)
        detail = refused.value.detail
        assert f"config.json could not be had from {hub.endpoint}: it answered {said}" in detail
        assert (len(hub.requests) == 1) == (status < 429), "only what may pass is asked again"
    assert not store.folder_of(MODEL).exists()
    assert not (store.folder / ".incoming").exists()


def test_a_refusal_of_a_list_is_named_too() -> None:
    with serve(small_hub()) as hub, pytest.raises(WeightsError) as refused:
        Hub(hub.endpoint).list_files("acme/none", "main")
    assert f"acme/none could not be had from {hub.endpoint}: it answered 404" in str(refused.value)


def test_a_mirror_without_the_headers_of_a_hub_is_told_which(store: Store) -> None:
    with serve(small_hub()) as hub:
        hub.names_commits = False
        with pytest.raises(WeightsError, match="does not answer like a hub, with X-Repo-Commit"):
            bring(store, hub.endpoint)


def test_a_hub_that_nobody_serves_is_named_with_the_reason(store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(WeightsError, match=f"from {endpoint}: .*refused"):
        bring(store, endpoint)


def test_a_hub_may_send_us_to_another_host(store: Store) -> None:
    with serve(small_hub()) as hub, serve(small_hub()) as other:
        hub.elsewhere[WEIGHTS] = other.endpoint
        bring(store, hub.endpoint)
        assert any(WEIGHTS in request for request in other.requests)
    assert verify(MODEL, store).is_good


def test_a_refusal_at_the_other_host_is_named_with_that_host(store: Store) -> None:
    with serve(small_hub()) as hub, serve(small_hub()) as other:
        hub.elsewhere[WEIGHTS], other.answers[WEIGHTS] = other.endpoint, 403
        with pytest.raises(WeightsError, match=f"could not be had from {other.endpoint}.* 403"):
            bring(store, hub.endpoint)


def test_a_program_that_is_to_stay_offline_asks_nobody_and_says_why(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with serve(small_hub()) as hub:
        with pytest.raises(WeightsError, match=r"HF_HUB_OFFLINE is set.*weights bundle import"):
            bring(store, hub.endpoint)
        assert hub.requests == []

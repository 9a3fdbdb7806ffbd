"""Conversations with Runflow's models, word for word, on a whole server with its worker."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.fal.receiver import Receiver, receive
from tests.server.api.transcripts.runflow.conversation import Conversation
from tests.server.live import serve

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent / "transcripts/runflow"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with serve(tmp_path_factory.mktemp("data")) as server:
        yield server


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receive() as receiver:
        yield receiver


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_the_conversation_goes_as_written(
    server: tuple[str, str], receiver: Receiver, path: Path
) -> None:
    conversation = Conversation(*server, receiver)
    try:
        for number, step in enumerate(json.loads(path.read_text())):
            assert conversation.step(step) == step, f"step {number}"
    finally:
        conversation.close()


def test_there_are_transcripts() -> None:
    assert len(list(FOLDER.glob("*.json"))) >= 6

"""How a download is handed out depends on what it is."""

import pytest

from pipelines.codec.encode import Format
from server.api.files import TYPES
from server.images.links import Links, load_secret
from server.images.local_store import LocalStore
from tests.server.api.conftest import Api

JOB = "0197a0a0-0000-7000-8000-000000000001"


@pytest.mark.parametrize("extension", sorted(TYPES))
def test_every_kind_of_file_is_handed_out_as_what_it_is(api: Api, extension: str) -> None:
    name = f"outputs/{JOB}/0-abc{extension}"
    LocalStore(api.data / "pictures").put(name, b"content")
    links = Links(load_secret(api.data / "links.secret"), 60)
    answer = api("GET", links.path(name, f"wide{extension}"))
    assert (answer.status_code, answer.content) == (200, b"content")
    assert answer.headers["content-type"] == TYPES[extension]
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith("attachment" if extension == ".psd" else "inline")
    assert f'filename="wide{extension}"' in disposition


def test_every_format_can_be_handed_out() -> None:
    assert {form.media_type for form in Format} <= set(TYPES.values())


def test_what_was_uploaded_is_not_handed_out(api: Api) -> None:
    """The token of an upload's address is for who puts the bytes there, and opens nothing."""
    LocalStore(api.data / "pictures").put(f"assets/{JOB}/0", b"content")
    links = Links(load_secret(api.data / "links.secret"), 60)
    answer = api("GET", links.path(f"assets/{JOB}/0", "a.png"))
    assert (answer.status_code, answer.json()["code"]) == (404, "LINK_INVALID")

"""A bucket that is away, full, slow or not a bucket."""

import socket

import pytest

from pipelines.errors import InvalidOption
from server.errors import BlobMissing, StorageFull, Unavailable
from server.images.object_store import ObjectStore
from tests.server.images.loopback import say, serve

NAME = "outputs/0a/0.png"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr("server.images.object_store._TRIES", 1)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_a_volatile_blob_never_reaches_the_bucket() -> None:
    store = ObjectStore("s3://pictures", "http://127.0.0.1:9")
    with pytest.raises(InvalidOption, match="bucket"):
        store.put("volatile/outputs/0a/0.png", b"secret")
    with pytest.raises(BlobMissing):
        store.read("volatile/outputs/0a/0.png")
    assert store.delete("volatile/outputs/0a") == 0


def test_a_service_without_room_is_full() -> None:
    body = b"<Error><Code>XMinioStorageFull</Code><Message>no</Message></Error>"
    with serve(say(f"507 Full\nConnection: close\nContent-Length: {len(body)}", body)) as server:
        store = ObjectStore("s3://pictures", f"http://127.0.0.1:{server.port}")
        with pytest.raises(StorageFull):
            store.put(NAME, b"picture")


def test_a_service_that_refuses_is_unavailable_in_words_without_an_address() -> None:
    body = b"<Error><Code>AccessDenied</Code><Message>arn:secret</Message></Error>"
    script = say(f"403 No\nConnection: close\nContent-Length: {len(body)}", body)
    with serve(script) as server:
        store = ObjectStore("s3://pictures", f"http://127.0.0.1:{server.port}")
        for ask in (lambda: store.read(NAME), lambda: store.delete("outputs/0a"), store.check):
            with pytest.raises(Unavailable) as refused:
                ask()
            assert str(refused.value) == "the bucket of the pictures cannot be used"


def test_a_service_that_is_away_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    store = ObjectStore("s3://pictures", f"http://127.0.0.1:{port}")
    with pytest.raises(Unavailable):
        store.put(NAME, b"picture")


@pytest.mark.parametrize("address", ["", "pictures", "s3://", "https://pictures", "s3:///prefix"])
def test_an_address_that_is_no_bucket_is_a_mistake(address: str) -> None:
    with pytest.raises(InvalidOption, match="s3://NAME"):
        ObjectStore(address)


def test_an_endpoint_that_is_no_url_is_a_mistake() -> None:
    with pytest.raises(InvalidOption, match="endpoint"):
        ObjectStore("s3://pictures", "not a url")

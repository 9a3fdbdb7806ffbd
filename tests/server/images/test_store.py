"""What every image store promises, on a disk and in a bucket."""

import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from server.errors import BlobMissing, Unavailable
from server.images.local_store import LocalStore
from server.images.object_store import ObjectStore
from server.images.store import ImageStore

JOB = "0190f3c2-7b1e-7000-8000-00000000000a"
NAME = f"outputs/{JOB}/0.png"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A bucket service on loopback, with the bucket ``pictures``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("NO_PROXY", "127.0.0.1")
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        boto3.client("s3", endpoint_url=url).create_bucket(Bucket="pictures")
        yield url
        server.stop()


@pytest.fixture(scope="module")
def bucket(endpoint: str) -> ObjectStore:
    return ObjectStore("s3://pictures/deep/folder/", endpoint)


@pytest.fixture(params=["disk", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ImageStore]:
    if request.param == "disk":
        yield LocalStore(tmp_path / "images")
        return
    store = request.getfixturevalue("bucket")
    yield store
    for kind in ("outputs", "sources"):
        store.delete(f"{kind}/{JOB}")


def test_what_was_put_is_read(store: ImageStore) -> None:
    for data in (b"picture", b"", bytes(range(256)) * 500):
        store.put(NAME, data)
        assert store.read(NAME) == data


def test_the_same_name_again_replaces(store: ImageStore) -> None:
    store.put(NAME, b"long first picture")
    store.put(NAME, b"second")
    assert store.read(NAME) == b"second"


def test_what_was_never_put_is_missing(store: ImageStore) -> None:
    with pytest.raises(BlobMissing):
        store.read(NAME)
    store.put(NAME, b"picture")
    for other in (f"outputs/{JOB}/1.png", f"sources/{JOB}/0", "outputs/00/0.png"):
        with pytest.raises(BlobMissing):
            store.read(other)


def test_deleting_forgets_a_whole_job_and_counts(store: ImageStore) -> None:
    for number in range(3):
        store.put(f"outputs/{JOB}/{number}.png", b"picture")
    store.put(f"sources/{JOB}/0", b"source")
    assert store.delete(f"outputs/{JOB}/") == 3
    assert store.delete(f"outputs/{JOB}") == 0
    with pytest.raises(BlobMissing):
        store.read(NAME)
    assert store.read(f"sources/{JOB}/0") == b"source"


def test_a_single_blob_can_be_deleted(store: ImageStore) -> None:
    store.put(NAME, b"picture")
    store.put(f"outputs/{JOB}/0.pngx", b"another")
    assert store.delete(NAME) == 1
    assert store.read(f"outputs/{JOB}/0.pngx") == b"another"


def test_only_whole_parts_of_a_name_are_a_prefix(store: ImageStore) -> None:
    store.put(NAME, b"picture")
    store.put(f"outputs/{JOB}/01.png", b"picture")
    assert store.delete(f"outputs/{JOB[:-1]}") == 0
    assert store.delete(f"outputs/{JOB}/0") == 0
    assert store.read(NAME) == b"picture"


NAMES = [
    "",
    "outputs",
    "outputs/",
    f"outputs/{JOB}",
    f"outputs/{JOB}/",
    f"outputs/{JOB}/a/b.png",
    f"outputs/{JOB}/../../x",
    f"outputs/{JOB}/..",
    f"outputs/{JOB}/.incoming",
    f"outputs/{JOB}/-rf",
    f"outputs/{JOB}/a b",
    f"outputs/{JOB}/a\n",
    f"outputs/{JOB}/a\0",
    f"/outputs/{JOB}/0.png",
    f"../outputs/{JOB}/0.png",
    f"Outputs/{JOB}/0.png",
    "outputs/../0.png",
    "outputs/job/0.png",
    f"outputs//{JOB}/0.png",
    f"outputs/{JOB}/%2e%2e",
    f"outputs/{JOB}/" + "a" * 65,
    f"volatile/volatile/{JOB}/0.png/x",
    ".incoming/00/0.png",
]


def test_a_name_that_is_not_ours_is_neither_kept_nor_read(store: ImageStore) -> None:
    for name in NAMES:
        with pytest.raises(ValueError, match="not a name of a blob"):
            store.put(name, b"picture")
        with pytest.raises(BlobMissing):
            store.read(name)


@pytest.mark.parametrize("prefix", ["", "outputs", "outputs/", "/", "..", "volatile/", "out/../.."])
def test_nothing_less_than_a_kind_and_an_id_is_deleted(store: ImageStore, prefix: str) -> None:
    store.put(NAME, b"picture")
    with pytest.raises(ValueError, match="not a prefix"):
        store.delete(prefix)
    assert store.read(NAME) == b"picture"


def test_a_store_with_room_passes_its_check(store: ImageStore) -> None:
    store.check()


def test_two_writers_of_one_name_leave_one_whole_blob(store: ImageStore) -> None:
    pictures = [bytes([number]) * 50_000 for number in range(4)]
    writers = [threading.Thread(target=store.put, args=(NAME, data)) for data in pictures]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert store.read(NAME) in pictures
    assert store.delete(f"outputs/{JOB}") == 1


def test_a_bucket_without_a_prefix_is_another_place_than_one_with(
    bucket: ObjectStore, endpoint: str
) -> None:
    bare = ObjectStore("s3://pictures", endpoint)
    bare.put(NAME, b"picture")
    with pytest.raises(BlobMissing):
        bucket.read(NAME)
    assert bare.delete(f"outputs/{JOB}") == 1


def test_a_bucket_that_is_not_there_fails_its_check(endpoint: str) -> None:
    nowhere = ObjectStore("s3://nowhere", endpoint)
    for ask in (nowhere.check, lambda: nowhere.read(NAME)):
        with pytest.raises(Unavailable) as failed:
            ask()
        assert not isinstance(failed.value, BlobMissing)

"""Whatever a job's sources are, they end as blobs of its own, one picture each."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.errors import ImageTooLarge, InvalidOption, SourceUnavailable
from server.errors import ArchiveInvalid, BlobMissing, SourceForbidden
from server.images import gather as gathering
from server.images.archive import ArchiveLimits
from server.images.fetch import Fetcher
from server.images.fetches import fetch_sources
from server.images.gather import Gathered, mask_blob, shelf_of
from server.images.local_store import LocalStore
from server.jobs.order import Order, SizeTarget
from tests.server.images.loopback import Internet, say, say_ok, serve
from tests.server.images.zips import PNG, make_zip

FetcherIn = Callable[..., Fetcher]
JOB = "0190f3c2-7b1e-7000-8000-00000000000a"
ZIP = make_zip({"b.png": PNG + b"b", "a.png": PNG + b"a"})


@pytest.fixture
def fetcher(internet: Internet, fetcher_in: FetcherIn) -> Fetcher:
    return fetcher_in(internet)


def order(*sources: str, member: str = "", volatile: bool = False) -> Order:
    targets = (SizeTarget(width=64, height=64),)
    return Order(sources=sources, targets=targets, seed=1, member=member, volatile=volatile)


def gather(
    wanted: Order,
    job_id: str,
    store: LocalStore,
    fetcher: Fetcher,
    limits: ArchiveLimits = ArchiveLimits(),  # noqa: B008  frozen
) -> list[Gathered]:
    """As a worker does it: what lies elsewhere is fetched first."""
    fetch_sources(wanted, job_id, lambda: None, store, fetcher)
    return gathering.gather(wanted, job_id, store, limits)


def blobs(store: LocalStore, found: list[Gathered]) -> list[bytes]:
    return [store.read(picture.blob) for picture in found]


def test_a_fetched_picture_becomes_a_blob_with_the_urls_name(
    store: LocalStore, internet: Internet, fetcher: Fetcher
) -> None:
    with serve(say_ok(PNG)) as server:
        internet.port = server.port
        found = gather(order("http://pictures.example/sea.png"), JOB, store, fetcher)
    assert found == [("sea.png", f"sources/{JOB}/fetched0")]
    assert blobs(store, found) == [PNG]


def test_a_zip_becomes_one_blob_for_each_picture_by_name(
    store: LocalStore, internet: Internet, fetcher: Fetcher
) -> None:
    store.put("assets/0a/0", PNG)
    with serve(say_ok(ZIP, "image/png")) as server:
        internet.port = server.port
        wanted = order("http://pictures.example/all", "blob:assets/0a/0")
        found = gather(wanted, JOB, store, fetcher)
    assert found == [
        ("a.png", f"sources/{JOB}/0"),
        ("b.png", f"sources/{JOB}/1"),
        ("0", f"sources/{JOB}/2"),
    ]
    assert blobs(store, found) == [PNG + b"a", PNG + b"b", PNG]


def test_a_member_is_picked_from_a_zip_and_means_nothing_to_a_picture(
    store: LocalStore, fetcher: Fetcher
) -> None:
    store.put("assets/0a/0", ZIP)
    store.put("assets/0b/0", PNG)
    wanted = order("blob:assets/0a/0", "blob:assets/0b/0", member="b.png")
    found = gather(wanted, JOB, store, fetcher)
    assert blobs(store, found) == [PNG + b"b", PNG]


def test_gathering_again_changes_nothing(
    store: LocalStore, internet: Internet, fetcher: Fetcher, tmp_path: Path
) -> None:
    store.put("assets/0a/0", ZIP)
    with serve(say_ok(PNG)) as server:
        internet.port = server.port
        wanted = order("blob:assets/0a/0", "http://pictures.example/sea.png")
        first = gather(wanted, JOB, store, fetcher)
        before = list_blobs(tmp_path)
        assert gather(wanted, JOB, store, fetcher) == first
    assert list_blobs(tmp_path) == before
    assert len(before) == 5  # with the list of them


def list_blobs(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_jobs_own_blobs_stay_and_are_never_written_over(
    store: LocalStore, fetcher: Fetcher
) -> None:
    """As data URIs lie, which were stored under the job's name when it was taken."""
    store.put(f"sources/{JOB}/0", PNG + b"0")
    store.put(f"sources/{JOB}/1", ZIP)
    wanted = order(f"blob:sources/{JOB}/1", f"blob:sources/{JOB}/0")
    for _ in range(2):
        found = gather(wanted, JOB, store, fetcher)
        assert [picture.blob for picture in found] == [
            f"sources/{JOB}/2",
            f"sources/{JOB}/3",
            f"sources/{JOB}/0",
        ]
        assert blobs(store, found) == [PNG + b"a", PNG + b"b", PNG + b"0"]


def test_a_volatile_order_leaves_nothing_on_the_disk(
    tmp_path: Path, memory: Path, internet: Internet, fetcher: Fetcher
) -> None:
    store = LocalStore(tmp_path / "images", memory=memory)
    with serve(say_ok(ZIP)) as server:
        internet.port = server.port
        wanted = order("http://pictures.example/all.zip", volatile=True)
        found = gather(wanted, JOB, store, fetcher)
    assert [picture.blob for picture in found] == [
        f"volatile/sources/{JOB}/0",
        f"volatile/sources/{JOB}/1",
    ]
    assert blobs(store, found) == [PNG + b"a", PNG + b"b"]
    with pytest.raises(InvalidOption):
        gather(order(f"blob:{found[0].blob}"), JOB, store, fetcher)
    assert list_blobs(tmp_path) == {}


def test_every_kind_of_bad_source_is_a_typed_error(
    store: LocalStore, internet: Internet, fetcher: Fetcher
) -> None:
    store.put("assets/0a/0", make_zip({"a.txt": b"text"}))
    with serve(say("404 Gone\nContent-Length: 0")) as server:
        internet.port = server.port
        for source, kind in (
            ("http://pictures.example/a.png", SourceUnavailable),
            ("http://10.0.0.1/a.png", SourceForbidden),
            ("/etc/passwd", SourceForbidden),
            ("file:///etc/passwd", SourceForbidden),
            ("data:image/png;base64,AAAA", SourceForbidden),
            ("blob:assets/0a/0", ArchiveInvalid),
            ("blob:assets/0b/0", BlobMissing),
            ("blob:../../etc/passwd", BlobMissing),
        ):
            with pytest.raises(kind):
                gather(order(source), JOB, store, fetcher)


def test_a_source_over_the_limit_is_too_large(
    store: LocalStore, internet: Internet, fetcher: Fetcher
) -> None:
    with serve(say_ok(bytes(100_001))) as server:
        internet.port = server.port
        with pytest.raises(ImageTooLarge):
            gather(order("http://pictures.example/a.png"), JOB, store, fetcher)


def test_the_limit_of_pictures_holds_for_all_sources_together(
    store: LocalStore, fetcher: Fetcher
) -> None:
    store.put("assets/0a/0", ZIP)
    two = ArchiveLimits(members=2)
    assert len(gather(order("blob:assets/0a/0"), JOB, store, fetcher, two)) == 2
    with pytest.raises(ArchiveInvalid, match="more than 2 pictures"):
        gather(order("blob:assets/0a/0", "blob:assets/0a/0"), JOB, store, fetcher, two)


def test_what_came_along_keeps_the_name_that_people_know(
    store: LocalStore, fetcher: Fetcher
) -> None:
    store.put(f"sources/{JOB}/given0", PNG)
    store.put("assets/0a/0", PNG)
    given = (f"blob:sources/{JOB}/given0?my photo?.png", "blob:assets/0a/0?../../x.png")
    found = gather(order(*given), JOB, store, fetcher)
    assert found == [("my photo.png", f"sources/{JOB}/given0"), ("x.png", f"sources/{JOB}/0")]


def test_a_failure_says_which_of_several_sources_it_was(
    store: LocalStore, internet: Internet, fetcher: Fetcher
) -> None:
    store.put("assets/0a/0", PNG)
    store.put("assets/0b/0", make_zip({"a.txt": b"text"}))
    with serve(say("404 Gone\nContent-Length: 0")) as server:
        internet.port = server.port
        wanted = order("blob:assets/0a/0", "http://pictures.example/b.jpg")
        with pytest.raises(SourceUnavailable) as fetched:
            gather(wanted, JOB, store, fetcher)
    assert fetched.value.detail == "source 2 of 2 (b.jpg): the address answered with status 404"
    with pytest.raises(ArchiveInvalid) as opened:
        gather(order("blob:assets/0a/0", "blob:assets/0b/0?all.zip"), JOB, store, fetcher)
    assert opened.value.detail == "source 2 of 2 (all.zip): the zip holds no pictures"


def test_a_mask_comes_with_the_sources_and_is_none_of_them(
    store: LocalStore, internet: Internet, fetcher: Fetcher
) -> None:
    store.put("assets/0a/0", PNG)
    mask = "http://pictures.example/mask.png"
    wanted = order("blob:assets/0a/0").model_copy(update={"protect_mask": mask})
    with serve(say_ok(PNG + b"mask")) as server:
        internet.port = server.port
        found = gather(wanted, JOB, store, fetcher)
    assert blobs(store, found) == [PNG]
    assert store.read(mask_blob(shelf_of(wanted, JOB))) == PNG + b"mask"


def test_a_mask_that_was_kept_is_a_mask_in_memory_too(store: LocalStore, fetcher: Fetcher) -> None:
    store.put("volatile/sources/0a/givenmask", PNG)
    store.put("assets/0a/0", PNG)
    wanted = order("blob:assets/0a/0", volatile=True)
    given = {"protect_mask": "blob:volatile/sources/0a/givenmask"}
    gather(wanted.model_copy(update=given), JOB, store, fetcher)
    assert store.read(f"volatile/sources/{JOB}/mask") == PNG
    with pytest.raises(InvalidOption):
        gather(order("blob:assets/0a/0").model_copy(update=given), JOB, store, fetcher)

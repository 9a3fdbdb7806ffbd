"""A licence is accepted once per store, by name, and travels with it."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.errors import LicenceNotAccepted, WeightsError
from pipelines.weights.licences import (
    LICENCES,
    accept,
    licence_of,
    read_acceptances,
    read_text,
    require_acceptance,
    write_notice,
)
from pipelines.weights.lock_file import find_lock, read_lock
from pipelines.weights.store import Store
from tests.pipelines.weights.small_hub import lock_model, make_files

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
RAIL = lock_model(make_files(), licence="openrail++")


def test_a_licence_that_asks_for_a_notice_only_needs_no_acceptance(store: Store) -> None:
    require_acceptance([lock_model(make_files(), licence="apache-2.0")], store)


@pytest.mark.parametrize("licence", ["openrail++", "never-heard-of"])
def test_any_other_licence_does_and_says_how(store: Store, licence: str) -> None:
    model = lock_model(make_files(), licence=licence)
    with pytest.raises(LicenceNotAccepted) as refused:
        require_acceptance([model], store)
    assert f"--accept-licence {licence}" in refused.value.detail
    assert licence_of(model).url in refused.value.detail
    accept([licence], store, NOON)
    require_acceptance([model], store)


def test_accepting_one_licence_accepts_no_other(store: Store) -> None:
    accept(["openrail"], store, NOON)
    with pytest.raises(LicenceNotAccepted):
        require_acceptance([RAIL], store)


def test_an_acceptance_keeps_its_time(store: Store) -> None:
    accept(["openrail++"], store, NOON)
    accept(["openrail++", "mit"], store, NOON.replace(hour=13))
    assert read_acceptances(store) == {
        "openrail++": "2026-01-02T12:00:00+00:00",
        "mit": "2026-01-02T13:00:00+00:00",
    }


@pytest.mark.parametrize("text", ["", "{", "[]", "1"])
def test_a_damaged_note_accepts_nothing(store: Store, text: str) -> None:
    store.folder.mkdir()
    store.acceptances.write_text(text)
    with pytest.raises(LicenceNotAccepted):
        require_acceptance([RAIL], store)


def test_a_note_that_cannot_be_written_is_our_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WeightsError, match="could not be written"):
        accept(["mit"], Store(tmp_path / "file"), NOON)


ENDS = {
    "apache-2.0": ("Apache License", "limitations under the License."),
    "openrail++": ("Copyright (c) 2023 Stability AI", "arbitrarily-targeted use)."),
}
"""How the texts begin and end."""


def test_every_licence_of_this_programs_lock_is_here_with_its_whole_text() -> None:
    for model in read_lock(find_lock()).models:
        text = (read_text(LICENCES[model.licence]) or "").strip()
        begin, end = ENDS[model.licence]
        assert text.startswith(begin)
        assert text.endswith(end)
        assert "END OF TERMS AND CONDITIONS" in text
        assert text in write_notice(licence_of(model), [model])


def test_the_text_of_the_rail_licence_is_word_for_word_as_it_was_published() -> None:
    """The sum is of the file at the commit that ``origin`` names."""
    text = read_text(LICENCES["openrail++"]) or ""
    published = "744afca95783155040321a97b52e56e19e38aaf28eb1340e46673ff76f8f719c"
    assert hashlib.sha256(text.encode()).hexdigest() == published


def test_a_refusal_says_how_to_read_the_licence_without_network(store: Store) -> None:
    with pytest.raises(LicenceNotAccepted, match=r"smart-resize weights licence openrail\+\+ "):
        require_acceptance([RAIL], store)


def test_a_licence_that_is_not_known_here_has_no_text() -> None:
    assert read_text(licence_of(lock_model(make_files(), licence="never-heard-of"))) is None
    assert read_text(LICENCES["mit"]) is None


def test_a_notice_names_the_licence_its_place_and_what_is_under_it() -> None:
    files = make_files() | {"LICENSE.md": b"be kind"}
    text = write_notice(licence_of(RAIL), [lock_model(files, licence="openrail++")])
    for part in ("Open RAIL++-M", "https://", "acme/inpaint at", "own copy: LICENSE.md"):
        assert part in text

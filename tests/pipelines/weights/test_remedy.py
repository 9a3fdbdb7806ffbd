"""The remedy is all that has to be typed, and nothing that has not."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipelines.weights.licences import accept
from pipelines.weights.lock import LockedFile
from pipelines.weights.remedy import name_remedy
from pipelines.weights.store import Store
from tests.pipelines.weights.small_hub import lock_model, make_files

FREE = lock_model(make_files(), "vlm")
RAIL = lock_model(make_files(), "inpaint", "openrail++")
UNKNOWN = replace(FREE, role="vlm-light", files=(LockedFile("config.json"),))


def test_what_is_free_and_known_takes_one_command(store: Store) -> None:
    assert name_remedy([FREE], store) == (
        f"smart-resize weights fetch vlm --weights {store.folder}"
    )


def test_a_licence_is_in_it_once_and_until_it_is_accepted(store: Store) -> None:
    both = [RAIL, replace(RAIL, role="few-step"), FREE]
    command = f"smart-resize weights fetch inpaint few-step vlm --weights {store.folder}"
    assert name_remedy(both, store) == f"{command} --accept-licence openrail++"
    accept(["openrail++"], store, datetime.now(UTC))
    assert name_remedy(both, store) == command


def test_what_the_lock_does_not_know_is_locked_first(store: Store) -> None:
    assert name_remedy([FREE, UNKNOWN], store) == (
        "smart-resize weights lock vlm-light, then: "
        f"smart-resize weights fetch vlm vlm-light --weights {store.folder}"
    )


def test_another_lock_is_named_in_every_command_and_spaces_are_quoted() -> None:
    said = name_remedy([UNKNOWN], Store(Path("/my weights")), Path("/w/weights.lock"))
    assert said == (
        "smart-resize weights lock vlm-light --lock /w/weights.lock, then: smart-resize weights "
        "fetch vlm-light --weights '/my weights' --lock /w/weights.lock"
    )

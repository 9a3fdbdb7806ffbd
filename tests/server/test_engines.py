"""An engine that lacks weights says so at once, all of it, and before anything slow is imported."""

import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import EngineUnavailable, WeightsMismatch, WeightsMissing
from pipelines.weights.lock import LockedFile, WeightsLock
from pipelines.weights.lock_file import write_lock
from pipelines.weights.store import Store
from server.engines import LARGE_CARD, Supplies, choose_describers, load_engine
from server.settings import EngineName
from tests.pipelines.weights.small_hub import fill, lock_model, make_files

FILES = {role: make_files(seed) for seed, role in enumerate(("inpaint", "vlm", "few-step", "nsfw"))}
INPAINT = lock_model(FILES["inpaint"], "inpaint", "openrail++")
VLM = lock_model(FILES["vlm"], "vlm")
LIGHT = replace(lock_model(make_files(9), "vlm-light"), optional=True)
UNKNOWN = replace(LIGHT, files=(LockedFile("config.json"),))
FEW_STEP = lock_model(FILES["few-step"], "few-step", "openrail++")
NSFW = lock_model(FILES["nsfw"], "nsfw")
SMALL_CARD, CARD = 2**34, 2**35


@pytest.fixture
def supplies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Supplies:
    """A lock without any weights; the engine's own room cannot be entered."""
    monkeypatch.setitem(sys.modules, "pipelines.models", None)
    monkeypatch.delattr("pipelines.models", raising=False)  # where an earlier test was inside
    show_cards(monkeypatch, (CARD,))
    lock = tmp_path / "weights.lock"
    write_lock(WeightsLock((INPAINT, VLM, UNKNOWN, FEW_STEP, NSFW)), lock)
    return Supplies(tmp_path / "weights", lock)


def show_cards(monkeypatch: pytest.MonkeyPatch, memories: tuple[int, ...] | None) -> None:
    monkeypatch.setattr("server.engines.read_memories", lambda: memories)


def refusal_of(supplies: Supplies) -> str:
    with pytest.raises(WeightsMissing) as refused:
        load_engine(EngineName.SDXL, supplies)
    return refused.value.detail


def options_of(supplies: Supplies) -> str:
    return f"--weights {supplies.weights} --lock {supplies.lock}"


def test_all_that_a_large_card_needs_is_one_command(supplies: Supplies) -> None:
    assert refusal_of(supplies) == (
        "the weights for inpaint and vlm are not all here; get them with: smart-resize weights "
        f"fetch inpaint vlm few-step nsfw {options_of(supplies)} --accept-licence openrail++"
    )


@pytest.mark.parametrize("memories", [(), (SMALL_CARD,)])
def test_what_a_small_card_needs_and_the_lock_does_not_know_is_locked_first(
    supplies: Supplies, memories: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    show_cards(monkeypatch, memories)
    assert refusal_of(supplies) == (
        "the weights for inpaint and vlm-light are not all here; get them with: smart-resize "
        f"weights lock vlm-light --lock {supplies.lock}, then: smart-resize weights "
        f"fetch inpaint vlm-light few-step nsfw {options_of(supplies)} --accept-licence openrail++"
    )


def test_where_the_installations_lock_is_read_only_another_one_is_begun(
    supplies: Supplies, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container with a small card."""
    show_cards(monkeypatch, (SMALL_CARD,))
    monkeypatch.setattr("server.engines.find_lock", lambda: supplies.lock)
    monkeypatch.setattr("server.engines.is_writable", lambda _: False)
    own = supplies.weights / "weights.lock"
    said = refusal_of(replace(supplies, lock=None))
    assert f"smart-resize weights lock vlm-light --lock {own}, then: " in said
    assert f" --weights {supplies.weights} --lock {own} --accept-licence openrail++; and" in said
    assert f"set SMART_RESIZE_LOCK={own}" in said
    show_cards(monkeypatch, (CARD,))
    assert "--lock" not in refusal_of(replace(supplies, lock=None))


def test_where_the_card_is_not_known_the_choice_is_said(
    supplies: Supplies, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_cards(monkeypatch, None)
    said = refusal_of(supplies)
    assert "fetch inpaint vlm few-step nsfw " in said
    assert said.endswith("; with a card below 24 GB or none, say vlm-light for vlm")
    fill(Store(supplies.weights), VLM, FILES["vlm"])
    assert "the weights for inpaint are not all here" in refusal_of(supplies)


def test_a_card_that_was_not_foreseen_is_told_the_command_when_it_shows(
    supplies: Supplies, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_cards(monkeypatch, (SMALL_CARD, CARD))
    for model in (INPAINT, VLM):
        fill(Store(supplies.weights), model, FILES[model.role])

    class Room:
        Weights = staticmethod(lambda folder, name: name)

        @staticmethod
        def load(find: Callable[[str], str], *_: object, **__: object) -> str:
            return find("vlm-light")

    monkeypatch.setitem(sys.modules, "pipelines.models", Room)
    monkeypatch.setattr("pipelines.models", Room, raising=False)
    said = refusal_of(supplies)
    assert f"smart-resize weights lock vlm-light --lock {supplies.lock}, then: " in said
    assert f"smart-resize weights fetch vlm-light {options_of(supplies)}" in said


def test_only_what_is_missing_is_asked_for(supplies: Supplies) -> None:
    store = Store(supplies.weights)
    for model in (INPAINT, FEW_STEP, NSFW):
        fill(store, model, FILES[model.role])
    assert refusal_of(supplies) == (
        "the weights for vlm are not all here; get them with: "
        f"smart-resize weights fetch vlm {options_of(supplies)}"
    )


def test_what_is_only_good_to_have_stops_nothing(supplies: Supplies) -> None:
    for model in (INPAINT, VLM):
        fill(Store(supplies.weights), model, FILES[model.role])
    with pytest.raises(EngineUnavailable, match="torch"):
        load_engine(EngineName.SDXL, supplies)


@pytest.mark.parametrize("model", [INPAINT, VLM])
def test_wrong_files_are_told_before_torch_is_imported(supplies: Supplies, model: object) -> None:
    for each in (INPAINT, VLM):
        other = {"config.json": b"{}"} if each is model else {}
        fill(Store(supplies.weights), each, FILES[each.role] | other)
    with pytest.raises(WeightsMismatch, match=r"config\.json is wrong size"):
        load_engine(EngineName.SDXL, supplies)


def test_what_takes_long_is_logged_and_done_once(
    supplies: Supplies, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "server.engines")
    store, read = Store(supplies.weights), []
    for model in (INPAINT, VLM):
        fill(store, model, FILES[model.role])
        store.record_of(model).mkdir()  # in the way of the note, as on a disk that is read-only

    class Room:
        Weights = staticmethod(lambda folder, name: name)

        @staticmethod
        def load(find: object, *_: object, **__: object) -> None:
            assert callable(find)
            before = len(caplog.messages)
            (store.folder_of(INPAINT) / "config.json").unlink()  # nobody looks again
            read.extend([find("inpaint"), find("vlm"), find("inpaint")])
            assert len(caplog.messages) == before

    monkeypatch.setitem(sys.modules, "pipelines.models", Room)
    monkeypatch.setattr("pipelines.models", Room, raising=False)
    load_engine(EngineName.SDXL, supplies)
    assert [name.partition("@")[0] for name in read] == ["acme/inpaint", "acme/vlm", "acme/inpaint"]
    assert [message.partition(",")[0] for message in caplog.messages] == [
        "weights of inpaint are verified",
        "weights of vlm are verified",
    ]


def test_the_describer_is_the_one_that_the_engine_will_choose() -> None:
    pytest.importorskip("torch")
    from pipelines.models.profile import WITHOUT_CARD, choose_profile  # noqa: PLC0415  slow

    for memory in (8 * 2**30, int(LARGE_CARD), int(LARGE_CARD) + 1, 80 * 2**30):
        assert choose_describers((memory,)) == (choose_profile(memory).vlm,)
    assert choose_describers(()) == (WITHOUT_CARD.vlm,)
    assert choose_describers(None) == choose_describers((2**34, 2**36)) == ("vlm", "vlm-light")

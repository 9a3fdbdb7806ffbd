"""What a card of which size gets, and that the arithmetic behind it holds."""

import json
import re
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pipelines.errors import EngineUnavailable
from pipelines.models import profile as module
from pipelines.models.profile import GIB, PROFILES, SHARE, WITHOUT_CARD, Profile, choose_profile
from pipelines.models.vlm.caches import measure_length
from pipelines.models.vlm.grammar import BUDGET, REST
from pipelines.models.vlm.look import MOST_TOKENS
from pipelines.models.vlm.wording import QUESTION, SYSTEM
from pipelines.weights.lock_file import find_lock, read_lock

PUBLISHED = Path(__file__).parent / "published/sdxl"

DESCRIBERS = {"vlm": "qwen3-vl-4b", "vlm-light": "qwen3-vl-2b"}

REPORTED = {
    "RTX 3070": (8, 7.78),
    "RTX 4060 laptop": (8, 7.63),
    "MIG slice of an H100": (8, 9.75),
    "RTX 3080": (8, 9.77),
    "RTX 3060": (12, 11.76),
    "A2 with error correction": (16, 14.54),
    "RTX 4080": (16, 15.70),
    "A10G with error correction": (24, 22.06),
    "RTX 4090": (24, 23.64),
    "RTX 5090": (24, 31.36),
    "L40S with error correction": (48, 44.40),
    "A100": (48, 79.15),
    "H200": (48, 139.72),
}
"""Card to the class that it belongs to and the GiB that it reports, roughly."""


@pytest.mark.parametrize("card", REPORTED)
def test_a_card_gets_what_suits_its_class_though_it_reports_less(card: str) -> None:
    size, reported = REPORTED[card]
    assert choose_profile(int(reported * GIB)) == dict(PROFILES)[size]


def test_a_small_card_gets_the_small_describer_and_turns() -> None:
    assert choose_profile(8 * GIB) == Profile("vlm-light", offload=True, thrifty=True, rows=2)


def test_a_large_card_holds_everything_at_full_size() -> None:
    assert choose_profile(80 * GIB) == Profile("vlm", offload=False, thrifty=False, rows=8)


def test_more_memory_never_gets_less() -> None:
    chosen = [choose_profile(size * GIB) for size in range(8, 100)]
    for less, more in pairwise(chosen):
        assert more.offload <= less.offload
        assert more.thrifty <= less.thrifty
        assert (more.vlm == "vlm") >= (less.vlm == "vlm")


def test_a_card_that_is_too_small_is_refused_with_what_to_do() -> None:
    with pytest.raises(EngineUnavailable, match=r"8 GB.* 5\.8 GB.*preview") as caught:
        choose_profile(int(5.8 * GIB))
    assert not caught.value.retryable


def test_without_a_card_everything_is_resident_and_rows_come_one_by_one() -> None:
    assert choose_profile(None) == WITHOUT_CARD
    assert not WITHOUT_CARD.offload
    assert WITHOUT_CARD.rows == 1


# The table in the module's docstring, computed anew.

OWN = 0.6
GUIDED, ENCODED, DECODED, TILE, DESCRIBED = 0.332, 1.349, 1.611, 0.403, 0.53
"""GB on top of the weights; all but the last are checked below."""

WORDS = 220
"""Tokens of the question and what frames it, taken generously: 3.6 letters each."""


def measure_cache(role: str) -> float:
    """GB that the describer keeps for each row, by its published sizes."""
    config = json.loads((PUBLISHED.parent / DESCRIBERS[role] / "config.json").read_text())
    text = config["text_config"]
    token = 2 * 2 * text["num_hidden_layers"] * text["num_key_value_heads"] * text["head_dim"]
    return float(token * measure_length(MOST_TOKENS + WORDS + BUDGET + REST) / 1e9)


def measure_weights() -> Mapping[str, float]:
    """GB of each part's files of weights, by role and folder."""
    parts: dict[str, float] = {}
    for model in read_lock(find_lock()).models:
        for file in model.files:
            if file.path.endswith(".safetensors") and file.size:
                part = file.path.rpartition("/")[0] if model.role == "inpaint" else model.role
                parts[part] = parts.get(part, 0) + file.size / 1e9
    return parts


def estimate(profile: Profile) -> float:
    """GB that a card needs for a profile."""
    weights, rows = measure_weights(), profile.rows
    texts = weights["text_encoder"] + weights["text_encoder_2"]
    unet = weights["unet"] + weights["few-step"]
    steps: dict[str, float] = {
        "vae": ENCODED if profile.thrifty else max(ENCODED, DECODED) * rows,
        "unet": GUIDED * rows,
        "texts": 0,
        "describer": DESCRIBED * rows,
    }
    sizes = {"vae": weights["vae"], "unet": unet, "texts": texts, "describer": weights[profile.vlm]}
    if profile.offload:
        return OWN + max(sizes[part] + steps[part] for part in sizes)
    kept = rows * measure_cache(profile.vlm)
    return OWN + sum(sizes.values()) + weights["nsfw"] + kept + max(steps.values())


@pytest.mark.parametrize(("size", "profile"), PROFILES)
def test_a_profile_fits_the_smallest_card_of_its_class(size: int, profile: Profile) -> None:
    assert estimate(profile) < SHARE * size * GIB / 1e9 - 0.5


@pytest.mark.parametrize(("size", "profile"), PROFILES)
def test_the_table_tells_the_profiles_and_their_arithmetic(size: int, profile: Profile) -> None:
    found = re.search(
        rf"^ +{size} GB +(\S+) +(in turns|all on) +(tiles|whole) +(\d+) +([\d.]+) GB",
        module.__doc__ or "",
        re.MULTILINE,
    )
    assert found is not None
    describer, models, decoding, rows, needs = found.groups()
    assert (describer == "4B") == (profile.vlm == "vlm")
    assert (models == "in turns") == profile.offload
    assert (decoding == "tiles") == profile.thrifty
    assert int(rows) == profile.rows
    assert float(needs) == pytest.approx(estimate(profile), abs=0.06)


def test_the_caches_are_as_large_as_the_text_says() -> None:
    told = re.search(r"([\d.]+) GB\s+each \(4B\) or ([\d.]+) GB \(2B\)", module.__doc__ or "")
    assert told is not None
    for role, size in zip(("vlm", "vlm-light"), map(float, told.groups()), strict=True):
        assert size == pytest.approx(measure_cache(role), abs=0.006)
    assert len(SYSTEM + QUESTION) / 3.6 <= WORDS


def test_what_is_not_offered_would_not_fit() -> None:
    """Why the classes are as they are: the next better profile needs more than there is."""
    profiles = dict(PROFILES)
    wishes = {
        12: replace(profiles[12], offload=False),
        16: replace(profiles[16], vlm="vlm"),
        24: replace(profiles[24], rows=8),
    }
    for size, wish in wishes.items():
        assert estimate(wish) > SHARE * size * GIB / 1e9


class Alive(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own
    """Adds up the tensors that are alive while models run on the meta device."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sizes: dict[int, int] = {}
        self.peak = 0

    def __torch_dispatch__(
        self,
        operation: Callable[..., Any],
        types: Iterable[type],
        given: tuple[Any, ...] = (),
        named: Mapping[str, Any] | None = None,
    ) -> Any:
        result = operation(*given, **(named or {}))
        before = {self.find(tensor) for tensor in list_tensors((given, named))}
        for tensor in list_tensors(result):
            place = self.find(tensor)
            if place not in before and place not in self.sizes:
                storage = tensor.untyped_storage()
                self.sizes[place] = storage.nbytes()
                self.peak = max(self.peak, sum(self.sizes.values()))
                weakref.finalize(storage, self.sizes.pop, place, None)
        return result

    def find(self, tensor: torch.Tensor) -> int:
        place: int = tensor.untyped_storage()._cdata
        return place


def list_tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **_: Any) -> torch.Tensor:
    """As a fused kernel does: no matrix of scores is kept."""
    return torch.empty_like(query)


def build(kind: Any, name: str) -> Any:
    config = json.loads((PUBLISHED / name / "config.json").read_text())
    with torch.device("meta"):
        model = kind.from_config({key: config[key] for key in config if key[0] != "_"})
    return model.to(torch.float16).eval().requires_grad_(requires_grad=False)


def empty(*shape: int) -> torch.Tensor:
    return torch.empty(*shape, device="meta", dtype=torch.float16)


def measure_peak(work: Callable[[], Any]) -> float:
    """GB alive at once, the weights left out."""
    alive = Alive()
    with torch.inference_mode(), alive:
        work()
    return alive.peak / 1e9


def test_one_picture_needs_as_much_on_top_as_the_table_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(functional, "scaled_dot_product_attention", attend)
    unet, vae = build(UNet2DConditionModel, "unet"), build(AutoencoderKL, "vae")
    sides = {"text_embeds": empty(2, 1280), "time_ids": empty(2, 6)}
    guided = partial(unet, empty(2, 9, 128, 128), 1, empty(2, 77, 2048), added_cond_kwargs=sides)
    for work, needs in (
        (guided, GUIDED),
        (lambda: vae.encode(empty(1, 3, 1024, 1024)), ENCODED),
        (lambda: vae.decode(empty(1, 4, 128, 128)), DECODED),
        (lambda: vae.decode(empty(1, 4, 64, 64)), TILE),
        (lambda: vae.decode(empty(2, 4, 128, 128)), 2 * DECODED),
    ):
        assert measure_peak(work) == pytest.approx(needs, abs=0.002)

"""What each kind of job costs on tiny models is what the budget says; who wastes is found out."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from PIL import Image

from pipelines.composition import Composition
from pipelines.geometry import PixelBox
from pipelines.models.sdxl.autoencoder import Autoencoder
from pipelines.models.sdxl.lora import adapted
from pipelines.models.sdxl.recipe import Recipe
from pipelines.models.sdxl.windows import Cells
from pipelines.models.vlm.describer import VlmDescriber
from tests.pipelines.models.ledger.ledger import Account, Ledger
from tests.pipelines.models.ledger.spending import Spending, read_budget
from tests.pipelines.models.ledger.studio import JOBS, NATIVE, Job, Studio, open_studio

BUDGET = read_budget()
LOOK = Spending.read(BUDGET["look"])
ROWS = {name: Spending.read(row).plus_looks(LOOK) for name, row in BUDGET["jobs"].items()}
AGAIN = ("fast", "balanced", "quality")
"""What is done twice."""

Spend = Callable[[Job, int], list[Spending]]


@pytest.fixture(scope="module")
def opening(supplies: Path) -> Iterator[tuple[Studio, Spending]]:
    """A studio, and what its very first job cost."""
    with open_studio(supplies) as studio:
        (first,) = studio.spend(JOBS["fast"])
        yield studio, first


@pytest.fixture(scope="module")
def studio(opening: tuple[Studio, Spending]) -> Studio:
    return opening[0]


@pytest.fixture(scope="module")
def spend(studio: Studio) -> Spend:
    """What a job costs, done as often as asked; looked up where it was counted before."""
    return cache(studio.spend)


def test_the_first_job_costs_what_the_budget_allows(opening: tuple[Studio, Spending]) -> None:
    _, spent = opening
    assert spent.compare(ROWS["first"]) == []


@pytest.mark.parametrize("name", [name for name in JOBS if name not in AGAIN])
def test_a_job_costs_what_the_budget_allows(spend: Spend, name: str) -> None:
    (spent,) = spend(JOBS[name], 1)
    assert spent.compare(ROWS[name]) == []


@pytest.mark.parametrize("name", AGAIN)
def test_another_seed_pays_for_nothing_that_is_known(spend: Spend, name: str) -> None:
    once, again = spend(JOBS[name], 2)
    assert once.compare(ROWS[name]) == []
    assert again.compare(ROWS[f"{name}-again"]) == []


def test_every_row_of_the_budget_is_a_job() -> None:
    assert ROWS.keys() == {"first", *JOBS, *(f"{name}-again" for name in AGAIN)}


def test_eight_targets_cost_less_than_eight_jobs(spend: Spend) -> None:
    (together,), (alone, _) = spend(JOBS["eight"], 1), spend(JOBS["balanced"], 2)
    share = time_at_full_size(together) / (8 * time_at_full_size(alone))
    assert share == pytest.approx(BUDGET["shares"]["eight"], abs=0.005)
    assert share <= 0.8


def time_at_full_size(spent: Spending) -> float:
    """The least time, s, that a card would need; what is too little to count is left out."""
    native = {
        Account.ENCODES: NATIVE,
        Account.EVALUATIONS: NATIVE // 8,
        Account.DECODES: NATIVE // 8,
    }
    seconds = spent.rows[Account.LOOKS] * BUDGET["floor"]["look"]
    for what, rows in spent.rows.items():
        account, _, size = what.partition(" ")
        if account in native:
            width, height = map(int, size.split("x"))
            share = width * height / native[Account(account)] ** 2
            seconds += rows * share * BUDGET["row"][account] / BUDGET["floor"]["operations"]
    return float(seconds)


def encode_twice(patch: pytest.MonkeyPatch) -> None:
    encode = Autoencoder._encode

    def work(autoencoder: Autoencoder, pixels: torch.Tensor) -> torch.Tensor:
        encode(autoencoder, pixels)
        return encode(autoencoder, pixels)

    patch.setattr(Autoencoder, "_encode", work)


def decode_all(patch: pytest.MonkeyPatch) -> None:
    def choose(new: Cells) -> tuple[PixelBox, ...]:
        return (PixelBox(0, 0, new.shape[1], new.shape[0]),)

    patch.setattr("pipelines.models.sdxl.ground.choose_windows", choose)


def refine_all_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("pipelines.models.sdxl.refiner.UNTILED", 99)


def guide_where_it_was_learned(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Recipe, "guides", lambda recipe, step: True)


def forget_the_adapter(patch: pytest.MonkeyPatch) -> None:
    def adapt(unet: UNet2DConditionModel, *, wanted: bool) -> Any:
        return adapted(unet, wanted=True)

    patch.setattr("pipelines.models.sdxl.denoise.adapted", adapt)


def look_twice(patch: pytest.MonkeyPatch) -> None:
    describe = VlmDescriber._describe

    def work(describer: VlmDescriber, picture: Image.Image) -> Composition:
        describe(describer, picture)
        return describe(describer, picture)

    patch.setattr(VlmDescriber, "_describe", work)


@pytest.mark.parametrize(
    ("waste", "name", "found"),
    [
        (encode_twice, "fast", {"encodes 128x128", "encodes 32x32"}),
        (decode_all, "banner", {"decodes 16x8", "decodes 32x8"}),
        (
            refine_all_at_once,
            "4k-quarter-new",
            {
                "encodes 128x128",
                "encodes 192x320",
                "evaluations 16x16",
                "evaluations 24x40",
                "decodes 16x16",
                "decodes 24x40",
            },
        ),
        (guide_where_it_was_learned, "fast", {"evaluations 16x16"}),
        (forget_the_adapter, "balanced", set()),
        (look_twice, "resize", {"looks", "tokens"}),
    ],
)
def test_waste_is_found(
    studio: Studio,
    waste: Callable[[pytest.MonkeyPatch], None],
    name: str,
    found: set[str],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        waste(patch)
        (spent,) = studio.spend(JOBS[name])
    differences = spent.compare(ROWS[name])
    assert {line.partition(":")[0] for line in differences} == {*found, "operations"}


def test_a_model_without_an_account_is_not_overlooked() -> None:
    with pytest.raises(KeyError, match="Linear"):
        Ledger().watch(torch.nn.Linear(1, 1))

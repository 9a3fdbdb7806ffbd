"""The loop, with a model small enough to read."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pipelines.errors import JobCancelled
from pipelines.geometry import Size
from pipelines.models.audience import Audience
from pipelines.models.device import CPU, Device, choose_device
from pipelines.models.sdxl.denoise import Row, denoise, make_noise, tell_sizes
from pipelines.models.sdxl.lora import load_few_step
from pipelines.models.sdxl.prompt import Words
from pipelines.models.sdxl.recipe import FEW_STEP, Recipe, Sampler
from pipelines.models.sdxl.schedule import Schedule, Training, make_schedule
from tests.pipelines.models.sdxl.lora_replica import write_lora
from tests.pipelines.models.sdxl.replica import SCHEDULER, WORDS, make_unet
from tests.pipelines.models.sdxl.scenes import ignore

TRAINING = Training.from_config(SCHEDULER)

CONSISTENT = Recipe(steps=4, guidance=1.0, sampler=Sampler.CONSISTENCY)


class Ear:
    """A model that sees no noise at all, and remembers what it was shown."""

    dtype = torch.float32

    def __init__(self) -> None:
        self.views: list[torch.Tensor] = []
        self.sizes: list[list[float]] = []

    def __call__(
        self,
        view: torch.Tensor,
        time: torch.Tensor,
        *,
        encoder_hidden_states: torch.Tensor,
        added_cond_kwargs: Mapping[str, torch.Tensor],
        return_dict: bool,
    ) -> tuple[torch.Tensor]:
        self.views.append(view)
        self.sizes = added_cond_kwargs["time_ids"].tolist()
        assert len(encoder_hidden_states) == len(added_cond_kwargs["text_embeds"]) == len(view)
        return (torch.zeros_like(view[:, :4]),)


def run(row: Row, recipe: Recipe, tick: Any = ignore) -> tuple[torch.Tensor, Ear]:
    schedule = make_schedule(TRAINING, recipe, CPU)
    ear: Any = Ear()
    _, latents = denoise(ear, [row], schedule, recipe, Audience([tick]))
    return latents, ear


def make_row(*, hold: float = 0.0, tint: float = 0.0, noises: int = 1) -> Row:
    words = Words(torch.zeros(77, 8), torch.zeros(4))
    return Row(
        noise=make_noise(5, (noises, 4, 16, 24)),
        sizes=tell_sizes(Size(192, 128)),
        prompt=words,
        negative=words,
        masked=torch.full((4, 16, 24), 3.0),
        mask=torch.ones(1, 16, 24),
        hold=torch.full((1, 16, 24), hold),
        tint=torch.full((4, 16, 24), tint),
    )


def test_the_model_is_asked_twice_only_inside_the_interval() -> None:
    _, ear = run(make_row(), Recipe(steps=4, guidance=5.0, interval=(0.25, 0.75)))
    assert [len(view) for view in ear.views] == [1, 2, 2, 1]


def test_the_model_is_shown_noise_mask_and_masked_picture() -> None:
    _, ear = run(make_row(), Recipe(steps=2, guidance=1.0))
    first = ear.views[0][0]
    assert first.shape == (9, 16, 24)
    sigma = 14.6146
    torch.testing.assert_close(
        first[:4],
        make_noise(5, (4, 16, 24)) * sigma / (sigma**2 + 1) ** 0.5,
        atol=1e-4,
        rtol=1e-4,
    )
    assert bool((first[4] == 1).all())
    assert bool((first[5:] == 3).all())
    assert ear.sizes == [[128, 192, 0, 0, 128, 192]]


def test_a_tint_shines_through_the_first_noise() -> None:
    (plain, _), (tinted, _) = (
        run(make_row(tint=tint), Recipe(steps=2, guidance=1.0)) for tint in (0.0, 2.5)
    )
    torch.testing.assert_close(tinted - plain, torch.full_like(plain, 2.5), atol=1e-4, rtol=0)


def test_what_is_held_to_the_end_is_the_source_itself() -> None:
    latents, _ = run(make_row(hold=1.0), Recipe(steps=3, guidance=1.0))
    torch.testing.assert_close(latents, torch.full_like(latents, 3.0))


def test_what_is_held_for_half_the_steps_is_the_source_in_noise() -> None:
    recipe = Recipe(steps=4, guidance=1.0)
    latents, _ = run(make_row(hold=0.5), recipe)
    sigma = make_schedule(TRAINING, recipe, CPU).sigmas[2]
    expected = 3.0 + sigma * make_noise(5, (1, 4, 16, 24))
    torch.testing.assert_close(latents, expected)


def test_fresh_noise_comes_with_every_step_but_the_last() -> None:
    """A model that sees no noise takes all that it is shown for the picture."""
    row = make_row(noises=4)
    sigmas = make_schedule(TRAINING, CONSISTENT, CPU).sigmas
    latents, ear = run(row, CONSISTENT)
    shown = [
        view[0, :4] * (sigma**2 + 1) ** 0.5 for view, sigma in zip(ear.views, sigmas, strict=False)
    ]
    for step in range(3):
        fresh = (shown[step + 1] - shown[step]) / sigmas[step + 1]
        torch.testing.assert_close(fresh, row.noise[step + 1], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(latents[0], shown[3], atol=1e-4, rtol=1e-4)


def test_what_is_held_in_fresh_noise_is_the_source_in_that_noise() -> None:
    row = make_row(hold=0.5, noises=4)
    sigmas = make_schedule(TRAINING, CONSISTENT, CPU).sigmas
    _, ear = run(row, CONSISTENT)
    for step in (1, 2):
        shown = ear.views[step][0, :4] * (sigmas[step] ** 2 + 1) ** 0.5
        expected = 3.0 + sigmas[step] * row.noise[step]
        torch.testing.assert_close(shown, expected, atol=1e-4, rtol=1e-4)
    held, _ = run(make_row(hold=1.0, noises=4), CONSISTENT)
    torch.testing.assert_close(held, torch.full_like(held, 3.0))


def test_less_strength_begins_with_the_picture_in_less_noise() -> None:
    heard: list[float] = []
    recipe = Recipe(steps=10, guidance=5.0, interval=(0.0, 0.8), strength=0.3)
    sigma = make_schedule(TRAINING, recipe, CPU).sigmas[0]
    row = make_row(tint=2.0)
    _, ear = run(row, recipe, heard.append)
    assert [len(view) for view in ear.views] == [2, 1, 1]
    assert heard == [0, 1 / 3, 2 / 3, 1]
    shown = ear.views[0][0, :4] * (sigma**2 + 1) ** 0.5
    torch.testing.assert_close(shown, 2.0 + sigma * row.noise[0], atol=1e-4, rtol=1e-4)


def test_who_leaves_between_steps_stops_the_work_and_keeps_the_reason() -> None:
    heard: list[float] = []

    def tick(fraction: float) -> None:
        heard.append(fraction)
        if fraction >= 0.5:
            raise JobCancelled

    latents, ear = run(make_row(), Recipe(steps=4, guidance=1.0), tick)
    assert heard == [0.0, 0.25, 0.5]
    assert len(latents) == 0
    assert len(ear.views) == 2


def test_one_who_leaves_does_not_disturb_the_others() -> None:
    recipe = Recipe(steps=4, guidance=1.0)
    schedule = make_schedule(TRAINING, recipe, CPU)

    def leave(fraction: float) -> None:
        if fraction >= 0.5:
            raise JobCancelled

    rows = [make_row(hold=0.4, tint=float(number)) for number in range(3)]
    ear: Any = Ear()
    audience = Audience([ignore, leave, ignore])
    present, latents = denoise(ear, rows, schedule, recipe, audience)
    assert present == [0, 2]
    assert isinstance(audience.left[1], JobCancelled)
    assert [len(view) for view in ear.views] == [3, 3, 2, 2]
    for place, number in enumerate(present):
        alone, _ = run(rows[number], recipe)
        torch.testing.assert_close(latents[place], alone[0])


def test_noise_depends_on_the_seed_alone() -> None:
    assert torch.equal(make_noise(3, (4, 2, 2)), make_noise(3, (4, 2, 2)))
    assert not torch.equal(make_noise(3, (4, 2, 2)), make_noise(4, (4, 2, 2)))


RECIPES = {
    "guided": Recipe(steps=2, guidance=4.0, interval=(0.0, 0.5)),
    "plain": Recipe(steps=2, guidance=1.0),
    "weak": Recipe(steps=4, guidance=4.0, interval=(0.0, 0.75), strength=0.5),
    "consistent": replace(CONSISTENT, steps=3),
    "weak and consistent": replace(CONSISTENT, strength=0.5),
    "few steps": replace(FEW_STEP, steps=2),
}


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    """Refuses whatever would wait for the device, or hand it something from the host."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._device = device

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = [value for value in tree_leaves((args, kwargs)) if isinstance(value, torch.Tensor)]
        made = func(*args, **(kwargs or {}))
        made_too = [value for value in tree_leaves(made) if isinstance(value, torch.Tensor)]
        foreign = {value.device for value in given + made_too} - {self._device}
        assert not foreign, f"{func} meets {foreign}"
        assert func is not torch.ops.aten._local_scalar_dense.default
        return made


def leave_in_the_middle(rows: int) -> Audience:
    """The second of the rows leaves after the first step."""

    def leave(fraction: float) -> None:
        if fraction > 0:
            raise JobCancelled

    return Audience([leave if row == 1 else ignore for row in range(rows)])


def place_row(row: Row, device: Device) -> Row:
    upload = device.upload
    tokens, pooled = torch.zeros(77, 2 * WORDS), torch.zeros(WORDS)
    placed = Words(upload(tokens.to(device.dtype)), upload(pooled.to(device.dtype)))
    return Row(
        noise=upload(row.noise),
        sizes=upload(row.sizes),
        prompt=placed,
        negative=placed,
        masked=upload(row.masked),
        mask=upload(row.mask),
        hold=upload(row.hold),
        tint=upload(row.tint),
    )


@pytest.fixture(scope="module")
def adapted_unet(tmp_path_factory: pytest.TempPathFactory) -> Any:
    unet = make_unet()
    load_few_step(unet, write_lora(tmp_path_factory.mktemp("adapter")))
    return unet


def prepare(recipe: Recipe, device: Device) -> tuple[list[Row], Schedule]:
    rows = [place_row(make_row(hold=0.5, noises=recipe.noises), device) for _ in range(3)]
    return rows, make_schedule(TRAINING, recipe, device)


def denoise_watched(unet: Any, rows: list[Row], schedule: Schedule, recipe: Recipe) -> torch.Tensor:
    """Three rows, of which one leaves."""
    with torch.inference_mode(), Watch(schedule.start.device):
        present, latents = denoise(unet, rows, schedule, recipe, leave_in_the_middle(3))
    assert present == [0, 2]
    return latents


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_loop_never_waits_for_the_device(adapted_unet: Any, recipe: Recipe) -> None:
    """On the meta device there are no numbers to read back: who asks for one is refused."""
    meta = Device(torch.device("meta"), torch.float32, CPU.attention)
    latents = denoise_watched(adapted_unet.to("meta"), *prepare(recipe, meta), recipe)
    assert latents.shape == (2, 4, 16, 24)
    with pytest.raises(RuntimeError, match="meta"):
        bool(latents.any())


def test_the_watch_would_notice() -> None:
    meta = torch.device("meta")
    with Watch(meta), pytest.raises(AssertionError, match="cpu"):
        torch.zeros(3, device="meta")[torch.tensor([0, 2])]


@pytest.mark.gpu
@pytest.mark.filterwarnings("default")  # torch warns that its way of finding waits is not finished
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_card_is_never_waited_for(tmp_path: Path, recipe: Recipe) -> None:
    device = choose_device()
    unet = make_unet().to(device.dtype)
    load_few_step(unet, write_lora(tmp_path))
    device.settle(unet)
    rows, schedule = prepare(recipe, device)
    with device.working():
        denoise_watched(unet, rows, schedule, recipe)  # what libraries set up once may wait
        torch.cuda.set_sync_debug_mode("error")
        try:
            denoise_watched(unet, rows, schedule, recipe)
        finally:
            torch.cuda.set_sync_debug_mode("default")

"""The loop, with a model small enough to read."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from pipelines.errors import JobCancelled
from pipelines.geometry import Size
from pipelines.models.audience import Audience
from pipelines.models.device import CPU, Device
from pipelines.models.sdxl.denoise import Row, denoise, make_noise, tell_sizes
from pipelines.models.sdxl.prompt import Words
from pipelines.models.sdxl.recipe import Recipe
from pipelines.models.sdxl.schedule import Spacing, Training, make_schedule
from tests.pipelines.models.sdxl.replica import SCHEDULER, WORDS, make_unet
from tests.pipelines.models.sdxl.scenes import ignore, nobody


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
    training = Training.from_config(SCHEDULER)
    schedule = make_schedule(training, recipe.steps, recipe.spacing, CPU)
    ear: Any = Ear()
    _, latents = denoise(ear, [row], schedule, recipe, Audience([tick]))
    return latents, ear


def make_row(*, hold: float = 0.0, tint: float = 0.0) -> Row:
    words = Words(torch.zeros(77, 8), torch.zeros(4))
    return Row(
        noise=make_noise(5, (4, 16, 24)),
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
    training = Training.from_config(SCHEDULER)
    sigma = make_schedule(training, 4, Spacing.TRAILING, CPU).sigmas[2]
    expected = 3.0 + sigma * make_noise(5, (1, 4, 16, 24))
    torch.testing.assert_close(latents, expected)


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
    recipe, training = Recipe(steps=4, guidance=1.0), Training.from_config(SCHEDULER)
    schedule = make_schedule(training, 4, Spacing.TRAILING, CPU)

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


def test_the_loop_never_waits_for_the_device() -> None:
    """On the meta device there are no numbers to read back: who asks for one is refused."""
    meta = Device(torch.device("meta"), torch.float32, CPU.attention)
    training, recipe = Training.from_config(SCHEDULER), Recipe(3, 4.0, interval=(0.0, 0.5))
    schedule = make_schedule(training, 3, Spacing.TRAILING, meta)
    words = Words(torch.zeros(77, 2 * WORDS, device="meta"), torch.zeros(WORDS, device="meta"))
    plain = make_row(hold=0.5)
    row = Row(
        prompt=words,
        negative=words,
        noise=meta.upload(plain.noise),
        sizes=meta.upload(plain.sizes),
        masked=meta.upload(plain.masked),
        mask=meta.upload(plain.mask),
        hold=meta.upload(plain.hold),
        tint=meta.upload(plain.tint),
    )
    with torch.device("meta"):
        unet = make_unet()
    with torch.inference_mode():
        _, latents = denoise(unet, [row], schedule, recipe, nobody())
    assert latents.shape == (1, 4, 16, 24)
    with pytest.raises(RuntimeError, match="meta"):
        bool(latents.any())

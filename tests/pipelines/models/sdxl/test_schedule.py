"""The tables along the noise levels."""

import math

import pytest
import torch
from diffusers import EulerDiscreteScheduler, LCMScheduler
from hypothesis import given, strategies as st

from pipelines.errors import ModelError
from pipelines.models.device import CPU
from pipelines.models.sdxl.recipe import Recipe, Sampler, Spacing
from pipelines.models.sdxl.schedule import LESSONS, Schedule, Training, make_schedule
from tests.pipelines.models.sdxl.replica import SCHEDULER

SDXL = Training.from_config(SCHEDULER)


def make(steps: int, spacing: Spacing = Spacing.TRAILING, strength: float = 1.0) -> Schedule:
    return make_schedule(SDXL, Recipe(steps, 1.0, spacing=spacing, strength=strength), CPU)


def make_consistent(steps: int, strength: float = 1.0) -> Schedule:
    recipe = Recipe(steps, 1.0, sampler=Sampler.CONSISTENCY, strength=strength)
    return make_schedule(SDXL, recipe, CPU)


# the library's scheduler lets numpy 2 copy a tensor in the old way
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("spacing", list(Spacing))
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 8, 20, 30, 41, 999])
def test_the_tables_are_the_librarys(steps: int, spacing: Spacing) -> None:
    theirs = EulerDiscreteScheduler.from_config(SCHEDULER, timestep_spacing=spacing.value)
    theirs.set_timesteps(steps)
    ours = make(steps, spacing)
    assert torch.equal(ours.timesteps, theirs.timesteps)
    torch.testing.assert_close(ours.sigmas, theirs.sigmas)
    assert float(ours.start) == pytest.approx(float(theirs.init_noise_sigma), rel=1e-6)


@pytest.mark.parametrize("steps", range(1, LESSONS + 1))
def test_consistency_visits_the_librarys_time_steps(steps: int) -> None:
    theirs = LCMScheduler.from_config(SCHEDULER)
    theirs.set_timesteps(steps)
    ours = make_consistent(steps)
    assert ours.timesteps.tolist() == theirs.timesteps.tolist()
    kept = theirs.alphas_cumprod[theirs.timesteps]
    torch.testing.assert_close(ours.sigmas[:-1], ((1 - kept) / kept).sqrt())


def test_consistency_trusts_what_it_is_shown_as_much_as_the_library_does() -> None:
    """A trace of it, and only at the lowest noise."""
    theirs, ours = LCMScheduler.from_config(SCHEDULER), make_consistent(LESSONS)
    theirs.set_timesteps(LESSONS)
    shown, seen = theirs.get_scalings_for_boundary_condition_discrete(theirs.timesteps.double())
    kept = theirs.alphas_cumprod[theirs.timesteps]
    torch.testing.assert_close(ours.keeps.double(), seen + shown * kept.sqrt(), atol=1e-7, rtol=0)
    torch.testing.assert_close(ours.strides.double(), -seen * ((1 - kept) / kept).sqrt())
    assert abs(float(ours.keeps[-1]) - 1) > 2e-6
    assert abs(float(ours.keeps[0]) - 1) < 1e-7


@given(st.integers(1, 999), st.sampled_from(Spacing))
def test_noise_falls_to_nothing(steps: int, spacing: Spacing) -> None:
    schedule = make(steps, spacing)
    assert len(schedule) == len(schedule.scales) == len(schedule.strides) == steps
    assert bool((schedule.strides < 0).all())
    assert float(schedule.sigmas[-1]) == 0
    assert float(schedule.sigmas[0] + schedule.strides.sum()) == pytest.approx(0, abs=1e-4)


@given(st.integers(1, 60), st.floats(0.02, 1), st.sampled_from(Sampler), st.floats(-3, 3))
def test_a_step_takes_a_true_picture_in_noise_to_the_same_in_less(
    steps: int, strength: float, sampler: Sampler, picture: float
) -> None:
    """With the noise that it is in seen exactly, and as much of the fresh one put back."""
    recipe = Recipe(min(steps, LESSONS), 1.0, strength=strength, sampler=sampler)
    schedule = make_schedule(SDXL, recipe, CPU)
    noise, fresh = 0.7, 0.7 if sampler is Sampler.EULER else -1.3
    before = picture + schedule.sigmas[:-1] * noise
    after = schedule.keeps * before + schedule.strides * noise + schedule.spreads * fresh
    # of what it was shown, a consistent model keeps a trace, the larger the less noise there is
    trace = 2e-4 if sampler is Sampler.CONSISTENCY else 1e-4
    assert (after - (picture + schedule.sigmas[1:] * fresh)).abs().max() < trace


@given(st.integers(1, 999))
def test_trailing_begins_in_the_deepest_noise_however_few_the_steps(steps: int) -> None:
    schedule = make(steps)
    assert float(schedule.timesteps[0]) == 999
    assert float(schedule.sigmas[0]) == pytest.approx(14.6146, rel=1e-4)


def test_leading_begins_the_later_the_fewer_the_steps() -> None:
    begins = [float(make(steps, Spacing.LEADING).sigmas[0]) for steps in (20, 8)]
    assert begins == pytest.approx([11.0, 7.4], rel=0.01)


@given(st.integers(1, 200), st.floats(0, 1, exclude_max=True), st.sampled_from(Spacing))
def test_less_strength_leaves_out_the_first_steps_and_nothing_else(
    steps: int, strength: float, spacing: Spacing
) -> None:
    whole, part = make(steps, spacing), make(steps, spacing, strength)
    taken = max(1, math.floor(steps * strength))
    assert len(part) == taken
    for name in ("timesteps", "sigmas", "scales", "keeps", "strides", "spreads"):
        ours, theirs = getattr(part, name), getattr(whole, name)
        assert torch.equal(ours, theirs[steps - taken :])
    assert float(part.start) == float(part.sigmas[0])


@pytest.mark.parametrize(
    ("key", "value"), [("prediction_type", "v_prediction"), ("beta_schedule", "linear")]
)
def test_a_model_trained_otherwise_is_refused(key: str, value: str) -> None:
    with pytest.raises(ModelError, match=value):
        Training.from_config({**SCHEDULER, key: value})

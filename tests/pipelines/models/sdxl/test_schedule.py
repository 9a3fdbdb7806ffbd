"""The tables along the noise levels."""

import pytest
import torch
from diffusers import EulerDiscreteScheduler
from hypothesis import given, strategies as st

from pipelines.errors import ModelError
from pipelines.models.device import CPU
from pipelines.models.sdxl.schedule import Schedule, Spacing, Training, make_schedule
from tests.pipelines.models.sdxl.replica import SCHEDULER

SDXL = Training.from_config(SCHEDULER)


def make(steps: int, spacing: Spacing) -> Schedule:
    return make_schedule(SDXL, steps, spacing, CPU)


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


@given(st.integers(1, 999), st.sampled_from(Spacing))
def test_noise_falls_to_nothing(steps: int, spacing: Spacing) -> None:
    schedule = make(steps, spacing)
    assert len(schedule) == len(schedule.scales) == len(schedule.strides) == steps
    assert bool((schedule.strides < 0).all())
    assert float(schedule.sigmas[-1]) == 0
    assert float(schedule.sigmas[0] + schedule.strides.sum()) == pytest.approx(0, abs=1e-4)


@given(st.integers(1, 999))
def test_trailing_begins_in_the_deepest_noise_however_few_the_steps(steps: int) -> None:
    schedule = make(steps, Spacing.TRAILING)
    assert float(schedule.timesteps[0]) == 999
    assert float(schedule.sigmas[0]) == pytest.approx(14.6146, rel=1e-4)


def test_leading_begins_the_later_the_fewer_the_steps() -> None:
    begins = [float(make(steps, Spacing.LEADING).sigmas[0]) for steps in (20, 8)]
    assert begins == pytest.approx([11.0, 7.4], rel=0.01)


@pytest.mark.parametrize(
    ("key", "value"), [("prediction_type", "v_prediction"), ("beta_schedule", "linear")]
)
def test_a_model_trained_otherwise_is_refused(key: str, value: str) -> None:
    with pytest.raises(ModelError, match=value):
        Training.from_config({**SCHEDULER, key: value})

"""Where models run, and how torch's failures leave the room."""

import weakref

import pytest
import torch

from pipelines.errors import ModelError
from pipelines.models.device import CPU, choose_device


def test_without_a_card_the_processor_works_in_full_precision() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a card")
    assert choose_device() == CPU
    assert choose_device().dtype is torch.float32


def test_nothing_is_remembered_for_gradients() -> None:
    with CPU.working():
        assert torch.is_inference_mode_enabled()
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("failure", [torch.OutOfMemoryError, torch.AcceleratorError])
def test_a_failing_device_is_our_error_with_its_cause(failure: type[Exception]) -> None:
    with pytest.raises(ModelError, match="cpu") as caught, CPU.working():
        raise failure
    assert isinstance(caught.value.__cause__, failure)


def test_what_an_abandoned_job_held_is_free_again() -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def work() -> None:
        latents = torch.zeros(4)
        held.append(weakref.ref(latents))
        raise torch.OutOfMemoryError

    with pytest.raises(ModelError) as caught, CPU.working():
        work()
    assert caught.value.__cause__ is not None
    assert held[0]() is None


def test_what_others_raise_passes_through() -> None:
    with pytest.raises(KeyError), CPU.working():
        raise KeyError

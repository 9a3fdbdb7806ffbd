"""Where models run, and how torch's failures leave the room."""

import weakref
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend

from pipelines.errors import DeviceFailed, EngineUnavailable, ModelError, OutOfMemory
from pipelines.models.device import CPU, choose_attention, choose_device, suit_card

MORE_THAN_THERE_IS = 1 << 60


def test_without_a_card_the_processor_works_in_full_precision() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a card")
    assert choose_device() == CPU
    assert choose_device().dtype is torch.float32
    assert choose_device().memory is None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_card_knows_its_memory() -> None:
    memory = choose_device().memory
    assert memory is not None
    assert memory > torch.cuda.memory_allocated()


def test_nothing_is_remembered_for_gradients() -> None:
    with CPU.working():
        assert torch.is_inference_mode_enabled()
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("failure", [torch.OutOfMemoryError, torch.AcceleratorError])
def test_a_failing_device_is_our_error_with_its_cause(failure: type[Exception]) -> None:
    with pytest.raises(ModelError, match="cpu") as caught, CPU.working():
        raise failure
    assert isinstance(caught.value.__cause__, failure)


@pytest.mark.parametrize(
    "failure",
    [
        torch.OutOfMemoryError(),
        torch.AcceleratorError("CUDA error: out of memory"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        MemoryError(),
    ],
    ids=repr,
)
def test_memory_that_ran_out_is_told_from_a_device_that_failed(failure: Exception) -> None:
    with pytest.raises(OutOfMemory), CPU.working():
        raise failure


def test_the_host_runs_out_of_memory_like_a_card() -> None:
    with pytest.raises(OutOfMemory), CPU.working():
        torch.empty(MORE_THAN_THERE_IS)


def test_a_device_that_failed_is_told_from_a_job_that_did() -> None:
    words = "CUDA error: an illegal memory access was encountered"
    with pytest.raises(DeviceFailed, match="started anew"), CPU.working():
        raise torch.AcceleratorError(words)


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


@pytest.mark.parametrize("error", [KeyError(), RuntimeError("shapes do not match")], ids=repr)
def test_what_others_raise_passes_through(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, CPU.working():
        raise error
    assert caught.value is error


def test_a_settled_model_only_infers() -> None:
    for device in (CPU, CPU.in_turns()):
        model = device.settle(nn.Linear(2, 2))
        assert not model.training
        assert not any(weight.requires_grad for weight in model.parameters())


def test_models_settle_side_by_side_or_in_turns() -> None:
    first, second = (CPU.settle(nn.Linear(2, 2)) for _ in range(2))
    assert CPU.turns is None
    device = CPU.in_turns()
    assert device.turns is not None
    first, second = (device.settle(nn.Linear(2, 2)) for _ in range(2))
    for model in (first, second, first):
        model(torch.zeros(1, 2))
        assert device.turns.present is model


def test_a_card_paints_as_published_and_describes_as_published() -> None:
    for capability in ((8, 0), (8, 9), (12, 0)):
        card = suit_card(capability, None, 24 << 30)
        assert (card.dtype, card.wide) == (torch.float16, torch.bfloat16)
        assert card.hardware.type == "cuda"
        assert card.memory == 24 << 30


def test_a_card_without_the_describers_numbers_is_refused() -> None:
    with pytest.raises(EngineUnavailable, match=r"8\.0; this one has 7\.5.*preview") as caught:
        suit_card((7, 5), 91900, 16 << 30)
    assert not caught.value.retryable


def test_cudnn_comes_first_only_where_it_is_fastest_and_right() -> None:
    others = (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH)
    assert choose_attention(9, 91900) == (SDPBackend.CUDNN_ATTENTION, *others)
    assert choose_attention(10, 91501) == (SDPBackend.CUDNN_ATTENTION, *others)
    for generation, cudnn in ((9, 91500), (9, None), (8, 91900), (12, 91900)):
        assert choose_attention(generation, cudnn) == others


def test_sequences_of_any_length_are_not_planned_for() -> None:
    card = replace(CPU, attention=choose_attention(9, 91900))
    assert card.for_any_length().attention == choose_attention(8, None)
    assert suit_card((9, 0), 91900, 80 << 30).attention == card.attention
    assert CPU.for_any_length() == CPU

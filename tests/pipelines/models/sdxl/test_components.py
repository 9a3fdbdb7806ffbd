"""Loading a model from its folder, and refusing what is not one."""

import json
import shutil
import socket
from pathlib import Path

import pytest
import torch

from pipelines.errors import ModelError, WeightsMissing
from pipelines.models.device import CPU, Device
from pipelines.models.sdxl.components import TEXTS, WEIGHTS, load_components


@pytest.fixture
def copy(replica: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(replica, tmp_path / "copy"))


def test_the_parts_are_whole_frozen_and_know_their_sizes(replica: Path) -> None:
    components = load_components(replica, CPU)
    assert components.cell == 8
    assert components.native == 128
    assert components.empty_is_zero
    models = (components.unet, components.vae, *components.text_encoders)
    for model in models:
        assert not model.training
        assert not any(weight.requires_grad for weight in model.parameters())


@pytest.mark.parametrize("name", [*TEXTS, "unet/diffusion_pytorch_model.safetensors"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(WeightsMissing, match=name):
        load_components(copy, CPU)


@pytest.mark.parametrize("folder", WEIGHTS)
def test_a_torn_file_is_refused(copy: Path, folder: str) -> None:
    path = copy / folder / f"{WEIGHTS[folder]}.safetensors"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ModelError, match="damaged"):
        load_components(copy, CPU)


@pytest.mark.parametrize("folder", ["unet", "text_encoder_2"])
def test_weights_are_never_invented(copy: Path, replica: Path, folder: str) -> None:
    """A file of another model leaves gaps that the libraries would fill with random numbers."""
    other = {"unet": "vae", "text_encoder_2": "text_encoder"}[folder]
    source = replica / other / f"{WEIGHTS[other]}.safetensors"
    shutil.copy(source, copy / folder / f"{WEIGHTS[folder]}.safetensors")
    with pytest.raises(ModelError):
        load_components(copy, CPU)


def test_a_model_that_cannot_inpaint_is_refused(copy: Path, replica: Path) -> None:
    path = copy / "unet/config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "in_channels": 4}))
    with pytest.raises(ModelError):
        load_components(copy, CPU)


def test_pickled_weights_are_not_even_looked_at(copy: Path) -> None:
    path = copy / "unet/diffusion_pytorch_model.safetensors"
    path.rename(path.with_suffix(".bin"))
    with pytest.raises(WeightsMissing):
        load_components(copy, CPU)


def test_half_precision_files_are_found_as_published(copy: Path) -> None:
    half = Device(CPU.hardware, torch.float16, CPU.attention)
    loaded = load_components(copy, half)
    models = (loaded.unet, loaded.vae, *loaded.text_encoders)
    for folder, model in zip(WEIGHTS, models, strict=True):
        (copy / folder / f"{WEIGHTS[folder]}.safetensors").unlink()
        model.save_pretrained(copy / folder, variant="fp16", safe_serialization=True)
        assert (copy / folder / f"{WEIGHTS[folder]}.fp16.safetensors").is_file()
    again = load_components(copy, half)
    assert again.unet.dtype == again.vae.dtype == torch.float16
    theirs, ours = loaded.unet.state_dict(), again.unet.state_dict()
    assert all(torch.equal(theirs[name], ours[name]) for name in theirs)


def test_a_vae_that_overflows_in_half_precision_stays_in_full(copy: Path) -> None:
    path = copy / "vae/config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "force_upcast": True}))
    loaded = load_components(copy, Device(CPU.hardware, torch.float16, CPU.attention))
    assert loaded.vae.dtype == torch.float32
    assert loaded.unet.dtype == torch.float16


def test_loading_asks_nobody_on_the_network(replica: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    load_components(replica, CPU)


def test_loading_is_silent(replica: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_components(replica, CPU)
    assert capfd.readouterr() == ("", "")

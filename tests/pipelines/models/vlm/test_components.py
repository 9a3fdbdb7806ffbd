"""Loading the model from its folder, and refusing what is not one."""

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from pipelines.errors import ModelError, WeightsMissing
from pipelines.models.device import CPU
from pipelines.models.vlm.components import INDEX, TEXTS, WEIGHTS, Vlm, load_vlm
from tests.pipelines.models.vlm.replica import write_vlm_replica


@pytest.fixture
def copy(vlm_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(vlm_folder, tmp_path / "copy"))


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def list_shards(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def test_the_model_is_whole_frozen_and_knows_its_sizes(vlm: Vlm) -> None:
    assert vlm.cell == 32
    assert vlm.vocabulary == 320
    assert not vlm.model.training
    assert not any(weight.requires_grad for weight in vlm.model.parameters())
    assert {weight.dtype for weight in vlm.model.parameters()} == {torch.float32}


def test_answers_are_never_drawn_by_chance(vlm: Vlm) -> None:
    settings = vlm.model.generation_config
    assert not settings.do_sample
    assert settings.temperature is settings.top_p is settings.top_k is None
    assert vlm.tokenizer.convert_ids_to_tokens(vlm.ends) == ["<|im_end|>", "<|endoftext|>"]


def test_no_picture_becomes_more_tokens_than_the_model_should_read(vlm: Vlm) -> None:
    """As published it would be 3844."""
    seen = vlm.image_processor(images=[Image.new("RGB", (2000, 2000))], return_tensors="pt")
    assert seen["image_grid_thw"].prod() // 4 == 35 * 35


def test_one_file_and_shards_hold_the_same(vlm: Vlm, vlm_folder: Path, tmp_path: Path) -> None:
    assert len(list_shards(vlm_folder)) > 2
    whole = write_vlm_replica(tmp_path / "whole", shard="1GB")
    assert [path.name for path in list_shards(whole)] == [WEIGHTS]
    theirs, ours = vlm.model.state_dict(), load_vlm(whole, CPU).model.state_dict()
    assert all(torch.equal(theirs[name], ours[name]) for name in theirs)


@pytest.mark.parametrize("name", TEXTS)
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(WeightsMissing, match=name):
        load_vlm(copy, CPU)


def test_a_missing_shard_is_named(copy: Path) -> None:
    shard = list_shards(copy)[1]
    shard.unlink()
    with pytest.raises(WeightsMissing, match=shard.name):
        load_vlm(copy, CPU)


def test_without_an_index_one_file_is_expected(copy: Path) -> None:
    (copy / INDEX).unlink()
    with pytest.raises(WeightsMissing, match=f"^{WEIGHTS} is missing"):
        load_vlm(copy, CPU)


def test_pickled_weights_are_not_even_looked_at(tmp_path: Path) -> None:
    folder = write_vlm_replica(tmp_path / "whole", shard="1GB")
    (folder / WEIGHTS).rename(folder / "pytorch_model.bin")
    with pytest.raises(WeightsMissing):
        load_vlm(folder, CPU)


def test_a_torn_shard_is_refused(copy: Path) -> None:
    shard = list_shards(copy)[1]
    shard.write_bytes(shard.read_bytes()[:5000])
    with pytest.raises(ModelError, match="damaged"):
        load_vlm(copy, CPU)


@pytest.mark.parametrize("name", [*TEXTS, INDEX])
@pytest.mark.parametrize("content", ["", '{"model_type": "qwen', "[]"])
def test_a_torn_text_is_refused(copy: Path, name: str, content: str) -> None:
    (copy / name).write_text(content)
    with pytest.raises(ModelError, match="damaged"):
        load_vlm(copy, CPU)


def test_a_config_of_nonsense_is_refused(copy: Path) -> None:
    change(copy / "config.json", text_config={"hidden_size": "wide"})
    with pytest.raises(ModelError, match="damaged"):
        load_vlm(copy, CPU)


def test_weights_are_never_invented(copy: Path) -> None:
    """The library would fill what a file lacks with random numbers."""
    shard = list_shards(copy)[1]
    weights = load_file(shard)
    lost = next(iter(weights))
    save_file({name: weights[name] for name in weights if name != lost}, shard, {"format": "pt"})
    places = json.loads((copy / INDEX).read_text())["weight_map"]
    change(copy / INDEX, weight_map={name: places[name] for name in places if name != lost})
    with pytest.raises(ModelError, match="lack"):
        load_vlm(copy, CPU)


def test_a_model_of_another_kind_is_refused(copy: Path) -> None:
    change(copy / "config.json", model_type="qwen2_vl")
    with pytest.raises(ModelError, match="qwen2_vl"):
        load_vlm(copy, CPU)


def test_pictures_cut_for_another_model_are_refused(copy: Path) -> None:
    change(copy / "preprocessor_config.json", patch_size=14)
    with pytest.raises(ModelError, match="belong together"):
        load_vlm(copy, CPU)


def test_loading_asks_nobody_and_says_nothing(
    vlm_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    load_vlm(vlm_folder, CPU)
    assert capfd.readouterr() == ("", "")

"""The classifier: loaded as published, it rates by name of label and misses no corner."""

import json
import shutil
import socket
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import ViTForImageClassification, ViTImageProcessorPil

from pipelines.errors import JobCancelled, ModelError, WeightsMissing
from pipelines.geometry import Box, Size
from pipelines.models.audience import Audience
from pipelines.models.device import CPU, Device
from pipelines.models.nsfw import FILES, MOST_PIECES, NsfwClassifier, choose_views, load_nsfw
from tests.drawings import draw_coordinates, draw_meadow
from tests.pipelines.models.nsfw_replica import SIDE, edit_json, write_nsfw_replica
from tests.pipelines.models.sdxl.scenes import count_calls, ignore, nobody

PICTURES = [draw_meadow(90, 60), draw_coordinates(50, 70), draw_meadow(300, 60, seed=3)]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_nsfw_replica(tmp_path_factory.mktemp("nsfw"))


@pytest.fixture(scope="module")
def rate(published: Path) -> NsfwClassifier:
    return load_nsfw(published, CPU)


@pytest.fixture
def copy(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "copy"))


def draw_noise(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(width)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))


def leave(fraction: float) -> None:
    raise JobCancelled


def test_a_rating_is_what_the_library_itself_would_say(
    published: Path, rate: NsfwClassifier
) -> None:
    model = ViTForImageClassification.from_pretrained(published).eval()
    prepare = ViTImageProcessorPil.from_pretrained(published)
    ratings = []
    for picture in (draw_meadow(90, 60), draw_coordinates(50, 70), draw_noise(32, 32)):
        with torch.inference_mode():
            theirs = model(**prepare(picture, return_tensors="pt")).logits.softmax(-1)[0, 1]
        ratings.append(rate(picture))
        assert ratings[-1] == pytest.approx(theirs.item(), abs=1e-6)
    assert max(ratings) - min(ratings) > 0.01  # the replica does tell pictures apart


def test_the_label_is_found_by_its_name(copy: Path, rate: NsfwClassifier) -> None:
    edit_json(copy / "config.json", {"id2label": {"0": "nsfw", "1": "normal"}})
    picture = draw_meadow(90, 60)
    assert load_nsfw(copy, CPU)(picture) == pytest.approx(1 - rate(picture), abs=1e-6)


def test_more_labels_than_two_are_understood(tmp_path: Path) -> None:
    folder = write_nsfw_replica(tmp_path, labels=("drawing", "nsfw", "normal"))
    assert 0 < load_nsfw(folder, CPU)(draw_meadow(90, 60)) < 1


@pytest.mark.parametrize(
    "labels",
    [{"0": "normal", "1": "naked"}, {"0": "nsfw", "1": "nsfw"}, {"0": "normal", "7": "nsfw"}],
)
def test_without_a_label_of_that_name_nothing_is_loaded(copy: Path, labels: dict[str, str]) -> None:
    edit_json(copy / "config.json", {"id2label": labels})
    with pytest.raises(ModelError, match="labels"):
        load_nsfw(copy, CPU)


def test_a_model_with_nothing_to_choose_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="labels"):
        load_nsfw(write_nsfw_replica(tmp_path, labels=("nsfw",)), CPU)


def test_together_each_is_rated_as_alone(rate: NsfwClassifier) -> None:
    alone = [rate(picture) for picture in PICTURES]
    for thrifty in (False, True):
        together = rate.rate_all(PICTURES, nobody(len(PICTURES)), thrifty=thrifty)
        assert list(together) == [0, 1, 2]
        assert list(together.values()) == pytest.approx(alone, abs=1e-6)


def test_a_picture_is_rated_as_the_worst_of_its_views(rate: NsfwClassifier) -> None:
    for picture in PICTURES:
        views = list(rate.look(picture))
        assert {(view.mode, view.size) for view in views} == {("RGB", (SIDE, SIDE))}
        assert rate(picture) == pytest.approx(max(map(rate, views)), abs=1e-6)


def test_thrift_takes_one_view_after_the_other(rate: NsfwClassifier) -> None:
    views = sum(len(choose_views(Size(*picture.size))) for picture in PICTURES)
    for thrifty, expected in ((False, [views]), (True, [1] * views)):
        with count_calls(rate._model) as shapes:
            rate.rate_all(PICTURES, nobody(len(PICTURES)), thrifty=thrifty)
        assert [rows for rows, *_ in shapes] == expected


def test_who_leaves_gets_no_rating_and_costs_nothing(rate: NsfwClassifier) -> None:
    audience = Audience([leave, ignore])
    with count_calls(rate._model) as shapes:
        ratings = rate.rate_all(PICTURES[:2], audience)
    assert list(ratings) == [1]
    assert isinstance(audience.left[0], JobCancelled)
    assert shapes == [(1, 3, SIDE, SIDE)]


def test_who_leaves_late_gets_no_rating_either(rate: NsfwClassifier) -> None:
    def leave_late(fraction: float) -> None:
        if fraction > 0:
            raise JobCancelled

    assert list(rate.rate_all(PICTURES[:2], Audience([ignore, leave_late]))) == [0]


def test_nobody_left_is_no_error(rate: NsfwClassifier) -> None:
    assert rate.rate_all(PICTURES, Audience([leave] * 3)) == {}


@pytest.mark.parametrize("size", [Size(400, 100), Size(100, 400)])
def test_a_long_picture_is_as_unsafe_as_its_worst_square(rate: NsfwClassifier, size: Size) -> None:
    picture = Image.new("RGB", size, "white")
    picture.paste("red", (0, 0, 100, 100))
    squeezed, *squares = (
        rate(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR, view))
        for view in choose_views(size)
    )
    assert max(squares) > squeezed + 0.1  # looking once would have missed it
    assert rate(picture) == pytest.approx(max(squares), abs=1e-6)


@pytest.mark.parametrize(
    "size",
    [Size(100, 100), Size(200, 100), Size(201, 100), Size(97, 1067), Size(2, 9001), Size(1, 1)],
)
def test_views_cover_everything_twice_and_stay_few(size: Size) -> None:
    whole, *squares = choose_views(size)
    assert whole == Box(0, 0, *size)
    assert bool(squares) == (size.long_side > 2 * size.short_side)
    assert len(squares) <= MOST_PIECES
    wide = size.width > size.height
    spans = [(box.left, box.right) if wide else (box.top, box.bottom) for box in squares]
    assert all(box.inside(Box(0, 0, *size), across=0) for box in squares)
    assert all(end - start >= size.short_side - 1e-6 for start, end in spans)
    for (start, end), (following, _) in pairwise(spans):
        assert end - following >= (end - start) / 2 - 1e-6
        assert spans[0][0] == 0
        assert spans[-1][1] == pytest.approx(size.long_side)


def test_the_longest_output_is_looked_at_in_true_squares() -> None:
    squares = choose_views(Size(1100, 100))[1:]
    assert len(squares) == MOST_PIECES
    assert {round(square.width, 6) for square in squares} == {100}


def test_what_cannot_be_seen_is_not_rated(rate: NsfwClassifier) -> None:
    """Transparent pixels keep their colours in the file, and are shown by nobody."""
    shown = draw_meadow(64, 64)
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (0, 0, 64, 32))
    ratings = []
    for hidden in ("black", "red"):
        picture = Image.new("RGB", (64, 64), hidden)
        picture.paste(shown, mask=mask)
        picture.putalpha(mask)
        ratings.append(rate(picture))
    flat = Image.new("RGB", (64, 64), "white")
    flat.paste(shown, mask=mask)
    assert ratings[0] == ratings[1] == pytest.approx(rate(flat), abs=0.02)
    assert abs(ratings[0] - rate(shown)) > 0.02


def test_half_precision_rates_the_same_but_for_rounding(
    published: Path, rate: NsfwClassifier
) -> None:
    halved = load_nsfw(published, Device(CPU.hardware, torch.float16, CPU.attention))
    assert halved._model.dtype is torch.float16
    assert halved(draw_meadow(90, 60)) == pytest.approx(rate(draw_meadow(90, 60)), abs=0.01)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(WeightsMissing, match=name):
        load_nsfw(copy, CPU)


def test_pickled_weights_are_not_even_looked_at(copy: Path) -> None:
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(WeightsMissing):
        load_nsfw(copy, CPU)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b'{"a":', b"[]", b"\xff\xfe"])
def test_a_damaged_file_is_refused(copy: Path, name: str, content: bytes) -> None:
    (copy / name).write_bytes(content)
    with pytest.raises(ModelError):
        load_nsfw(copy, CPU)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("config.json", {"hidden_size": "wide"}),
        ("config.json", {"num_hidden_layers": 3}),
        ("config.json", {"num_hidden_layers": 1}),
        ("config.json", {"image_size": 64}),
        ("preprocessor_config.json", {"size": {"shortest_edge": SIDE}}),
        ("preprocessor_config.json", {"size": {"height": 64, "width": 64}}),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    copy: Path, name: str, changes: dict[str, object]
) -> None:
    edit_json(copy / name, changes)
    with pytest.raises(ModelError):
        load_nsfw(copy, CPU)


def test_a_model_that_overflows_is_an_error_and_no_verdict(copy: Path) -> None:
    weights = load_file(copy / "model.safetensors")
    weights["classifier.bias"][:] = torch.nan
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="overflowed"):
        load_nsfw(copy, CPU)(draw_meadow(90, 60))


def test_loading_asks_nobody_and_says_nothing(
    published: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    load_nsfw(published, CPU)
    assert capfd.readouterr() == ("", "")


def test_the_model_is_frozen_and_its_names_are_the_published_ones(
    published: Path, rate: NsfwClassifier
) -> None:
    assert not rate._model.training
    assert not any(weight.requires_grad for weight in rate._model.parameters())
    names = set(load_file(published / "model.safetensors"))
    assert "vit.encoder.layer.0.attention.attention.query.weight" in names
    assert json.loads((published / "config.json").read_text())["model_type"] == "vit"

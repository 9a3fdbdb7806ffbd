"""A classifier that says how likely it is that a picture is not safe for work.

A vision transformer with several labels, one of them ``nsfw``, in its published layout. Only
safetensors are read, nothing is downloaded, and no code comes with the weights.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from PIL import Image
from safetensors import SafetensorError
from transformers import ViTForImageClassification, ViTImageProcessorPil

from pipelines.errors import ModelError, WeightsMissing
from pipelines.geometry import UNIT, Box, Size
from pipelines.models.audience import Audience
from pipelines.models.device import Device
from pipelines.models.quiet import quietly

LABEL = "nsfw"

FILES = ("config.json", "preprocessor_config.json", "model.safetensors")

DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    SafetensorError,
    StrictDataclassError,
)
"""What the libraries raise for files that are damaged."""

LONG = 2.0
"""Beyond this ratio little can be recognized in a picture squeezed into a square."""

MOST_PIECES = 21
"""Squares along 11:1, the longest output; what is longer is cut into longer pieces."""

ROWS = 32
"""Views that go through the model at once."""


class NsfwClassifier:
    """Rates pictures, alone or together; from several threads unless models take turns."""

    def __init__(self, model: Any, prepare: Any, device: Device) -> None:
        """Share a model on the device, and what turns pictures into its input.

        Raises:
            ModelError: they do not fit together, or the model has no label ``nsfw``.
        """
        self._model, self._prepare = model, prepare
        self._device = device.for_any_length()  # views come in batches of any number
        self._label = _find_label(model.config.id2label)
        self._size = Size(prepare.size.width, prepare.size.height)
        side: int = model.config.image_size
        if self._size != (side, side):
            msg = f"preprocessor_config.json has another size than the model's {side}x{side}"
            raise ModelError(msg)

    def __call__(self, picture: Image.Image) -> float:
        """How likely a picture, RGB or RGBA, is not safe for work, 0 to 1.

        Raises:
            ModelError: the device could not do it.
        """
        return self.rate_all([picture], Audience([_listen]))[0]

    def rate_all(
        self, pictures: Sequence[Image.Image], audience: Audience, *, thrifty: bool = False
    ) -> dict[int, float]:
        """Rate pictures together, each as it would be alone but for rounding.

        Returns the ratings by number; those of the audience who left get none. ``thrifty`` takes
        less memory and more time: the model sees one view at a time.

        Raises:
            ModelError: the device could not do it.
        """
        present = audience.tell(0.0)
        views = [(number, view) for number in present for view in self.look(pictures[number])]
        ratings = dict.fromkeys(present, 0.0)
        rows = 1 if thrifty else ROWS
        with self._device.working():
            for start in range(0, len(views), rows):
                batch = views[start : start + rows]
                scores = self._rate([view for _, view in batch])
                for (number, _), score in zip(batch, scores, strict=True):
                    ratings[number] = max(ratings[number], score)
                present = audience.tell((start + len(batch)) / len(views))
        return {number: ratings[number] for number in present}

    def look(self, picture: Image.Image) -> Iterator[Image.Image]:
        """The views of a picture, RGB of the model's size; what is transparent lies on white.

        A view is a picture too: the highest rating among its views is that of the picture. Where
        the models have a thread to themselves, it need not wait for large pictures to shrink.
        """
        for box in choose_views(Size(*picture.size)):
            view = picture.resize(self._size, self._prepare.resample, box)
            if view.mode == "RGBA":
                white = Image.new("RGBA", view.size, "white")
                view = Image.alpha_composite(white, view).convert("RGB")
            yield view

    def _rate(self, views: list[Image.Image]) -> list[float]:
        pixels: torch.Tensor = self._prepare(images=views, return_tensors="pt")["pixel_values"]
        uploaded = self._device.upload(pixels).to(self._model.dtype)  # (B, 3, side, side)
        logits: torch.Tensor = self._model(uploaded).logits  # (B, labels)
        scores: list[float] = logits.float().softmax(-1)[:, self._label].tolist()
        if not all(map(math.isfinite, scores)):
            msg = "the classifier's numbers overflowed"
            raise ModelError(msg)
        return scores


def load_nsfw(folder: Path, device: Device) -> NsfwClassifier:
    """Load everything once; takes seconds.

    Raises:
        WeightsMissing: a file is not there.
        ModelError: a file is damaged, or this is no classifier with a label ``nsfw``.
        OutOfMemory: the model does not fit onto the device.
    """
    for name in FILES:
        if not (folder / name).is_file():
            msg = f"{name} is missing from the classifier's folder"
            raise WeightsMissing(msg)
    try:
        with device.translating(), quietly():
            prepare = ViTImageProcessorPil.from_pretrained(folder, local_files_only=True)
            model, found = ViTForImageClassification.from_pretrained(
                folder,
                dtype=device.dtype,
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
            )
            if any(found.values()):
                msg = "model.safetensors does not hold the weights that config.json asks for"
                raise ModelError(msg)
            model = device.settle(model)
    except DAMAGE as error:
        msg = "the classifier's files are damaged or do not belong together"
        raise ModelError(msg) from error
    return NsfwClassifier(model, prepare, device)


def choose_views(size: Size) -> list[Box]:
    """The whole picture, and beyond 2:1 also squares along its long side; source px.

    Neighbours share half of their length, so that whatever is half as long as the short side is
    whole in one of them.
    """
    whole = Box(0, 0, *size)
    ratio = size.long_side / size.short_side
    if ratio <= LONG:
        return [whole]
    pieces = min(math.ceil(2 * ratio) - 1, MOST_PIECES)
    length = max(1 / ratio, 2 / (pieces + 1))  # as a share of the long side
    starts = [number * (1 - length) / (pieces - 1) for number in range(pieces)]
    if size.width > size.height:
        squares = [Box(start, 0, start + length, 1) for start in starts]
    else:
        squares = [Box(0, start, 1, start + length) for start in starts]
    return [whole, *(square.intersection(UNIT).scaled(*size) for square in squares)]


def _find_label(labels: dict[int, str]) -> int:
    numbers = [number for number in range(len(labels)) if labels.get(number) == LABEL]
    if len(numbers) != 1 or len(labels) == 1:
        names = ", ".join(labels.values())
        msg = f"one of the classifier's labels must be {LABEL}; they are {names}"
        raise ModelError(msg)
    return numbers[0]


def _listen(fraction: float) -> None:
    """Hear how far it is, and stay."""

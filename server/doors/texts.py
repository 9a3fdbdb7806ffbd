"""Ratios and sizes as callers write them, checked where they come in."""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator

from pipelines.errors import InvalidOption
from pipelines.geometry import AspectRatio, Size


def _readable_by(parse: Callable[[str], object]) -> AfterValidator:
    def check(text: str) -> str:
        try:
            parse(text)
        except InvalidOption as error:
            raise ValueError(error.detail) from error
        return text

    return AfterValidator(check)


Ratio = Annotated[str, _readable_by(AspectRatio.parse)]
"""``16:9``, ``1.91:1``."""

SizeText = Annotated[str, _readable_by(Size.parse)]
"""``1080x1350``."""


def _check_text(text: str) -> str:
    if "\0" in text or not text.isprintable():
        msg = "a character that cannot be printed"
        raise ValueError(msg)
    return text


Text = Annotated[str, AfterValidator(_check_text)]
"""One line of text that any database keeps."""

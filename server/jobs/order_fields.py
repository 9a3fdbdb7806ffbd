"""Types of an order's fields: what is checked wherever they are read."""

from typing import Annotated

from pydantic import AfterValidator, Field

from pipelines.composition import SubjectKind
from pipelines.errors import InvalidOption
from pipelines.export.wishes import COLOUR, Extra
from pipelines.fill import Fill
from pipelines.request import check_fallback


def _check_fallback(fill: Fill) -> Fill:
    try:
        return check_fallback(fill)
    except InvalidOption as error:
        raise ValueError(error.detail) from error


def _order_extras(extras: tuple[Extra, ...]) -> tuple[Extra, ...]:
    return tuple(extra for extra in Extra if extra in extras)


def _order_kinds(kinds: tuple[SubjectKind, ...]) -> tuple[SubjectKind, ...]:
    return tuple(kind for kind in SubjectKind if kind in kinds)


Colour = Annotated[str, Field(pattern=COLOUR)]
"""``#rrggbb``."""

Fallback = Annotated[Fill, AfterValidator(_check_fallback)]
"""A fill that needs no engine."""

Extras = Annotated[tuple[Extra, ...], AfterValidator(_order_extras)]
Kinds = Annotated[tuple[SubjectKind, ...], AfterValidator(_order_kinds)]
"""Each once, in the order in which they are always written."""

"""Types of an order's fields: what is checked wherever they are read."""

from typing import Annotated

from pydantic import AfterValidator, Field

from pipelines.composition import SubjectKind
from pipelines.export.wishes import Extra
from pipelines.fill import Fill


def _check_fallback(fill: Fill) -> Fill:
    if not fill.is_drawn:
        names = ", ".join(each for each in Fill if each.is_drawn)
        msg = f"a fallback is one of {names}: it is there where painting was not good enough"
        raise ValueError(msg)
    return fill


def _order_extras(extras: tuple[Extra, ...]) -> tuple[Extra, ...]:
    return tuple(extra for extra in Extra if extra in extras)


def _order_kinds(kinds: tuple[SubjectKind, ...]) -> tuple[SubjectKind, ...]:
    return tuple(kind for kind in SubjectKind if kind in kinds)


Colour = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")]
"""``#rrggbb``."""

Fallback = Annotated[Fill, AfterValidator(_check_fallback)]
"""A fill that needs no engine."""

Extras = Annotated[tuple[Extra, ...], AfterValidator(_order_extras)]
Kinds = Annotated[tuple[SubjectKind, ...], AfterValidator(_order_kinds)]
"""Each once, in the order in which they are always written."""

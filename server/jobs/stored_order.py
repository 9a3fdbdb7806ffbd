"""An order in its row: what older programs can still read, and what newer ones wrote.

Programs of two versions share a database while a house is upgraded, machine by machine. What has
its default is not written, so a new field is in the way of no order that does not use it; a
default, on the other hand, never changes.
"""

from typing import Any, NamedTuple

from pydantic import ValidationError

from server.jobs.order import Order

KIND = "kind"
"""What tells one class of a union from another, and is written in any case."""

NO_TARGET = {KIND: "size", "width": 1, "height": 1}
NOTHING: dict[str, Any] = {"sources": ["unreadable"], "targets": [NO_TARGET], "seed": 0}
"""Stands where an order must have something."""


class Stored(NamedTuple):
    """An order from its row; without ``is_whole``, only as much of it as this program knows."""

    order: Order
    is_whole: bool


def write_order(order: Order) -> dict[str, Any]:
    """Plain JSON values for the row."""
    kept: dict[str, Any] = _with_kinds(
        order.model_dump(mode="json", exclude_defaults=True), order.model_dump(mode="json")
    )
    return kept


def read_order(found: Any) -> Stored:
    """The order in a row, whoever wrote it; raises nothing."""
    try:
        return Stored(Order.model_validate(found), is_whole=True)
    except ValidationError:
        return Stored(_salvage(found if isinstance(found, dict) else {}), is_whole=False)


def _with_kinds(kept: Any, whole: Any) -> Any:
    match kept, whole:
        case dict(), dict():
            kinds = {KIND: whole[KIND]} if KIND in whole else {}
            return {name: _with_kinds(value, whole[name]) for name, value in kept.items()} | kinds
        case list(), list():
            return [_with_kinds(*pair) for pair in zip(kept, whole, strict=True)]
        case _:
            return kept


def _salvage(found: dict[str, Any]) -> Order:
    """Whatever fits, field by field and target by target."""
    kept = Order.model_validate(NOTHING)
    targets = found.get("targets")
    if isinstance(targets, list):
        readable = [target if _fits(target) else NO_TARGET for target in targets]
        found = {**found, "targets": readable}
    for name in found.keys() & Order.model_fields.keys():
        kept = _try({**write_order(kept), name: found[name]}) or kept
    return kept


def _fits(target: Any) -> bool:
    return _try({**NOTHING, "targets": [target]}) is not None


def _try(found: dict[str, Any]) -> Order | None:
    try:
        return Order.model_validate(found)
    except ValidationError:
        return None

"""Requests as one source of several needs them: with its mask, or with the first one's plans."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pipelines.fill import Fill
from pipelines.geometry import Box
from pipelines.plan import Plan
from pipelines.planner import FEATHER
from pipelines.request import ReframeRequest

WIDEST = 8
"""The seam is at most the place's short side divided by this."""


def protect(requests: Iterable[ReframeRequest], boxes: tuple[Box, ...]) -> list[ReframeRequest]:
    """The same, with these boxes of the source kept whole too; in fractions."""
    return [
        replace(request, rules=replace(request.rules, protect=(*request.rules.protect, *boxes)))
        for request in requests
    ]


def follow(
    requests: Sequence[ReframeRequest], records: Sequence[dict[str, Any]]
) -> list[ReframeRequest]:
    """The same, to be carried out as the pictures with these records were."""
    return [
        replace(request, plan=_read_plan(record, request.rules.feather))
        for request, record in zip(requests, records, strict=True)
    ]


def _read_plan(record: dict[str, Any], feather: int | None) -> Plan:
    """The plan with its seam: what the source itself could fill needed none, others may."""
    plan = Plan.from_fields(record["plan"])
    if record.get("fill") in {None, Fill.GENERATE} or feather == 0:
        return plan
    wished = plan.rim + (feather or round(FEATHER * plan.target.long_side))
    return replace(plan, feather=max(plan.feather, min(wished, min(plan.place.size) // WIDEST)))

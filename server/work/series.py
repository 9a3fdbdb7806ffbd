"""Requests as one source of several needs them: with its mask, or with the first one's plans."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pipelines.geometry import Box
from pipelines.plan import Plan
from pipelines.planner import blend
from pipelines.request import ReframeRequest


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
        request if request.plan else replace(request, plan=_read_plan(record, request))
        for request, record in zip(requests, records, strict=True)
    ]


def _read_plan(record: dict[str, Any], request: ReframeRequest) -> Plan:
    """The plan with its seam: what the source itself could fill needed none, others may."""
    return blend(Plan.from_fields(record["plan"]), request.rules.feather)

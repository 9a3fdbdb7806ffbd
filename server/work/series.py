"""Requests as the further sources of a series need them: with the first one's plans."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pipelines.plan import Plan
from pipelines.planner import blend
from pipelines.request import ReframeRequest


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

"""Requests that are made up from the API's own description, and what is wrong with the answers."""

import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.server.api.conftest import Api

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

HONEST = {("GET /readyz", 503), ("POST /fal/run/fal-ai/smart-resize", 504)}
"""What a house without any worker says, and is right: not ready, and not in time."""

HURRY = {"Prefer": "wait=0", "X-Fal-Request-Timeout": "0.05"}
"""Nobody works here: whoever waits for a run waits in vain."""

Case = Any
Operation = Any


@dataclass
class Tally:
    """How many requests were made, and what was wrong: how often, and one example of each."""

    cases: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def note(self, what: str, example: str) -> None:
        self.wrong[what] += 1
        self.examples.setdefault(what, example)

    def __str__(self) -> str:
        lines = [f"{count} x {what}\n{self.examples[what]}" for what, count in self.wrong.items()]
        return "\n".join([f"{self.cases} cases", *lines])


def try_everything(api: Api, cases: int, start: int = 0) -> Tally:
    """Make about so many requests, the same number to each operation; ``start`` is a seed."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", api.app)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    tally, known = Tally(), find_known(api)
    for operation in operations:
        _try_one(api, operation, known, tally, (max(1, cases // len(operations)), start))
    return tally


def find_known(api: Api) -> dict[str, str]:
    """Path parameters that lead somewhere."""
    job_id = str(api.submit()["id"])
    api("POST", f"/v1/runs/{job_id}/cancel")  # so that whoever follows it comes to an end
    upload = {"filename": "a.png", "mime_type": "image/png", "size_bytes": 4}
    announced = api("POST", "/v1/asset-uploads", json=upload).json()
    secret = api("POST", "/v1/callback-secrets", json={}).json()
    return {
        "owner": "local",
        "model": "smart-resize",
        "job_id": job_id,
        "request_id": job_id,
        "prediction": job_id,
        "asset_id": announced["asset_id"],
        "token": announced["upload_url"].rpartition("/")[2],
        "secret_id": secret["id"],
        "platform": "meta",
        "name": "story",
    }


def _try_one(
    api: Api, operation: Operation, known: dict[str, str], tally: Tally, size: tuple[int, int]
) -> None:
    count, start = size

    @seed(start)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(), st.booleans())
    def run(case: Case, leads: bool) -> None:
        if leads:
            for name in (case.path_parameters or {}).keys() & known.keys():
                case.path_parameters[name] = known[name]
        tally.cases += 1
        _judge(api, operation.label, case, tally)

    run()


def _judge(api: Api, label: str, case: Case, tally: Tally) -> None:
    headers = {"Authorization": f"Bearer {api.secret}", "X-Request-Id": str(uuid.uuid4()), **HURRY}
    answer = case.call(headers=headers)
    if (label, answer.status_code) in HONEST:
        return
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as group:
        for failure in group.exceptions:
            what = f"{label}: {type(failure).__name__}, {answer.status_code}"
            tally.note(what, f"{case.as_curl_command()}\n{failure}"[:1500])

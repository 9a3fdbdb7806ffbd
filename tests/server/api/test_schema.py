"""The description of the API is true, and nothing that fits or does not fit it is too much."""

import logging
from pathlib import Path

import pytest
import structlog

from tests.server.api.conftest import open_api
from tests.server.api.schema_cases import try_everything

CASES = 4000


@pytest.mark.slow
def test_every_answer_is_as_the_description_says(tmp_path: Path) -> None:
    api = open_api(tmp_path, max_queue=1_000_000)
    with structlog.testing.capture_logs():
        logging.getLogger("schemathesis").setLevel(logging.ERROR)
        tally = try_everything(api, CASES)
    assert tally.cases > CASES / 2
    assert not tally.wrong, str(tally)

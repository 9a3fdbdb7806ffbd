"""Requests without end, made up from the API's own description: none may break it, or its word.

``python -m benchmarks.requests --cases 100000`` takes an hour or two; the seed is printed, and with
``--seed`` the same requests come again.
"""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

import structlog

from tests.server.api.conftest import open_api
from tests.server.api.schema_cases import try_everything

ROUND = 4000
"""Requests to one server; then comes a fresh one."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    done, rounds = 0, 0
    while done < options.cases:
        with tempfile.TemporaryDirectory() as folder:
            api = open_api(Path(folder), max_queue=1_000_000)
            tally = try_everything(api, min(ROUND, options.cases), options.seed + rounds)
            api.engine.dispose()
        done, rounds = done + tally.cases, rounds + 1
        print(f"{done} requests")
        if tally.wrong:
            print(tally)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

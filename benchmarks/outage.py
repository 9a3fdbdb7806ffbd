"""Take Postgres away while a job is at work and requests come in: ``python -m benchmarks.outage``.

Prints what callers were told and how soon, how often the job was painted, and how much was logged.
"""

import argparse
import tempfile
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from tests.server.jobs.house import Databases, prepared_postgres
from tests.server.work.outages import endure_outage
from tests.server.work.workshop import Workshop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="outage-") as name, prepared_postgres() as server:
        folder = Path(name)
        with closing(Workshop(folder, Databases(folder, server).make(folder))) as workshop:
            tally = endure_outage(workshop, server, away=wishes.seconds)
    for word, value in asdict(tally).items():
        print(f"{word:>12} {value}")


if __name__ == "__main__":
    main()

"""Kill workers at random moments, a thousand times, and count what is lost or double.

``python -m benchmarks.kills --kills 1000``, on SQLite; ``--postgres`` for a real server with two
workers. Ends with 1 if anything was lost or double.
"""

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from server.database.engine import database_url
from server.work.preparation import prepare_database
from tests.server.jobs.house import Databases, prepared_postgres
from tests.server.work.kills import Tally, endure
from tests.server.work.workshop import Workshop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = Path(name)
        if wishes.postgres:
            with prepared_postgres() as server:
                url = Databases(folder, server).make(folder)
                tally = _endure(folder, url, wishes, ("cpu", "cuda:1"))
        else:
            url = database_url(folder, None)
            prepare_database(url)
            tally = _endure(folder, url, wishes, ("cpu",))
    for word, number in asdict(tally).items():
        print(f"{word:>10} {number}")
    sys.exit(not tally.is_clean)


def _endure(folder: Path, url: str, wishes: argparse.Namespace, devices: tuple[str, ...]) -> Tally:
    workshop = Workshop(folder, url)
    try:
        return endure(workshop, kills=wishes.kills, devices=devices, seed=wishes.seed, longest=0.5)
    finally:
        workshop.close()


if __name__ == "__main__":
    main()

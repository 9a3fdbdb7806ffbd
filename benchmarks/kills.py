"""Kill workers at random moments, a thousand times, and count what is lost or double.

``python -m benchmarks.kills --kills 1000``, on SQLite; ``--postgres`` for a real server with two
workers; ``--api`` kills the API while requests come in, instead of workers. Ends with 1 if anything
was lost or double.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

from server.database.engine import database_url
from server.work.preparation import prepare_database
from tests.server.jobs.house import Databases, prepared_postgres
from tests.server.work.api_kills import ApiTally, endure_at_the_door
from tests.server.work.kills import Tally, endure
from tests.server.work.workshop import Workshop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--api", action="store_true")
    wishes = parser.parse_args()
    with _open_workshop(postgres=wishes.postgres) as workshop:
        tally = _endure(workshop, wishes)
    for word, number in asdict(tally).items():
        print(f"{word:>10} {number}")
    sys.exit(not tally.is_clean)


@contextmanager
def _open_workshop(*, postgres: bool) -> Iterator[Workshop]:
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = Path(name)
        if postgres:
            with prepared_postgres() as server:
                url = Databases(folder, server).make(folder)
                with closing(Workshop(folder, url)) as workshop:
                    yield workshop
        else:
            url = database_url(folder, None)
            prepare_database(url)
            with closing(Workshop(folder, url)) as workshop:
                yield workshop


def _endure(workshop: Workshop, wishes: argparse.Namespace) -> Tally | ApiTally:
    if wishes.api:
        return endure_at_the_door(workshop, kills=wishes.kills, seed=wishes.seed)
    devices = ("cpu", "cuda:1") if wishes.postgres else ("cpu",)
    return endure(workshop, kills=wishes.kills, devices=devices, seed=wishes.seed, longest=0.5)


if __name__ == "__main__":
    main()

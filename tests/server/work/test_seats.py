"""One process for each seat, on both kinds of seats."""

import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from server.database.engine import database_url
from server.work.seats import DatabaseSeats, FileSeats, Seats, find_seats, name_worker
from tests.server.jobs.postgres import Postgres
from tests.server.work.small_worker import FORKS


@pytest.fixture(params=["files", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "files":
        return database_url(tmp_path, None)
    server: Postgres = request.getfixturevalue("postgres")
    return database_url(tmp_path, server.url("prepared"))


@pytest.fixture
def seats(url: str, tmp_path: Path) -> Seats:
    return find_seats(url, tmp_path)


def test_a_seat_is_for_one(seats: Seats) -> None:
    seat = seats.take("cpu-1")
    assert seat is not None
    assert seat.confirm()
    assert seats.take("cpu-1") is None
    other = seats.take("cpu-2")
    assert other is not None
    seat.leave()
    again = seats.take("cpu-1")
    assert again is not None
    again.leave()
    other.leave()


def test_the_seat_of_a_process_that_is_killed_is_free(url: str, tmp_path: Path) -> None:
    seats, mark = find_seats(url, tmp_path), tmp_path / "sits"
    process: ForkServerProcess = FORKS.Process(target=sit, args=(url, tmp_path, mark))
    process.start()
    while not mark.exists():
        time.sleep(0.01)
    assert seats.take("cpu-1") is None
    process.kill()
    process.join(30)
    deadline, seat = time.monotonic() + 5, seats.take("cpu-1")
    while seat is None and time.monotonic() < deadline:
        seat = seats.take("cpu-1")
    assert seat is not None
    seat.leave()


def sit(url: str, folder: Path, mark: Path) -> None:
    seat = find_seats(url, folder).take("cpu-1")
    assert seat
    mark.touch()
    time.sleep(60)


def test_a_seat_is_taken_again_when_the_database_is_back(
    postgres: Postgres, tmp_path: Path
) -> None:
    seat = DatabaseSeats(database_url(tmp_path, postgres.url("prepared"))).take("cpu-1")
    assert seat is not None
    postgres.stop()
    for _ in range(2):
        with pytest.raises(DBAPIError):
            seat.confirm()
    postgres.start()
    assert seat.confirm()
    seat.leave()


def test_a_seat_that_somebody_else_took_meanwhile_is_not_ours(
    postgres: Postgres, tmp_path: Path
) -> None:
    seats = DatabaseSeats(database_url(tmp_path, postgres.url("prepared")))
    seat = seats.take("cpu-1")
    assert seat is not None
    seat.leave()
    robber = seats.take("cpu-1")
    assert robber is not None
    assert not seat.confirm()
    robber.leave()
    assert seat.confirm()
    seat.leave()


def test_the_seats_are_where_the_database_is(tmp_path: Path) -> None:
    assert isinstance(find_seats(database_url(tmp_path, None), tmp_path), FileSeats)
    url = "postgresql+psycopg://house@127.0.0.1:1/x"
    assert isinstance(find_seats(url, tmp_path), DatabaseSeats)


def test_a_worker_is_called_the_same_every_time_and_like_no_other(tmp_path: Path) -> None:
    name = name_worker("cuda:GPU-1/2", tmp_path)
    assert name == name_worker("cuda:GPU-1/2", tmp_path / "x" / "..")
    assert name.startswith("cuda-GPU-1-2-")
    others = {name_worker("cuda:1", tmp_path), name_worker("cuda:GPU-1/2", tmp_path / "y")}
    assert name not in others
    assert len(others) == 2

"""One process for each device: whoever holds the seat is alive, and a free seat's worker is not.

The operating system, or PostgreSQL, takes a seat back the moment its process or session ends: no
clock is compared and nothing expires.
"""

import fcntl
import hashlib
import os
import socket
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

TRY = sa.text("SELECT pg_try_advisory_lock(:key)")


class Seat(Protocol):
    """A seat that was taken."""

    def confirm(self) -> bool:
        """Whether it is ours still, or again; False if somebody else has it.

        Raises:
            DBAPIError: the database is away, and the seat may be lost.
        """
        ...

    def leave(self) -> None:
        """Let others have it."""
        ...


class Seats(Protocol):
    """All seats of a house."""

    def take(self, name: str) -> Seat | None:
        """The seat, or None if somebody has it; raises DBAPIError or OSError."""
        ...


class FileSeat:
    """A locked file; the lock ends with its process."""

    def __init__(self, handle: int) -> None:
        """``handle`` is open and locked."""
        self._handle = handle

    def confirm(self) -> bool:
        """See Seat."""
        return True

    def leave(self) -> None:
        """See Seat."""
        os.close(self._handle)


class FileSeats:
    """For one machine: locked files in a folder, which is not on a network."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when it is needed."""
        self._folder = folder

    def take(self, name: str) -> FileSeat | None:
        """See Seats."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return FileSeat(handle)


class DatabaseSeat:
    """An advisory lock of a session of its own."""

    def __init__(self, engine: sa.Engine, key: int) -> None:
        """``confirm`` takes it."""
        self._engine, self._key = engine, key
        self._session: sa.Connection | None = None

    def confirm(self) -> bool:
        """See Seat."""
        try:
            if self._session is None:
                return self._take()
            self._session.execute(sa.text("SELECT 1"))
        except DBAPIError:
            self.leave()
            raise
        return True

    def leave(self) -> None:
        """See Seat."""
        if self._session is not None:
            self._session.invalidate()
            self._session.close()
        self._session = None

    def _take(self) -> bool:
        session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if not session.execute(TRY, {"key": self._key}).scalar():
            session.close()
            return False
        self._session = session
        return True


class DatabaseSeats:
    """For many machines; a pool between this and PostgreSQL must keep sessions whole."""

    def __init__(self, url: str) -> None:
        """Connects when a seat is taken; every seat has a connection of its own."""
        alive = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
        self._engine = sa.create_engine(
            url, poolclass=sa.NullPool, connect_args={"connect_timeout": 3, **alive}
        )

    def take(self, name: str) -> DatabaseSeat | None:
        """See Seats."""
        seat = DatabaseSeat(self._engine, _number(f"smart-resize seat {name}"))
        return seat if seat.confirm() else None


def find_seats(url: str, data: Path) -> Seats:
    """The seats that belong to the database at ``url``."""
    return FileSeats(data / "workers") if url.startswith("sqlite:") else DatabaseSeats(url)


def name_worker(device: str, data: Path) -> str:
    """What the worker for this device of this machine and data folder is called, every time."""
    place = hashlib.sha256(f"{socket.gethostname()}\0{data.resolve()}".encode()).hexdigest()
    plain = "".join(letter if letter.isalnum() else "-" for letter in device)
    return f"{plain}-{place[:12]}"


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)

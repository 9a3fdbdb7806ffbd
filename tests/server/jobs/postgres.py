"""A real PostgreSQL server on loopback, in a folder of its own, that can be stopped and started."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import psycopg

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
OPTIONS = (
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "max_connections=200",
    "autovacuum=off",
    "log_min_messages=fatal",
)


class Postgres:
    """One server with one superuser, ``house``, who needs no password."""

    def __init__(self) -> None:
        """Make the folder and the port; ``start`` runs the server."""
        self._bin = BINARIES[-1].parent
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        # root may not run it
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._folder, self._user)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._data = str(self._folder / "data")
        command = [str(self._bin / "initdb"), "-D", self._data, "-U", "house", "-A", "trust"]
        subprocess.run(
            [*command, "-E", "UTF8", "--no-sync"],
            user=self._user,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Run, and wait until it answers."""
        command = [str(self._bin / "postgres"), "-D", self._data, "-p", str(self.port)]
        for option in (*OPTIONS, f"unix_socket_directories={self._folder}"):
            command += ["-c", option]
        self._process = subprocess.Popen(
            command, user=self._user, cwd=self._folder, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "PostgreSQL does not start"
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End it at once, as if it had fallen over."""
        assert self._process
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(20)

    def url(self, database: str) -> str:
        """Where it is, as an operator writes it."""
        return f"postgresql://house@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, template: str = "template1") -> str:
        """A new database; returns its address."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"'.encode())
        return self.url(database)

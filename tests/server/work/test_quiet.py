"""Noise is kept down, and nothing else."""

import logging

from server.work.quiet import WINDOW, Quiet


def make_record(
    name: str, line: int, message: str = "away: %s", *args: object
) -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "file.py", line, message, args or ("x",), None)


def test_a_library_is_heard_once_in_a_while_from_each_place() -> None:
    now = [0.0]
    quiet = Quiet(lambda: now[0])
    assert quiet.filter(make_record("dbos", 1))
    assert not quiet.filter(make_record("dbos", 1))
    assert not quiet.filter(make_record("dbos", 1))
    assert quiet.filter(make_record("sqlalchemy.pool", 2))
    now[0] = WINDOW
    record = make_record("dbos", 1)
    assert quiet.filter(record)
    assert record.getMessage() == "away: x (2 more like this)"
    now[0] = 2 * WINDOW
    record = make_record("dbos", 1)
    assert quiet.filter(record)
    assert record.getMessage() == "away: x"


def test_our_own_words_are_always_heard() -> None:
    quiet = Quiet()
    assert all(quiet.filter(make_record("server.work", 1)) for _ in range(3))

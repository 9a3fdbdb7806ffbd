"""JSON as callers write it: only what can be kept in a database and answered with."""

import json
import math
from typing import Any, NoReturn

from server.errors import MalformedBody

DEEPEST = 32
"""Levels of JSON: deeper ones cannot be answered with."""


def read_json(text: bytes, what: str = "the body") -> Any:
    """Raises MalformedBody for what is not JSON, and for what no database keeps."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_read_float)
        _check_texts(value, DEEPEST)
    except (ValueError, RecursionError) as error:
        msg = f"{what} is not JSON"
        raise MalformedBody(msg) from error
    return value


def check_text(text: str) -> str:
    """``text`` itself; raises MalformedBody for what no database keeps."""
    try:
        _check_texts(text, DEEPEST)
    except ValueError as error:
        msg = "a form's field or file name holds what no text can"
        raise MalformedBody(msg) from error
    return text


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise ValueError(msg)


def _read_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse_constant(text)
    return number


def _check_texts(value: Any, depth: int) -> None:
    if not depth:
        msg = f"more than {DEEPEST} levels deep"
        raise ValueError(msg)
    match value:
        case str():
            value.encode()  # half of a surrogate pair raises
            if "\0" in value:
                msg = "a text with a NUL"
                raise ValueError(msg)
        case dict():
            for name, inner in value.items():
                _check_texts(name, depth)
                _check_texts(inner, depth - 1)
        case list():
            for inner in value:
                _check_texts(inner, depth - 1)
        case _:
            pass  # numbers and nothing

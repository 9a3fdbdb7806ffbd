"""What DBOS writes down is JSON, whatever it is given."""

import json

import pytest

from server.jobs.serializer import JsonSerializer


@pytest.mark.parametrize("value", [None, 1.5, "é", [1, [2]], {"a": {"b": [None, True]}}])
def test_plain_values_come_back(value: object) -> None:
    text = JsonSerializer().serialize(value)
    json.loads(text)
    assert JsonSerializer().deserialize(text) == value


def test_an_error_comes_back_as_an_error_that_says_what_it_was() -> None:
    text = JsonSerializer().serialize(ZeroDivisionError("by zero"))
    json.loads(text)
    error = JsonSerializer().deserialize(text)
    assert isinstance(error, RuntimeError)
    assert str(error) == "ZeroDivisionError: by zero"


def test_what_is_no_json_is_refused_rather_than_pickled() -> None:
    with pytest.raises(TypeError, match="object is not a JSON value"):
        JsonSerializer().serialize({"what": object()})

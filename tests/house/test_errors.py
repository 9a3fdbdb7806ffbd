"""The error tree, its drawing and its page agree."""

import re

from docs.generate import all_errors, write_errors
from pipelines import errors
from server import errors as server_errors
from server.answers import ANSWERS
from tests.house.house import ROOT


def test_the_drawing_shows_every_class_under_its_parent() -> None:
    parents: dict[int, str] = {}
    drawn = {}
    drawings = (errors.__doc__ or "") + (server_errors.__doc__ or "")
    for line in drawings.splitlines():
        found = re.match(r"    ([│├└─ ]*)([A-Z]\w+)", line)
        if found:
            depth = len(found[1]) // 4
            parents[depth] = found[2]
            drawn[found[2]] = parents.get(depth - 1, "Exception")
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in all_errors()}


def test_every_error_has_a_code_of_its_own_and_a_text() -> None:
    codes = [kind.code for kind in all_errors()]
    assert len(set(codes)) == len(codes)
    for kind in all_errors():
        assert re.fullmatch(r"[a-z_]+", kind.code)
        assert str(kind()).endswith(".")
        assert str(kind("what happened")) == "what happened"


def test_the_page_of_errors_is_current() -> None:
    assert (ROOT / "docs/errors.md").read_text() == write_errors()


def test_every_error_has_an_answer_over_http_and_there_is_none_too_many() -> None:
    assert set(ANSWERS) == {kind.code for kind in all_errors()}

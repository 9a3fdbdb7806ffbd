"""What was seen in a picture, written down as JSON and read again, also after an edit."""

import json
from typing import Any

import pytest

from pipelines.composition import Composition, Subject, SubjectKind
from pipelines.errors import InvalidOption
from pipelines.geometry import Box, Edge

SEEN = Composition(
    describer="somebody",
    caption="A cup on a table.",
    scene="a wooden table",
    subjects=(
        Subject(Box(0.1, 0.2, 0.5, 0.6), "cup", SubjectKind.PRODUCT, 0.9, trusted=True),
        Subject(Box(0, 0, 1, 1), "table", weight=0.2, must_keep=False),
    ),
    cut_edges=frozenset({Edge.LEFT}),
    flat_edges=frozenset({Edge.TOP, Edge.RIGHT}),
    content=Box(0.01, 0, 1, 1),
    warnings=("only guessed",),
)
SUBJECT = {"box": [0, 0, 1, 1]}


def test_a_composition_is_the_same_after_it_was_written_and_read() -> None:
    assert Composition.from_fields(json.loads(json.dumps(SEEN.to_json()))) == SEEN


def test_what_is_missing_has_its_default() -> None:
    assert Composition.from_fields({"describer": "me"}) == Composition("me")
    (subject,) = Composition.from_fields({"describer": "me", "subjects": [SUBJECT]}).subjects
    assert subject == Subject(Box(0, 0, 1, 1), "")


@pytest.mark.parametrize(
    "fields",
    [
        None,
        [],
        "cup",
        {},
        {"describer": 7},
        {"describer": "x" * 5000},
        {"subjects": {"0": SUBJECT}},
        {"subjects": [SUBJECT] * 101},
        {"subjects": [[0, 0, 1, 1]]},
        {"subjects": [{}]},
        {"subjects": [{"box": [0, 0, 1]}]},
        {"subjects": [{"box": [0, 0, 2, 1]}]},
        {"subjects": [{"box": [0.5, 0, 0.5, 1]}]},
        {"subjects": [{"box": [0, 0, float("nan"), 1]}]},
        {"subjects": [{"box": [0, 0, 10**400, 1]}]},
        {"subjects": [{**SUBJECT, "weight": 2}]},
        {"subjects": [{**SUBJECT, "weight": float("nan")}]},
        {"subjects": [{**SUBJECT, "kind": "ghost"}]},
        {"subjects": [{**SUBJECT, "trusted": "no"}]},
        {"cut_edges": ["left", "top", "right", "bottom", "left"]},
        {"cut_edges": "left"},
        {"flat_edges": ["middle"]},
        {"content": [0, 0, 0, 0]},
        {"warnings": ["x"] * 101},
        {"warnings": [["x"]]},
    ],
)
def test_what_is_no_composition_is_refused_in_words(fields: Any) -> None:
    if isinstance(fields, dict) and fields:
        fields = {"describer": "me", **fields}
    with pytest.raises(InvalidOption, match="a composition is a JSON object"):
        Composition.from_fields(fields)

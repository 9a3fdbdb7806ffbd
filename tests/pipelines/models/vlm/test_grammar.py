"""The grammar: what it takes, and that the question's example is one of it."""

import json
from itertools import pairwise

import pytest

from pipelines.composition import SubjectKind
from pipelines.models.vlm.answer import read_answer
from pipelines.models.vlm.components import Vlm
from pipelines.models.vlm.grammar import BUDGET, MOST_SUBJECTS, REST, SCHEMA, Grammar
from pipelines.models.vlm.wording import EXAMPLE, QUESTION


@pytest.fixture(scope="module")
def grammar(vlm: Vlm) -> Grammar:
    return Grammar(vlm)


def takes(vlm: Vlm, grammar: Grammar, text: str) -> bool:
    matcher = grammar.start()
    tokens = vlm.tokenizer.encode(text)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_stopped()


def write(caption: str = "", edges: str = "", **changes: object) -> str:
    subject = [changes.get("kind", "face"), changes.get("weight", 5), changes.get("box", [0] * 4)]
    many = changes.get("many", 1)
    assert isinstance(many, int)
    content = {"c": caption, "s": "", "e": edges, "o": [subject] * many}
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize(
    "text",
    [
        write(),
        write("x" * 40),
        write(edges="ltrb"),
        write(edges="tb"),
        write(box=[0, 1000, 999, 10]),
        write(weight=9),
        write(many=0),
        write(many=MOST_SUBJECTS),
        *(write(kind=kind) for kind in SubjectKind),
    ],
)
def test_what_is_asked_for_is_taken(vlm: Vlm, grammar: Grammar, text: str) -> None:
    assert takes(vlm, grammar, text)


@pytest.mark.parametrize(
    "text",
    [
        write("x" * 41),
        write("é"),
        write("\n"),
        write('"'),
        write("\\"),
        write(edges="bt"),
        write(edges="x"),
        write(box=[0, 0, 1001, 1000]),
        write(box=[0, 0, -1, 1000]),
        write(box=[0, 0, 0.5, 1]),
        write(box=[0, 0, 10]),
        write(box=[0] * 9),
        write(weight=0),
        write(weight=10),
        write(kind="cat"),
        write(many=MOST_SUBJECTS + 1),
        write().replace(",", ", "),
        write() + " ",
        write()[:-1],
        "{}",
    ],
)
def test_everything_else_is_not(vlm: Vlm, grammar: Grammar, text: str) -> None:
    assert not takes(vlm, grammar, text)


def test_the_example_is_an_answer(vlm: Vlm, grammar: Grammar) -> None:
    assert EXAMPLE in QUESTION
    assert takes(vlm, grammar, EXAMPLE)
    assert len(read_answer(EXAMPLE).subjects) == 2


def test_the_question_names_every_key_and_kind() -> None:
    assert all(f"\n{key}: " in QUESTION for key in SCHEMA["properties"])
    assert all(kind in QUESTION for kind in SubjectKind)


def test_the_longest_end_is_one_subject_letter_by_letter() -> None:
    assert len('{"c":"","s":"","e":"","o":[["product",9,[1000,1000,1000,1000]]]}') == REST - 1


def count_pieces(vlm: Vlm, text: str) -> int:
    """A token each, or a little more: the replica's tokenizer cuts text as the published one."""
    pieces: list[object] = vlm.tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str(text)
    return len(pieces)


def test_two_subjects_fit_into_the_budget_with_the_longest_texts(vlm: Vlm) -> None:
    content = {
        "c": "a couple with two dogs on a windy beach",
        "s": "wet sand below, dunes with grass left, calm sea right, pale sky, low sun, film grain",
        "e": "lb",
        "o": [["product", 9, [310, 120, 705, 1000]], ["person", 8, [430, 170, 560, 350]]],
    }
    assert count_pieces(vlm, json.dumps(content, separators=(",", ":"))) < BUDGET
    assert count_pieces(vlm, EXAMPLE) < BUDGET


def test_a_subject_costs_twenty_pieces(vlm: Vlm) -> None:
    box = [310, 120, 705, 998]
    costs = [count_pieces(vlm, write(many=many, box=box)) for many in (1, 2, 3, 4)]
    assert [after - before for before, after in pairwise(costs)] == [20, 20, 20]

"""Reading an answer: what is believed, what is mended, what is refused."""

import json

import pytest

from pipelines.composition import Composition, Subject, SubjectKind
from pipelines.geometry import Box, Edge
from pipelines.models.vlm.answer import NAME, UnusableAnswer, read_answer


def write(*told: object, caption: str = "a cat", scene: str = "a garden", edges: str = "") -> str:
    return json.dumps({"c": caption, "s": scene, "e": edges, "o": told})


def test_words_subjects_and_edges_become_values() -> None:
    answer = read_answer(write(["person", 9, [100, 200, 300, 1000]], edges="lb"))
    assert answer.caption == "a cat"
    assert answer.scene == "a garden"
    assert answer.cut_edges == {Edge.LEFT, Edge.BOTTOM}
    (person,) = answer.subjects
    assert person == Subject(
        Box(0.1, 0.2, 0.3, 1.0), "person", SubjectKind.PERSON, must_keep=True, trusted=True
    )


@pytest.mark.parametrize(
    ("kind", "weight", "kept"),
    [
        *((kind.value, 9, kind is not SubjectKind.OTHER) for kind in SubjectKind),
        ("person", 5, True),
        ("person", 4, False),
        ("logo", 1, False),
    ],
)
def test_what_matters_is_kept_whole(kind: str, weight: int, kept: bool) -> None:
    (subject,) = read_answer(write([kind, weight, [0, 0, 500, 500]])).subjects
    assert subject.must_keep is kept
    assert subject.weight == pytest.approx(weight / 9)
    assert subject.trusted


@pytest.mark.parametrize(
    ("told", "box"),
    [
        ([300, 900, 100, 200], Box(0.1, 0.2, 0.3, 0.9)),
        ([-50, 0, 4000, 500], Box(0, 0, 1, 0.5)),
    ],
)
def test_a_box_is_sorted_and_held_inside_the_picture(told: list[int], box: Box) -> None:
    (subject,) = read_answer(write(["text", 5, told])).subjects
    assert subject.box == pytest.approx(box)


def test_an_empty_box_is_dropped_and_the_others_stay() -> None:
    answer = read_answer(write(["text", 5, [10, 10, 10, 900]], ["logo", 5, [0, 0, 90, 90]]))
    assert [subject.label for subject in answer.subjects] == ["logo"]


def test_a_thing_told_twice_is_one_thing() -> None:
    answer = read_answer(write(*[["text", 5, [10, 10, 90, 90]]] * 3))
    assert len(answer.subjects) == 1


def test_a_picture_without_subjects_is_an_answer() -> None:
    assert read_answer(write()).subjects == ()


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (" sea,  sky, ", "sea, sky"),
        ("a" * 90 + " beach", "a" * 90),
        ("a" * 89 + " beach", "a" * 89 + " beach"),
        ("a" * 96, ""),
    ],
)
def test_words_are_tidied_and_a_torn_one_is_dropped(told: str, kept: str) -> None:
    assert read_answer(write(scene=told)).scene == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a cat in a garden",
        write()[:-1],
        "[]",
        "{}",
        '{"c": 1, "s": "", "e": "", "o": []}',
        write(caption=" ", scene=", "),
        write(["text", 5, [10, 10, 10, 900]], ["logo", 5, [0, 0, 90, 4]]),
        write(["cat", 5, [0, 0, 90, 90]]),
        write(["text", 5, [0, 0, 90]]),
        write(["text", 5, [0, 0, 90, 0.5]]),
        write(["text", [0, 0, 90, 90]]),
        write("text"),
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UnusableAnswer):
        read_answer(text)


def test_pixel_facts_stay_and_guesses_go() -> None:
    seen = Composition(
        "plain",
        subjects=(Subject(Box(0, 0, 1, 1), "what stands out"),),
        cut_edges=frozenset({Edge.BOTTOM}),
        flat_edges=frozenset({Edge.TOP}),
        content=Box(0.1, 0.1, 0.9, 0.9),
        warnings=("subjects are guesses",),
    )
    told = read_answer(write(["face", 9, [0, 0, 500, 500]], edges="lt"))
    assert told.join(seen) == Composition(
        NAME,
        caption="a cat",
        scene="a garden",
        subjects=told.subjects,
        cut_edges=frozenset({Edge.BOTTOM, Edge.LEFT}),
        flat_edges=seen.flat_edges,
        content=seen.content,
    )

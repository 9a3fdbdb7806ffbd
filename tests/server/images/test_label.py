"""A label is harmless wherever it is shown, and still says what the caller said."""

import pytest
from hypothesis import given, strategies as st

from server.images.label import base_name, clean_label


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("summer/Sea side.png", "summer/Sea side.png"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\Users\\me\\a.png", "C/Users/me/a.png"),
        ("a/./b//c.png", "a/b/c.png"),
        ("übung 日本.png", "übung 日本.png"),
        ("a\r\nSet-Cookie: x.png", "aSet-Cookie x.png"),
        ("gnp\u202egnp.exe", "gnpgnp.exe"),
        ("\x1b[31mred.png", "[31mred.png"),
        ("", "image"),
        ("..", "image"),
        ("///", "image"),
    ],
)
def test_a_name_becomes_a_label(name: str, label: str) -> None:
    assert clean_label(name) == label


@given(st.text(max_size=400))
def test_no_label_leads_anywhere_or_breaks_a_line(name: str) -> None:
    label = clean_label(name)
    assert 0 < len(label) <= 120
    assert not label.startswith("/")
    assert all(part.strip(".") for part in label.split("/"))
    assert label.isprintable() or not any(ord(char) < 32 for char in label)
    assert clean_label(label) == label
    assert "/" not in base_name(label)
    label.encode()


def test_a_long_name_keeps_its_end() -> None:
    assert clean_label("x" * 500 + ".png").endswith("xx.png")

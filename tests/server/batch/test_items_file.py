"""A batch as a table: rows with options of their own, and mistakes with line and column."""

from pathlib import Path

import pytest

from tests.drawings import draw_meadow, to_png
from tests.server.console import Call, Done, size_of


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "photos/b.png"):
        (tmp_path / name).write_bytes(to_png(draw_meadow(60, 40)))
    return tmp_path


def carry_out(call: Call, desk: Path, text: str, *options: str | Path) -> Done:
    table = desk / "items.csv"
    table.write_text(text, encoding="utf-8-sig")
    return call("batch", desk / "out", "--csv", table, *options)


def made(desk: Path) -> list[str]:
    out = desk / "out"
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*.[pjw][npe]*g*"))


def test_every_row_is_made_as_it_says(call: Call, desk: Path) -> None:
    done = carry_out(
        call,
        desk,
        "input,output,size,preset,format,max_bytes,protect,strict,policy\n"
        "a.png,ads/wide.jpg,80x20,,,9kB,,,\n"
        'photos/b.png,,"40x30,30x40",,webp,,"0.1,0.1,0.5,0.5;0.5,0.5,0.6,0.6",yes,expand\n'
        "a.png,,,iab/button,,,,no,\n",
    )
    assert done.returncode == 0, done.stderr
    out = desk / "out"
    assert size_of(out / "ads/wide.jpg") == (80, 20)
    assert size_of(out / "photos/b_40x30.webp") == (40, 30)
    assert size_of(out / "photos/b_30x40.webp") == (30, 40)
    assert size_of(out / "a.jpg") == (120, 60)


def test_where_a_row_is_silent_the_options_hold(call: Call, desk: Path) -> None:
    done = carry_out(
        call, desk, "input,size\na.png,\nphotos/b.png,50x50\n", "-s", "40x30", "--format", "webp"
    )
    assert done.returncode == 0, done.stderr
    assert size_of(desk / "out/a.webp") == (40, 30)
    assert size_of(desk / "out/photos/b.webp") == (50, 50)


def test_inputs_lie_in_the_folder_that_is_given(call: Call, desk: Path) -> None:
    table = desk / "items.csv"
    table.write_text("input\nb.png\n")
    done = call("batch", desk / "photos", desk / "out", "--csv", table, "-s", "40x30")
    assert done.returncode == 0, done.stderr
    assert (desk / "out/b.png").exists()


def test_pictures_from_elsewhere_go_on_where_they_were(call: Call, desk: Path) -> None:
    (desk / "photos/a.png").write_bytes(to_png(draw_meadow(60, 40, seed=2)))
    text = f"input,size\n{desk / 'a.png'},40x30\n{desk / 'photos/a.png'},40x30\n"
    assert b"2 made" in carry_out(call, desk, text).stderr
    assert sorted(path.name for path in (desk / "out").glob("*.png")) == ["a-png.png", "a.png"]
    assert b"0 made, 2 were there" in carry_out(call, desk, text).stderr


def test_a_picture_that_is_missing_is_that_rows_failure(call: Call, desk: Path) -> None:
    done = carry_out(call, desk, "input,size\nnone.png,40x30\na.png,40x30\n")
    assert done.returncode == 1
    assert b"source_unavailable" in done.stderr
    assert (desk / "out/a.png").exists()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1: a column is called input"),
        ("size\n9x9\n", "line 1: a column is called input"),
        ("input,input\na.png,a.png\n", "line 1: a column is called input"),
        ("input,colour\na.png,red\n", "line 1: there is no column 'colour'"),
        ("input,size\n", "has no rows"),
        ("input,size\n,9x9\n", "line 2, column input: every row names a picture"),
        ("input,size\na.png,nine\n", "line 2, column size: a size is written"),
        ("input,size\na.png,9x9\na.png,30000x9\n", "line 3, column size: 30000x9"),
        ("input,size,seed\na.png,9x9,-1\n", "line 2, column seed:"),
        ("input,size,policy\na.png,9x9,grow\n", "line 2, column policy:"),
        ("input,size,strict\na.png,9x9,maybe\n", "line 2, column strict: yes or no"),
        ("input,preset\na.png,meta/feed\n", "line 2, column preset: there is no preset"),
        ("input,size,max_bytes\na.png,9x9,9xB\n", "line 2, column max_bytes: a byte limit"),
        ("input,size,protect\na.png,9x9,2\n", "line 2, column protect:"),
        ("input,size,protect_mask\na.png,9x9,no.png\n", "line 2, column protect_mask: the mask"),
        ("input,size,prefer,copy_space\na.png,9x9,top,top\n", "line 2: either"),
        ('input,size\na.png,"9x9,8x8",x\n', "line 2: 3 cells under 2 columns"),
        ("input,size,output\na.png,9x9,../x.png\n", "line 2, column output:"),
        ("input,size,output\na.png,9x9,/x.png\n", "line 2, column output:"),
        ("input,size,output\na.png,9x9,x.bmp\n", "line 2: the output format is one of"),
        ('input,size,output\na.png,"9x9,8x8",x.png\n', "column output: 2 outputs cannot all be"),
        (
            "input,size,output\na.png,9x9,x.png\na.png,8x8,x.png\n",
            "line 3, column output: another output is called x.png too",
        ),
        ("input,size\nhttps://example.com/a.png,9x9\n", "line 2, column input:"),
        ('input,size\n"a.png,9x9\n', "is no CSV in UTF-8"),
    ],
)
def test_a_mistake_names_line_and_column(
    call: Call, desk: Path, *, text: str, complaint: str
) -> None:
    done = carry_out(call, desk, text)
    assert done.returncode == 2, done.stderr
    assert complaint in done.stderr.decode()
    assert made(desk) == []

"""The report: a table that no spreadsheet carries out, and pages that stay small."""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest

from server.batch.ledger import Entry
from server.batch.report import PER_PAGE, write_report
from server.batch.table import COLUMNS, write_table
from server.batch.thumbnails import Thumbnails, name_of
from tests.drawings import draw_meadow, to_png

ENTRY = Entry(
    output="a.jpg",
    key="k",
    input="a.png",
    size="9x9",
    sha256="ab" * 32,
    source="cd" * 32,
    bytes=1234,
    seconds=0.5,
    painted=0.25,
    cropped=0.0,
    seam=1.5,
    needs_review=False,
)


def read(*entries: Entry) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(write_table(entries).decode())))


def test_the_table_has_a_row_for_each_output_with_all_numbers() -> None:
    (row,) = read(ENTRY)
    assert tuple(row) == COLUMNS
    assert (row["bytes"], row["seconds"], row["painted"]) == ("1234", "0.5", "0.25")
    assert (row["seam"], row["needs_review"], row["error"]) == ("1.5", "no", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(start: str) -> None:
    text = f"{start}cmd|'/C calc'!A0"
    (row,) = read(replace(ENTRY, input=text, warnings=(text,), detail=text))
    assert row["input"] == row["warnings"] == row["detail"] == f"'{text}"


def test_the_page_escapes_names_and_asks_for_nothing_from_elsewhere(tmp_path: Path) -> None:
    name = '"><script>alert(1)</script>javascript:x.jpg'
    failed = replace(ENTRY, output="b.jpg", error="image_undecodable", detail="<b>")
    write_report(tmp_path, [replace(ENTRY, output=name, input=name), failed], "2 made <now>")
    page = (tmp_path / "report.html").read_text()
    assert "<script" not in page
    assert "&lt;now&gt;" in page
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=\"(https?:|//|javascript:)", page)
    assert "failed: &lt;b&gt; (image_undecodable)" in page


def test_thumbnails_are_small_files_that_are_loaded_when_they_are_seen(tmp_path: Path) -> None:
    thumbnails = Thumbnails(tmp_path / ".smart-resize/thumbnails")
    thumbnails.add(ENTRY.sha256, to_png(draw_meadow(900, 600)))
    thumbnails.add(ENTRY.source, b"not a picture")
    kept = tmp_path / ".smart-resize/thumbnails" / name_of(ENTRY.sha256)
    assert kept.stat().st_size < 40_000
    write_report(tmp_path, [ENTRY], "")
    page = (tmp_path / "report.html").read_text()
    assert page.count("<img") == 1
    assert f'src=".smart-resize/thumbnails/{name_of(ENTRY.sha256)}" alt="" loading="lazy"' in page
    assert "data:" not in page


def test_many_outputs_are_many_pages_and_fewer_take_the_rest_away(tmp_path: Path) -> None:
    entries = [
        replace(ENTRY, input=f"{number // 2}.png", output=f"{number}.jpg")
        for number in range(2 * PER_PAGE + 10)
    ]
    write_report(tmp_path, entries, "")
    pages = sorted(path.name for path in tmp_path.glob("*.html"))
    assert pages == ["report-2.html", "report-3.html", "report.html"]
    shown = [(tmp_path / name).read_text().count('<figure class="') for name in pages]
    texts = [(tmp_path / name).read_text() for name in pages]
    assert sum(len(re.findall(r'href="\./\d+\.jpg"', text)) for text in texts) == len(entries)
    assert all('href="report-2.html"' in text for text in texts[1:])
    assert max(len(text) for text in texts) < 500_000
    assert shown == [0, 0, 0]
    write_report(tmp_path, entries[:3], "")
    assert [path.name for path in tmp_path.glob("*.html")] == ["report.html"]

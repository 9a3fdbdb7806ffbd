"""What painting costs at full size, counted on models that have no weights."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from pipelines.geometry import PixelBox, Size
from tests.pipelines.models.ledger.ledger import Entry
from tests.pipelines.models.ledger.spending import Spending, read_budget
from tests.pipelines.models.ledger.weightless import open_weightless_studio

BUDGET = read_budget()

TARGET = Size(4096, 2304)

PLACES = {
    "4k-quarter-new": PixelBox(512, 0, 3584, 2304),
    "4k-all-new": PixelBox(1792, 1008, 2304, 1296),
}
"""Where the source is in the target, by row of the budget, in the order of the jobs."""


class Page(NamedTuple):
    """What was noted, and what each job came to."""

    entries: list[Entry]
    spent: Mapping[str, Spending]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with open_weightless_studio(tmp_path_factory.mktemp("weightless")) as studio:
        with studio.ledger.page() as entries:
            spent = {name: studio.spend(TARGET, place) for name, place in PLACES.items()}
            studio.spend(Size(1024, 1024), PixelBox(0, 0, 256, 1024))
        yield Page(entries, spent)


@pytest.mark.parametrize("name", PLACES)
def test_a_job_costs_what_the_budget_allows(page: Page, name: str) -> None:
    assert page.spent[name].compare(Spending.read(BUDGET["full_size"][name])) == []


def test_a_row_costs_what_jobs_are_compared_by(page: Page) -> None:
    native = {"evaluations": "128x128", "encodes": "1024x1024", "decodes": "128x128"}
    prices = {
        entry.account.value: entry.operations / entry.rows
        for entry in page.entries
        if native.get(entry.account) == entry.size
    }
    assert prices == pytest.approx(BUDGET["row"], rel=0.005)


def test_a_quarter_new_costs_less_than_half_of_all_new(page: Page) -> None:
    quarter, everything = (page.spent[name].operations for name in PLACES)
    assert quarter / everything == pytest.approx(BUDGET["shares"]["quarter"], abs=0.005)
    assert BUDGET["shares"]["quarter"] <= 0.5

"""What a job cost, what it may cost, and where the two differ."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.pipelines.models.ledger.ledger import Account, Entry

PAGE = Path(__file__).with_name("budget.toml")

SLACK = 1.005
"""Operations may be this many times the budget: rounding, and a library's small changes."""

SPARE = 0.95
"""Below this share of it the budget is out of date, and holds nobody."""


class Spending(NamedTuple):
    """Rows by what they were charged for, as ``encodes 128x128`` or ``looks``; operations."""

    rows: Mapping[str, int]
    operations: float

    @classmethod
    def add_up(cls, entries: Iterable[Entry]) -> Self:
        """What a page of the ledger comes to."""
        rows: Counter[str] = Counter()
        operations = 0
        for entry in entries:
            rows[f"{entry.account} {entry.size}".strip()] += entry.rows
            operations += entry.operations
        return cls(rows, operations)

    @classmethod
    def read(cls, table: Mapping[str, Any]) -> Self:
        """A table of the budget, with a number or a table of sizes for each account."""
        rows: dict[str, int] = {}
        for account in Account:
            match table.get(account, 0):
                case int(number):
                    rows[account] = number
                case sizes:
                    rows |= {f"{account} {size}": number for size, number in sizes.items()}
        unknown = table.keys() - {*Account, "operations"}
        assert not unknown, f"nobody is charged for {unknown}"
        return cls(Counter(rows), table["operations"])

    def plus_looks(self, look: Self) -> Self:
        """With what each of its looks costs beside itself."""
        looks = self.rows[Account.LOOKS]
        rows = {**self.rows, Account.TOKENS: looks * look.rows[Account.TOKENS]}
        return type(self)(Counter(rows), self.operations + looks * look.operations)

    def compare(self, budget: Self) -> list[str]:
        """Where it is not what was budgeted, in words; tokens may be fewer."""
        found = []
        for what in sorted(self.rows.keys() | budget.rows.keys()):
            spent, allowed = self.rows[what], budget.rows[what]
            if spent > allowed or (spent < allowed and what != Account.TOKENS):
                found.append(f"{what}: {spent}, and the budget has {allowed}")
        if not SPARE * budget.operations <= self.operations <= SLACK * budget.operations:
            found.append(
                f"operations: {self.operations:.5g}, and the budget has {budget.operations:.5g}"
            )
        return found


def read_budget() -> dict[str, Any]:
    """The page as it is written."""
    return tomllib.loads(PAGE.read_text(encoding="utf-8"))

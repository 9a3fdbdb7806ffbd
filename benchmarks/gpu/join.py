"""Several calls' JSON as one table with one list of goals.

Readings are not mixed: a goal is judged within each call that measured all of it, and the worst
of these counts.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.gpu.report import GOALS, Goal

SAME = ("note", "machine")
"""What must be equal in all of them."""


def join(paths: Sequence[Path], out: Path | None = None) -> int:
    """Print them as one, and write that to ``out``.

    0 where every goal was measured, 1 where one was not, 2 where they are of different machines.
    """
    calls = {path.name: json.loads(path.read_text()) for path in paths}
    first = next(iter(calls.values()))
    if len(calls) < len(paths):
        print("two files of one name cannot be told apart in a table")
        return 2
    for name, call in calls.items():
        if any(call[key] != first[key] for key in SAME):
            print(f"{name} was measured with other models or on another machine than the first")
            return 2
    joined = {
        **{key: first[key] for key in SAME},
        "calls": {
            name: {"date": call["date"], "parts": call["parts"]} for name, call in calls.items()
        },
        "readings": [
            {**reading, "call": name}
            for name, call in calls.items()
            for reading in call["readings"]
        ],
        "goals": [_settle(goal, calls) for goal in GOALS],
    }
    _print(joined)
    if out:
        out.write_text(json.dumps(joined, indent=1) + "\n")
    return int(any(goal["value"] is None for goal in joined["goals"]))


def _settle(goal: Goal, calls: Mapping[str, Any]) -> dict[str, Any]:
    """The worst that any call has of a goal, and which call that was."""
    found = [
        (known["value"], known["met"], name)
        for name, call in calls.items()
        for known in call["goals"]
        if known["words"] == goal.words
    ]
    worst = min if goal.at_least else max
    value, met, name = worst(found, key=lambda each: each[0], default=(None, None, ""))
    return {**goal._asdict(), "value": value, "met": met, "call": name}


def _print(joined: Mapping[str, Any]) -> None:
    print(f"\n{joined['machine']}: {joined['note']}\n")
    print("| reading | value | unit | spread | call |\n|---|---:|---|---:|---|")
    for each in joined["readings"]:
        spread = f"{each['spread']:.0%}" if each["spread"] else ""
        value = f"{each['value']:.4g} | {each['unit']}"
        print(f"| {each['key']} | {value} | {spread} | {each['call']} |")
    print("\n| goal | bound | value | met | call |\n|---|---:|---:|---|---|")
    for goal in joined["goals"]:
        bound = f"{'>=' if goal['at_least'] else '<='} {goal['bound']}"
        value = "not measured" if goal["value"] is None else f"{goal['value']:.3g}"
        met = {True: "yes", False: "no", None: "not judged"}[goal["met"]]
        print(f"| {goal['words']} | {bound} | {value} | {met} | {goal['call']} |")

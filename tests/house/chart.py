"""The chart as Helm reads it: linted and rendered by Helm's own code, in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

from tests.house.house import ROOT
from tests.house.tools import need_library

CHART = ROOT / "deploy/helm/smart-resize"

CODE = """
import json, sys
from helm_python import Chart, chart
answers = {}
with Chart.load(sys.argv[1]) as loaded:
    for name, values in json.load(sys.stdin).items():
        report = chart.lint(sys.argv[1], values, strict=True)
        answer = {"found": [each["error"] for each in report["messages"] if each["severity"] > 1]}
        try:
            answer["files"] = loaded.render(values, name="smart-resize", namespace="pictures")
        except Exception as error:
            answer["refusal"] = str(error)
        answers[name] = answer
json.dump(answers, sys.stdout)
"""

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rendering:
    """What became of some values.

    ``found`` is what the linter says, ``text`` all manifests, ``manifests`` the same as values, and
    ``refusal`` why there are none.
    """

    found: list[str]
    text: str
    manifests: list[Any]
    refusal: str | None

    def find(self, kind: str) -> list[Any]:
        """The manifests of a kind."""
        return [manifest for manifest in self.manifests if manifest["kind"] == kind]


def render(cases: Mapping[str, Values]) -> dict[str, Rendering]:
    """Each of the values, by name."""
    need_library("helm_python")
    done = subprocess.run(
        [sys.executable, "-c", CODE, CHART],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    )
    return {name: _read(answer) for name, answer in json.loads(done.stdout).items()}


def _read(answer: Values) -> Rendering:
    files: dict[str, str] = answer.get("files", {})
    parts = [part for name, part in files.items() if name.endswith(".yaml") and part.strip()]
    text = "\n---\n".join(parts)
    manifests = [each for each in YAML(typ="safe").load_all(text) if each]
    return Rendering(answer["found"], text, manifests, answer.get("refusal"))

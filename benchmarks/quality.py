"""Reframes a folder of photographs with the preview engine and judges every output.

    python -m benchmarks.quality PHOTOS EVALUATOR OUT

PHOTOS holds pictures and a manifest.csv with the columns file, subject_box (JSON, fractions of
the upright picture) and box_note (strong or weak). EVALUATOR is a Python file with ``load(path)``
and ``evaluate(source, output, plan, source_alpha, output_alpha)``. Outputs, plans and reports go
to OUT; the table is printed.
"""

import csv
import importlib.util
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from pipelines import preview
from pipelines.geometry import AspectRatio, Size
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from pipelines.target import Frame, Target

TARGETS: dict[str, Target] = {
    "16:9": Frame(AspectRatio(16, 9)),
    "9:16": Frame(AspectRatio(9, 16)),
    "1:1": Frame(AspectRatio(1, 1)),
    "4:5": Frame(AspectRatio(4, 5)),
    "21:9": Frame(AspectRatio(21, 9)),
    "970x90": Size(970, 90),
}

SIDES = {
    "seam jump / photo's own": "ratio",
    "colour cast / photo's own": "cast_ratio",
    "tone step / photo's own": "tone_ratio",
    "detail near / photo": "detail_ratio",
    "detail far / photo": "detail_ratio_far",
    "texture pattern (chi2)": "lbp_chi2",
    "mirror correlation": "mirror",
    "flat share above photo's": "flat_excess",
}
"""Measures that the evaluator gives per painted side."""


def load_module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def judge(photos: Path, evaluator: ModuleType, out: Path) -> Iterator[dict[str, Any]]:
    """One report per photo and target, with the seconds that the output took."""
    reframer = Reframer(preview.load())
    requests = [ReframeRequest(target=target) for target in TARGETS.values()]
    with (photos / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        path = photos / row["file"]
        source, source_alpha = evaluator.load(path)
        started = time.perf_counter()
        for name, reframed in zip(TARGETS, reframer(path.read_bytes(), requests), strict=True):
            seconds = time.perf_counter() - started
            stem = out / f"{path.stem}_{name.replace(':', '-')}"
            picture = stem.with_suffix(".png")
            picture.write_bytes(reframed.file.data)
            plan = reframed.plan.to_json()
            if row["box_note"] == "strong":
                plan["subject"] = json.loads(row["subject_box"])
            stem.with_suffix(".json").write_text(json.dumps(plan))
            output, output_alpha = evaluator.load(picture)
            report = evaluator.evaluate(source, output, plan, source_alpha, output_alpha)
            report.update(photo=path.stem, aspect=name, seconds=seconds, fill=reframed.fill)
            print(path.stem, name, report["fails"], report["warnings"], file=sys.stderr)
            yield report
            started = time.perf_counter()


def print_table(reports: list[dict[str, Any]]) -> None:
    fails = Counter(fail for report in reports for fail in report["fails"])
    flags = Counter(
        flag
        for report in reports
        for flag in {warning.split(":")[0] for warning in report["warnings"]}
    )
    sides = [side for report in reports for side in report.get("seams", {}).values()]
    painted = [report["geometry"]["generated_fraction"] for report in reports]
    seconds = sorted(report["seconds"] for report in reports)
    print(f"outputs {len(reports)}, hard checks failed: {dict(fails) or 'none'}")
    print(f"painted share: mean {statistics.mean(painted):.2f}")
    print(
        f"seconds: mean {statistics.mean(seconds):.2f}, median {statistics.median(seconds):.2f}, "
        f"largest {seconds[-1]:.2f}"
    )
    print("\n| measure | mean |\n|---|---|")
    for words, key in SIDES.items():
        values = [side[key] for side in sides if key in side]
        print(f"| {words} | {statistics.mean(values):.3f} |")
    for flag, count in sorted(flags.items()):
        print(f"| share of outputs flagged {flag} | {count / len(reports):.3f} |")


def main() -> None:
    photos, evaluator, out = (Path(argument) for argument in sys.argv[1:4])
    out.mkdir(parents=True, exist_ok=True)
    reports = list(judge(photos, load_module(evaluator), out))
    (out / "reports.json").write_text(json.dumps(reports, indent=1, default=str))
    print_table(reports)


if __name__ == "__main__":
    main()

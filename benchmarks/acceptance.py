"""A first run with real weights, and whether its outputs keep what is promised.

    python -m benchmarks.acceptance [PHOTOS] [--out DIR] [--weights DIR] [--lock FILE]

Every photo is reframed to several sizes. What can be checked is checked on the files that were
written; how good the paintings look is for a person to say, from ``index.html``. The exit code is 0
where every check held, 1 where one did not and 3 where the engine could not be had. See
docs/acceptance.md.
"""

import argparse
import hashlib
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image

from benchmarks.symptoms import find_symptoms
from pipelines.canvas import resample
from pipelines.engine import Mode
from pipelines.errors import ReframeError
from pipelines.fill import Fill
from pipelines.geometry import AspectRatio, Size
from pipelines.proof import SEAM_VISIBLE, measure_preservation
from pipelines.reframe import Reframer
from pipelines.reframed import Reframed
from pipelines.request import ReframeRequest
from pipelines.rules import Policy, Rules
from pipelines.target import Expansion, Frame, Target, Tier, output_size
from pipelines.weights.store import DEFAULT_FOLDER
from server.batch.source import Input, find_inputs
from server.cli.files import Outputs
from server.contact_sheet import ContactSheet
from server.engines import Supplies, load_engine
from server.settings import EngineName

PHOTOS = Path(__file__).parents[1] / "docs/photos"

TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "16:9": Frame(AspectRatio(16, 9)),
        "9:16": Frame(AspectRatio(9, 16)),
        "1:1": Frame(AspectRatio(1, 1)),
        "970x250": Size(970, 250),
        "16:9-2K": Frame(AspectRatio(16, 9), Tier.TWO_K),
        "9:16-4K": Frame(AspectRatio(9, 16), Tier.FOUR_K),
        "grown": Expansion(left=40, right=40, longest=1600),
    }
)
"""Both ways, far and near, refined and not, from small to 4K."""

LEAST_CONTRAST = 1.0
"""Levels that a painted area varies by at least, as a standard deviation.

A model whose numbers overflow paints one colour, mostly black.
"""


@dataclass(slots=True)
class Verdict:
    """What was found wrong, and what the outputs were."""

    faults: list[str] = field(default_factory=list)
    records: list[dict[str, object]] = field(default_factory=list)
    seams: int = 0

    def judge_seams(self, most: float) -> None:
        """Count visible seams as a fault where their share of the outputs is above ``most``."""
        share = self.seams / max(1, len(self.records))
        if share > most:
            self.faults.append(f"{share:.0%} of the outputs have a visible seam; {most:.0%} may")


def main(arguments: Sequence[str] | None = None) -> int:
    """Reframe, check, write; the exit code."""
    options = _read(arguments)
    try:
        supplies = Supplies(options.weights, options.lock)
        reframer = Reframer(load_engine(EngineName(options.engine), supplies))
        photos = find_inputs([str(options.photos)], str(options.out))
    except ReframeError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 3
    verdict, sheet = Verdict(), ContactSheet()
    for photo in photos:
        try:
            _accept(reframer, photo, options, verdict, sheet)
        except ReframeError as error:
            verdict.faults.append(f"{photo.relative}: {error.code}: {error}")
    Outputs.write(options.out / "index.html", sheet.to_html())
    Outputs.write(options.out / "index.png", sheet.to_png())
    verdict.judge_seams(options.visible_seams)
    record = {"faults": verdict.faults, "outputs": verdict.records}
    Outputs.write(options.out / "acceptance.json", json.dumps(record, indent=1).encode())
    for fault in verdict.faults:
        print(f"FAULT {fault}")
    print(f"{len(verdict.records)} outputs, {verdict.seams} with a visible seam. ", end="")
    print("Accepted." if not verdict.faults else f"{len(verdict.faults)} faults.")
    print(f"Look at {options.out / 'index.html'}")
    return int(bool(verdict.faults))


def _accept(
    reframer: Reframer,
    photo: Input,
    options: argparse.Namespace,
    verdict: Verdict,
    sheet: ContactSheet,
) -> None:
    """Reframe one photo to every target, and to the first one twice."""
    data = photo.read(reframer.limits.max_bytes)
    requests = [_ask(TARGETS[name], options) for name in options.targets]
    first = ""
    for name, reframed in zip(options.targets, reframer(data, requests), strict=True):
        stem = f"{photo.relative.stem}_{name.replace(':', '-')}"
        path = options.out / f"{stem}.png"
        Outputs.write(path, reframed.file.data)
        sheet.add(photo.relative.name, path, reframed)
        faults = list(find_faults(reframed, TARGETS[name], options.engine))
        verdict.faults += [f"{path.name}: {fault}" for fault in faults]
        verdict.seams += max(reframed.seam.values(), default=0.0) > SEAM_VISIBLE
        verdict.records.append({"file": path.name, "faults": faults, **reframed.to_json()})
        print(f"{path.name}: {_tell(reframed)}", flush=True)
        first = first or digest(reframed)
    (again,) = reframer(data, requests[:1])
    if digest(again) != first:
        verdict.faults.append(f"{photo.relative}: the same request gave other bytes")


def _ask(target: Target, options: argparse.Namespace) -> ReframeRequest:
    """Everything new is to be painted by the model."""
    return ReframeRequest(
        target,
        Rules(Policy.EXPAND),
        fill=Fill.GENERATE,
        seed=options.seed,
        mode=Mode(options.mode),
    )


def digest(reframed: Reframed) -> str:
    """Of the output's bytes."""
    return hashlib.sha256(reframed.file.data).hexdigest()


def find_faults(reframed: Reframed, target: Target, engine: str) -> Iterator[str]:
    """What is not as promised, from the bytes of the output's file."""
    plan = reframed.plan
    with Image.open(io.BytesIO(reframed.file.data)) as file:
        output = file.convert("RGBA" if file.mode in ("RGBA", "LA", "PA") else "RGB")
    wanted = output_size(target, plan.source)
    if output.size != wanted:
        yield f"{wanted} was asked for and {Size(*output.size)} came"
        return
    if reframed.engine != engine:
        yield f"painted by {reframed.engine}"
    kept = resample(reframed.source.picture, plan)
    if output.mode == kept.mode:
        found = measure_preservation(output, kept, plan)
        if found.changed or found.difference:
            yield f"{found.changed} kept pixels differ, by up to {found.difference} levels"
        if found.sha256 != reframed.preservation.sha256:
            yield "the record's sha256 is not that of the kept pixels"
    else:
        yield f"{kept.mode} went in and {output.mode} came out"
    if plan.painted_fraction and _measure_contrast(output, reframed) < LEAST_CONTRAST:
        yield "the painted area is all of one colour"
    yield from find_symptoms(output, plan.place)


def _measure_contrast(output: Image.Image, reframed: Reframed) -> float:
    """Standard deviation of what was painted, in levels."""
    levels = np.asarray(output.convert("L"), np.float32)
    painted = np.ones(levels.shape, bool)
    left, top, right, bottom = reframed.plan.place
    painted[top:bottom, left:right] = False
    return float(levels[painted].std())


def _tell(reframed: Reframed) -> str:
    worst = max(reframed.seam.values(), default=0.0)
    seam = f"seam {worst:.1f}{' VISIBLE' if worst > SEAM_VISIBLE else ''}"
    words = [
        str(reframed.plan.target),
        f"{reframed.plan.painted_fraction:.0%} painted",
        seam,
        f"seen by {reframed.composition.describer}",
        f"{sum(reframed.seconds.values()):.2f} s",
        *reframed.warnings,
    ]
    return ", ".join(words)


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.acceptance")
    parser.add_argument("photos", type=Path, nargs="?", default=PHOTOS, help="file or folder")
    parser.add_argument("--out", type=Path, default=Path("acceptance"), help="folder to write to")
    parser.add_argument("--engine", choices=list(EngineName), default=EngineName.SDXL)
    parser.add_argument("--weights", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--lock", type=Path, help="another lock than this installation's")
    parser.add_argument("--mode", choices=list(Mode), default=Mode.BALANCED)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--targets", nargs="+", choices=list(TARGETS), default=list(TARGETS), help="only these"
    )
    parser.add_argument(
        "--visible-seams",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="share of outputs that may have a visible seam (0.1)",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())

"""``smart-resize doctor``: what this machine can do, and what is missing."""

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from PIL import features
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.errors import InvalidOption
from pipelines.weights.lock import WeightsLock
from pipelines.weights.lock_file import find_lock, read_lock
from pipelines.weights.store import Store
from pipelines.weights.verify import Depth, verify
from server.engines import load_engine
from server.settings import EngineName, read_settings
from server.signer import find_fault, load_credential

SDXL_PACKAGES = ("torch", "diffusers", "transformers", "safetensors")
SDXL_ROLES = (("inpaint",), ("vlm", "vlm-light"))
"""Who must be there for the engine; of those in one pair of brackets, one."""

NOTHING_THERE = ("missing", "not pinned")
GPU_QUERY = ("--query-gpu=name,memory.total", "--format=csv,noheader")
LIBRARIES = ("smart-resize", "pillow", "numpy", "opencv-contrib-python-headless", "typer", "rich")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    good: bool
    needed: bool
    """Whether nothing works without it."""
    detail: str


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say what this machine can do and what is missing; exit code 3 if it can do nothing."""
    findings = list(examine())
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print_table(findings)
    if any(finding.needed and not finding.good for finding in findings):
        raise typer.Exit(3)


def examine() -> Iterator[Finding]:
    """Look at everything; nothing is changed and nothing is fetched."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    yield Finding("libraries", good=True, needed=True, detail=versions)
    yield Finding(
        "machine",
        good=True,
        needed=False,
        detail=f"Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}",
    )
    yield _examine_preview()
    yield _examine_sdxl()
    for name, feature in (("JPEG", "jpg"), ("PNG", "zlib"), ("WebP", "webp"), ("AVIF", "avif")):
        found = bool(features.check(feature))
        detail = "in and out" if found else "this Pillow was built without it"
        yield Finding(name, good=found, needed=name in ("JPEG", "PNG"), detail=detail)
    yield _examine_heic()
    yield _examine_signing()
    yield _examine_gpu()
    yield _examine_disk()


def _examine_preview() -> Finding:
    try:
        load_engine(EngineName.PREVIEW)
    except Exception as error:  # noqa: BLE001  whatever is broken here is what people want to read
        return Finding("engine preview", good=False, needed=True, detail=str(error))
    detail = "ready; needs no GPU and no weights"
    return Finding("engine preview", good=True, needed=True, detail=detail)


def _examine_sdxl() -> Finding:
    """Sizes only: reading all of the weights would take a minute."""
    name = "engine sdxl"
    missing = [package for package in SDXL_PACKAGES if importlib.util.find_spec(package) is None]
    if missing:
        detail = f"{', '.join(missing)} not installed (extra: cuda)"
        return Finding(name, good=False, needed=False, detail=detail)
    settings = read_settings()
    lock = read_lock(settings.lock or find_lock())
    good, detail = _examine_weights(lock, Store(settings.weights.expanduser()))
    return Finding(name, good=good, needed=False, detail=detail)


def _examine_weights(lock: WeightsLock, store: Store) -> tuple[bool, str]:
    """Whether somebody can paint and somebody describe: which describer, the card decides."""
    states, lacking = [], []
    for roles in SDXL_ROLES:
        models = [model for model in map(lock.find, roles) if model is not None]
        reports = [verify(model, store, Depth.NOTHING) for model in models]
        best = next((report for report in reports if report.is_good), None) or next(
            (report for report in reports if report.summary not in NOTHING_THERE), reports[0]
        )
        states.append(f"{best.model.role} {best.summary}")
        if not best.is_good:
            lacking.append(roles[0])
    detail = f"its weights: {', '.join(states)}"
    if lacking:
        detail += f" (smart-resize weights fetch {' '.join(lacking)})"
    return not lacking, detail


def _examine_heic() -> Finding:
    if importlib.util.find_spec("pillow_heif"):
        return Finding("HEIC", good=True, needed=False, detail="in")
    detail = "not read; pillow-heif is not installed (extra: heic)"
    return Finding("HEIC", good=False, needed=False, detail=detail)


def _examine_signing() -> Finding:
    try:
        credential = load_credential(read_settings())
    except InvalidOption as error:
        return Finding("C2PA", good=False, needed=True, detail=error.detail)
    if credential is None:
        detail = "outputs are not signed; no certificate is set (c2pa-certificate, c2pa-key)"
        return Finding("C2PA", good=False, needed=False, detail=detail)
    fault = find_fault(credential)
    detail = f"{credential.subject}, until {credential.ends:%Y-%m-%d}"
    detail = f"outputs stay unsigned: {fault} ({detail})" if fault else f"signs as {detail}"
    return Finding("C2PA", good=fault is None, needed=False, detail=detail)


def _examine_gpu() -> Finding:
    program = shutil.which("nvidia-smi")
    if program is None:
        detail = "no NVIDIA driver found; the preview engine does without"
        return Finding("GPU", good=False, needed=False, detail=detail)
    try:
        answer = subprocess.run(  # noqa: S603  a fixed program with fixed arguments
            [program, *GPU_QUERY], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        detail = "the NVIDIA driver is installed but does not answer"
        return Finding("GPU", good=False, needed=False, detail=detail)
    detail = "; ".join(answer.stdout.strip().splitlines()) + ""
    return Finding("GPU", good=True, needed=False, detail=detail)


def _examine_disk() -> Finding:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free / 1e9
    return Finding(
        "disk", good=free > 1, needed=False, detail=f"{free:.1f} GB free for temporary files"
    )


def _print_table(findings: list[Finding]) -> None:
    table = Table("", "what", "how it is", box=None, pad_edge=False)
    for finding in findings:
        mark = (
            "[green]ok[/]" if finding.good else "[red]no[/]" if finding.needed else "[yellow]-[/]"
        )
        table.add_row(mark, finding.subject, escape(finding.detail))
    Console().print(table)

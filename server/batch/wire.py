"""A wish as the run API takes it: what is so by default for everybody is left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines.geometry import Size
from pipelines.presets.preset import Preset
from pipelines.request import ReframeRequest
from pipelines.target import Expansion, fixed_size
from server.batch.maker import Pending

MOST_TARGETS = 32
"""Outputs of one run; a server takes twice as many."""

DEFAULT = ReframeRequest(Size(1, 1))

OF_THE_KEY = frozenset({"extras", "metadata", "xmp"})
"""What a key may have a default of its own for: said even where it is as it is by default."""


@dataclass(frozen=True, slots=True)
class RunInput:
    """One run: its model, its input but for the source, and its outputs in the run's order."""

    model: str
    fields: dict[str, Any]
    pending: tuple[Pending, ...]


def make_run_inputs(
    pending: Sequence[tuple[Pending, ReframeRequest]], presets: Mapping[str, Any]
) -> list[RunInput]:
    """As few runs as can be; ``presets`` are the server's, by their ids, as it shows them.

    A preset goes by its name where the server means the same by it, else as what it says.
    """
    groups: dict[str, list[tuple[Pending, ReframeRequest]]] = {}
    for each, request in pending:
        fields = _common(request, named=_by_name(each, request, presets))
        groups.setdefault(f"{_model(request)} {sorted(fields.items())!r}", []).append(
            (each, request)
        )
    run_inputs = []
    for group in groups.values():
        most = 1 if _is_alone(group[0][1]) else MOST_TARGETS
        parts = (group[start : start + most] for start in range(0, len(group), most))
        run_inputs += [_run_input(part, presets) for part in parts]
    return run_inputs


def _run_input(
    group: Sequence[tuple[Pending, ReframeRequest]], presets: Mapping[str, Any]
) -> RunInput:
    """One run; a server makes sizes first, presets that go by their names after them."""
    named = [_by_name(each, request, presets) for each, request in group]
    first = group[0][1]
    fields = _common(first, named=named[0])
    if first.plan:
        fields["plan"] = first.plan.to_json()
    elif isinstance(first.target, Expansion):
        for side in ("left", "top", "right", "bottom"):
            fields[f"expand_{side}"] = getattr(first.target, side)
    else:
        plain = [request for (_, request), by_name in zip(group, named, strict=True) if not by_name]
        sizes = [str(fixed_size(each.target)) for each in plain]
        wishes = [
            each.piece.wish for (each, _), by_name in zip(group, named, strict=True) if by_name
        ]
        presets_named = [wish.preset.id for wish in wishes if wish.preset]
        targets = {"target_sizes": sizes, "presets": presets_named}
        fields |= {name: value for name, value in targets.items() if value}
    pending = [
        each for by in (False, True) for (each, _), it in zip(group, named, strict=True) if it is by
    ]
    return RunInput(_model(first), fields, tuple(pending))


def _model(request: ReframeRequest) -> str:
    grows = isinstance(request.target, Expansion) and not request.plan
    return "local/outpaint" if grows else "local/smart-resize"


def _is_alone(request: ReframeRequest) -> bool:
    return request.plan is not None or isinstance(request.target, Expansion)


def _by_name(pending: Pending, request: ReframeRequest, presets: Mapping[str, Any]) -> bool:
    preset = pending.piece.wish.preset
    return (
        preset is not None
        and presets.get(preset.id) == preset.to_json()
        and request == _as_it_is(preset, request)
    )


def _as_it_is(preset: Preset, request: ReframeRequest) -> ReframeRequest:
    """The request where nothing took the place of what the preset says."""
    rules = replace(request.rules, keep_clear=preset.keep_clear)
    export = replace(request.export, format=preset.format, max_bytes=preset.max_bytes)
    return replace(request, target=preset.size, rules=rules, export=export)


def _common(request: ReframeRequest, *, named: bool) -> dict[str, Any]:
    """What all outputs of a run share; a preset that goes by its name brings the rest."""
    default = _say(DEFAULT)
    brought = {"output_format", "max_bytes", "keep_clear"} if named else set()
    said = {
        name: value
        for name, value in _say(request).items()
        if (name in OF_THE_KEY or value != default[name]) and name not in brought
    }
    return {**said, "seed": request.seed}


def _say(request: ReframeRequest) -> dict[str, Any]:
    """All but target, plan and seed."""
    export = request.export
    return {
        **request.rules.to_json(),
        "fill": request.fill,
        "prompt": request.prompt,
        "mode": request.mode,
        "retries": request.retries,
        "fallback": request.fallback,
        "nsfw": request.safety.action,
        "strictness": request.safety.strictness,
        "output_format": export.format,
        "quality": export.quality,
        "max_bytes": export.max_bytes,
        "alpha": export.alpha,
        "background": export.background,
        "extras": sorted(export.extras),
        "metadata": export.metadata,
        "xmp": export.xmp,
        "c2pa": export.c2pa,
    }

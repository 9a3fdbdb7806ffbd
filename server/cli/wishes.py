"""What the options of run, plan and batch mean."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipelines.codec.encode import Format
from pipelines.codec.limits import Limits
from pipelines.errors import InvalidOption, InvalidPlan, SourceUnavailable
from pipelines.export.wishes import Export
from pipelines.geometry import AspectRatio, Box, Size
from pipelines.plan import Plan
from pipelines.presets.catalogue import Catalogue
from pipelines.request import ReframeRequest
from pipelines.rules import OPPOSITE, Rules
from pipelines.safety import Safety
from pipelines.target import Expansion, Frame, Target, fixed_size
from server.batch.wish import Wish
from server.cli.options import RuleOptions, TargetOptions
from server.cli.output_options import FileOptions, PaintOptions

MOST_PLAN = 1_000_000
"""Characters; a plan has about two thousand."""

NOWHERE = Size(1, 1)
"""The target of a request that has none yet."""


def read_wishes(
    targets: TargetOptions,
    rules: RuleOptions,
    base: ReframeRequest,
    catalogue: Catalogue,
    said: Format | None,
) -> list[Wish]:
    """One output each: ratios, sizes, the expansion, presets, in this order.

    ``base`` is what they have in common, ``said`` the format that presets give way to.

    Raises:
        InvalidOption: nothing was asked for, or what cannot be meant.
        UnreachableTarget: a size or ratio that cannot be made.
        SourceUnavailable: a mask that cannot be read.
    """
    named = catalogue.select(split(targets.preset))
    plain = read_targets(targets)
    if not plain and not named:
        msg = "nothing to make: give --aspect, --size, --preset or --expand-left, -top, -right,"
        msg += " -bottom"
        raise InvalidOption(msg)
    mask = _read(rules.protect_mask, "mask") if rules.protect_mask else None
    wishes = [Wish(replace(base, target=target), mask=mask) for target in plain]
    return wishes + [Wish(each.request(base, said), each, mask=mask) for each in named]


def read_targets(options: TargetOptions) -> list[Target]:
    """Everything that was asked for but presets; raises as ``read_wishes``."""
    tier = options.resolution
    targets: list[Target] = [Frame(AspectRatio.parse(each), tier) for each in split(options.aspect)]
    targets += [Size.parse(size) for size in split(options.size)]
    for target in targets:
        # refuse before anything is made; what an expansion gives depends on the source
        fixed_size(target)
    growth = Expansion(
        options.expand_left, options.expand_top, options.expand_right, options.expand_bottom
    )
    return targets if growth == Expansion() else [*targets, growth]


def read_base(
    rules: RuleOptions, paint: PaintOptions, file: FileOptions, form: Format
) -> ReframeRequest:
    """A request that lacks its target; raises InvalidOption."""
    export = Export(
        format=form,
        quality=file.quality,
        max_bytes=read_bytes(file.max_bytes),
        alpha=file.alpha,
        background=file.background,
        extras=frozenset(file.extra or ()),
        metadata=file.metadata,
        xmp=file.xmp,
        c2pa=file.c2pa,
    )
    return ReframeRequest(
        target=NOWHERE,
        rules=read_rules(rules),
        fill=paint.fill,
        prompt=paint.prompt,
        seed=paint.seed,
        mode=paint.mode,
        retries=paint.retries,
        fallback=paint.fallback,
        export=export,
        safety=Safety(file.nsfw, file.strictness),
    )


def read_rules(options: RuleOptions) -> Rules:
    """The rules as the planner wants them; raises InvalidOption."""
    prefer = options.prefer
    if options.copy_space:
        if prefer:
            msg = "either --prefer or --copy-space: both say where the subject goes"
            raise InvalidOption(msg)
        prefer = OPPOSITE[options.copy_space]
    rules = Rules(
        policy=options.policy,
        max_crop=options.max_crop,
        protect=tuple(Box.parse_fractions(box) for box in options.protect or ()),
        protect_kinds=frozenset(options.protect_kind or ()),
        keep_clear=tuple(Box.parse_fractions(box) for box in options.keep_clear or ()),
        anchor=options.anchor,
        prefer=prefer,
        feather=options.feather,
        strict=options.strict,
    )
    rules.check()
    return rules


def read_limits(max_megapixels: float) -> Limits:
    """The limits that sources are held to."""
    return Limits(max_pixels=round(max_megapixels * 1e6))


def split(values: Sequence[str] | None) -> list[str]:
    """Several values may also be written with commas: 16:9,1:1."""
    return [part for value in values or () for part in value.split(",")]


def read_bytes(text: str | None) -> int | None:
    """Read ``150000``, ``150kB``, ``2MB`` (powers of 1000) or ``150KiB``; raises InvalidOption."""
    if text is None:
        return None
    units = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "kib": 1024, "mib": 1024**2}
    number = text.strip().rstrip("BbIiKkMm")
    unit = text.strip()[len(number) :].lower()
    try:
        value = round(float(number) * units[unit])
    except (ValueError, KeyError, OverflowError) as error:
        msg = f"a byte limit is written like 150000, 150kB or 2MB, not {text!r}"
        raise InvalidOption(msg) from error
    if value < 1:
        msg = "a byte limit is at least 1"
        raise InvalidOption(msg)
    return value


def read_plan(path: Path) -> Plan:
    """The plan in a file; raises SourceUnavailable or InvalidPlan."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_PLAN + 1)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read"
        raise SourceUnavailable(msg) from error
    if len(text) > MOST_PLAN:
        msg = f"{path} is too long for a plan"
        raise InvalidPlan(msg)
    return Plan.from_json(text)


def _read(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(Limits().max_bytes + 1)
    except OSError as error:
        msg = f"the {what} {path} cannot be read"
        raise SourceUnavailable(msg) from error

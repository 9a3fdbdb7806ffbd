"""What the planner decides in the cases that people meet."""

import pytest

from pipelines.composition import Composition, Subject, SubjectKind
from pipelines.errors import InvalidOption, UnreachablePlan, UnreachableTarget
from pipelines.geometry import AspectRatio, Box, Edge, Size
from pipelines.planner import make_plan
from pipelines.rules import Anchor, Policy, Prefer, Rules
from pipelines.target import Expansion, Frame

PHOTO = Size(768, 512)
TRUSTED = Subject(
    Box(0.3, 0.1, 0.5, 0.8), "couple", SubjectKind.PERSON, must_keep=True, trusted=True
)
GUESSED = Subject(Box(0.3, 0.1, 0.5, 0.8), "what stands out")


def see(*subjects: Subject, cut: frozenset[Edge] = frozenset()) -> Composition:
    return Composition("test", subjects=subjects, cut_edges=cut)


def test_a_guessed_subject_that_does_not_fit_is_not_cut() -> None:
    plan = make_plan(PHOTO, see(Subject(Box(0.05, 0.1, 0.95, 0.9), "all over")), Size(576, 1024))
    assert plan.lost_fraction == 0
    assert "guessed" in plan.reasons[0]


def test_a_guessed_subject_that_surely_fits_is_cropped_to() -> None:
    plan = make_plan(PHOTO, see(GUESSED), Size(512, 512), paint_price=3.0)
    assert plan.painted_fraction == 0


def test_with_nothing_seen_nothing_is_cut() -> None:
    assert make_plan(PHOTO, see(), Size(512, 512)).lost_fraction < 0.001


def test_a_trusted_subject_lets_crop_and_expand_go_together() -> None:
    """A wide banner cannot hold all of the photo: cropped up to the subject, the rest painted."""
    plan = make_plan(PHOTO, see(TRUSTED), Size(970, 90))
    assert plan.lost_fraction > 0.1
    assert plan.painted_fraction > 0.5
    assert not plan.warnings


def test_max_crop_bounds_the_loss() -> None:
    for limit in (0.0, 0.05, 0.2):
        plan = make_plan(PHOTO, see(TRUSTED), Size(512, 512), Rules(max_crop=limit))
        assert plan.lost_fraction <= limit + 0.003


def test_an_edge_that_cuts_a_subject_stays_at_the_border() -> None:
    bust = Subject(Box(0.2, 0.2, 0.8, 1), "bust", SubjectKind.PERSON, trusted=True)
    plan = make_plan(
        PHOTO, see(bust, cut=frozenset({Edge.BOTTOM})), Size(576, 1024), Rules(Policy.EXPAND)
    )
    assert plan.gaps[Edge.BOTTOM] == 0
    assert plan.gaps[Edge.TOP] > 0
    assert not plan.warnings


def test_extending_a_cut_edge_against_all_wishes_is_warned_of() -> None:
    plan = make_plan(
        PHOTO,
        see(cut=frozenset({Edge.TOP, Edge.BOTTOM})),
        Size(576, 1024),
        Rules(Policy.EXPAND),
    )
    assert any("edge cuts through a subject" in warning for warning in plan.warnings)


def test_a_strict_request_is_refused_where_a_rule_gives_way() -> None:
    wide = Subject(Box(0, 0.1, 1, 0.9), "panorama", trusted=True)
    loose = make_plan(PHOTO, see(wide), Size(288, 512), Rules(Policy.CROP))
    assert loose.warnings == ("panorama is cut: 62% of it is lost",)
    with pytest.raises(UnreachablePlan, match="panorama is cut"):
        make_plan(PHOTO, see(wide), Size(288, 512), Rules(Policy.CROP, strict=True))


def test_a_protected_box_replaces_the_guesses() -> None:
    everything = Subject(Box(0, 0, 1, 1), "what stands out")
    rules = Rules(protect=(Box(0.6, 0.2, 0.8, 0.6),))
    plan = make_plan(PHOTO, see(everything), Size(512, 512), rules, paint_price=3.0)
    assert plan.painted_fraction == 0
    assert plan.crop.left < 0.6 * 768
    assert plan.crop.right > 0.8 * 768


def test_subjects_stay_out_of_keep_clear_zones() -> None:
    tall = Subject(Box(0.3, 0.0, 0.6, 1.0), "bottle", SubjectKind.PRODUCT, trusted=True)
    rules = Rules(keep_clear=(Box(0, 0, 1, 0.14), Box(0, 0.8, 1, 1)))
    plan = make_plan(Size(600, 900), see(tall), Size(1080, 1920), rules)
    assert not plan.warnings
    assert plan.place.top >= 0.139 * 1920
    assert plan.place.bottom <= 0.801 * 1920


@pytest.mark.parametrize(("anchor", "gap"), [(Anchor.LEFT, Edge.LEFT), (Anchor.RIGHT, Edge.RIGHT)])
def test_an_anchor_holds_the_source_at_that_side(anchor: Anchor, gap: Edge) -> None:
    plan = make_plan(PHOTO, see(), Size(1600, 512), Rules(anchor=anchor))
    assert plan.gaps[gap] == 0


def test_the_anchor_decides_what_a_crop_keeps() -> None:
    rules = Rules(Policy.CROP, anchor=Anchor.TOP_LEFT)
    assert make_plan(PHOTO, see(), Size(512, 512), rules).crop[:2] == (0, 0)


def test_a_preferred_place_moves_the_subject_there() -> None:
    def subject_center(prefer: Prefer) -> float:
        plan = make_plan(PHOTO, see(TRUSTED), Size(1600, 512), Rules(prefer=prefer))
        x = 0.4 * 768 - plan.crop.left
        return (plan.place.left + x * plan.scale) / 1600

    assert subject_center(Prefer.LEFT) == pytest.approx(1 / 3, abs=0.03)
    assert subject_center(Prefer.RIGHT) == pytest.approx(2 / 3, abs=0.03)
    assert subject_center(Prefer.CENTER) == pytest.approx(0.5, abs=0.03)


def test_a_target_of_the_same_ratio_is_a_plain_resize() -> None:
    for target in (Size(1024, 683), Size(384, 256), Frame(AspectRatio(3, 2))):
        plan = make_plan(PHOTO, see(GUESSED), target)
        assert plan.noop
        assert plan.feather == 0


def test_a_scan_border_is_skipped_by_the_seam_and_never_cropped() -> None:
    framed = Composition("test", content=Box(4 / 768, 0, 1, 1))
    plan = make_plan(PHOTO, framed, Size(1024, 576))
    assert plan.crop == Box(0, 0, 768, 512)
    assert plan.rim == 5  # 4 source px at scale 1.125
    assert plan.feather == 5 + 8
    assert make_plan(PHOTO, framed, Size(576, 1024)).rim == 0
    assert make_plan(PHOTO, framed, Size(1024, 576), Rules(feather=0)).rim == 0


def test_an_expansion_keeps_the_source_unscaled() -> None:
    plan = make_plan(PHOTO, see(TRUSTED), Expansion(70, 0, 0, 10))
    assert plan.copied
    assert plan.crop == Box(0, 0, 768, 512)
    assert plan.place == (538, 0, 1306, 512)
    assert plan.target == (1306, 563)


def test_an_expansion_under_policy_crop_is_refused() -> None:
    with pytest.raises(InvalidOption, match="policy crop forbids"):
        make_plan(PHOTO, see(), Expansion(left=10), Rules(Policy.CROP))


@pytest.mark.parametrize(
    "rules",
    [
        Rules(max_crop=1.5),
        Rules(max_crop=float("nan")),
        Rules(protect=(Box(0, 0, 2, 1),)),
        Rules(keep_clear=(Box(0.5, 0, 0.5, 1),)),
        Rules(feather=-1),
    ],
)
def test_rules_out_of_range_are_refused(rules: Rules) -> None:
    with pytest.raises(InvalidOption):
        make_plan(PHOTO, see(), Size(512, 512), rules)


def test_a_source_that_would_vanish_is_refused() -> None:
    with pytest.raises(UnreachableTarget, match="less than a pixel"):
        make_plan(Size(20_000, 16), see(), Size(576, 1024))


def test_the_seam_is_eight_pixels_at_1k_and_in_proportion() -> None:
    def feather(size: Size, rules: Rules | None = None) -> int:
        return make_plan(PHOTO, see(), size, rules).feather

    assert feather(Size(1024, 576)) == 8
    assert feather(Size(4096, 2304)) == 32
    assert feather(Size(1024, 576), Rules(feather=0)) == 0
    assert feather(Size(768, 512)) == 0


def test_large_growth_goes_outward_in_passes() -> None:
    plan = make_plan(PHOTO, see(), Size(970, 90))
    widths = [frame.size.width for frame in plan.passes]
    assert widths[-1] == 970
    known = plan.place.size.width
    for width in widths:
        assert width / known <= 1.52
        known = width


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (Size(1366, 768), Size(1920, 1080)),
        (Size(1000, 667), Size(1500, 1000)),
        (Size(1365, 768), Size(3840, 2160)),
    ],
)
def test_a_ratio_off_by_less_than_a_pixel_paints_no_sliver(source: Size, target: Size) -> None:
    for policy in Policy:
        assert make_plan(source, see(), target, Rules(policy)).noop


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (Size(16_382, 57), Size(576, 1024)),
        (Size(3, 397), Size(194, 500)),
        (Size(9, 5), Size(8, 90)),
    ],
)
def test_a_thin_source_shrinks_rather_than_lose_a_part(source: Size, target: Size) -> None:
    plan = make_plan(source, see(), target, Rules(Policy.EXPAND))
    plan.check()
    assert plan.lost_fraction < 0.04


def test_a_cut_across_the_long_side_is_warned_of_however_thin_the_source() -> None:
    rules = Rules(Policy.CROP, protect=(Box(0.748, 0, 0.858, 1),))
    plan = make_plan(Size(5128, 46), see(), Size(270, 40), rules)
    assert any("protected area is cut" in warning for warning in plan.warnings)


def test_a_wish_never_beats_a_hard_rule() -> None:
    bust = Subject(Box(0.2, 0.2, 0.8, 1), "bust", SubjectKind.PERSON, trusted=True)
    seen = see(bust, cut=frozenset({Edge.BOTTOM}))
    plan = make_plan(PHOTO, seen, Size(576, 1024), Rules(Policy.EXPAND, prefer=Prefer.TOP))
    assert plan.gaps[Edge.BOTTOM] == 0


def test_a_margin_lost_by_cropping_is_warned_of() -> None:
    wide = Subject(Box(0.25, 0.1, 0.75, 0.9), "car", trusted=True)
    plan = make_plan(Size(1000, 500), see(wide), Size(500, 500), Rules(Policy.CROP))
    assert any("without a margin" in warning for warning in plan.warnings)


def test_a_bound_may_lie_in_a_keep_clear_zone_where_the_subject_itself_does_not() -> None:
    """A guess as large as the photo would else shrink every photo into the free zone."""
    bound = Subject(Box(0, 0, 1, 1), "what stands out")
    likely = Subject(Box(0.2, 0.3, 0.8, 0.6), "likely subject", weight=0.4, must_keep=False)
    rules = Rules(keep_clear=(Box(0, 0, 1, 0.14), Box(0, 0.8, 1, 1)))
    plan = make_plan(Size(900, 1200), see(bound, likely), Size(1080, 1920), rules)
    assert plan.place.size.width == 1080
    assert not plan.warnings


@pytest.mark.parametrize(
    ("source", "expansion", "size"),
    [
        (Size(3000, 2000), Expansion(50, 0, 50, 0, longest=4096), Size(4096, 1365)),
        (Size(1000, 800), Expansion(10, 10, 10, 10, longest=4096), Size(1200, 960)),
        (Size(5001, 3003), Expansion(longest=4096), Size(4096, 2460)),
        (Size(4000, 1000), Expansion(80, 80, 80, 80, longest=4096), Size(4096, 1024)),
    ],
)
def test_an_expansion_can_be_bounded_without_stretching(
    source: Size, expansion: Expansion, size: Size
) -> None:
    plan = make_plan(source, Composition("test"), expansion)
    plan.check()
    assert plan.target == size
    assert plan.lost_fraction < 0.001
    before, after = plan.place.left, size.width - plan.place.right
    assert before == pytest.approx(source.width * expansion.left / 100 * plan.scale, abs=1)
    assert after == pytest.approx(source.width * expansion.right / 100 * plan.scale, abs=1.5)

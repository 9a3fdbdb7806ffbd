"""What the modes cost."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from pipelines.engine import Mode
from pipelines.models.sdxl.recipe import (
    RECIPES,
    REFINEMENTS,
    Recipe,
    Sampler,
    choose_recipes,
    choose_refinements,
)

SAMPLERS = st.sampled_from(Sampler)


@pytest.mark.parametrize("has_few_step", [False, True])
def test_every_mode_has_a_recipe_and_costs_more_than_the_one_before(has_few_step: bool) -> None:
    for recipes in (
        choose_recipes(has_few_step=has_few_step),
        choose_refinements(has_few_step=has_few_step),
    ):
        costs = [recipes[mode].evaluations for mode in Mode]
        assert costs == sorted(set(costs))


def test_a_refinement_costs_less_than_the_painting() -> None:
    for mode in Mode:
        assert REFINEMENTS[mode].evaluations < RECIPES[mode].evaluations / 2


def test_only_fast_wants_the_few_step_adapter_and_only_where_it_is_loaded() -> None:
    without, with_it = (choose_recipes(has_few_step=has) for has in (False, True))
    assert without == RECIPES
    assert not any(recipe.few_step for recipe in without.values())
    assert [mode for mode in Mode if with_it[mode] != without[mode]] == [Mode.FAST]
    fast = with_it[Mode.FAST]
    assert fast.few_step
    assert fast.sampler is Sampler.CONSISTENCY
    assert fast.evaluations == 8 < without[Mode.FAST].evaluations
    assert choose_refinements(has_few_step=True)[Mode.FAST].few_step
    assert not any(recipe.few_step for recipe in REFINEMENTS.values())


def test_guidance_costs_only_inside_its_interval() -> None:
    recipe = Recipe(steps=8, guidance=5.0, interval=(0.25, 0.5))
    assert [recipe.guides(step) for step in range(8)] == [False] * 2 + [True] * 2 + [False] * 4
    assert recipe.evaluations == 10


def test_no_guidance_never_costs() -> None:
    assert Recipe(steps=8, guidance=1.0).evaluations == 8


def test_less_strength_takes_the_last_steps_and_guides_where_all_would() -> None:
    whole = Recipe(steps=10, guidance=5.0, interval=(0.0, 0.8))
    part = replace(whole, strength=0.4)
    assert (part.taken, part.skipped) == (4, 6)
    assert [part.guides(step) for step in range(4)] == [whole.guides(step) for step in range(6, 10)]
    assert part.evaluations == 6


@given(st.integers(1, 60), st.floats(0, 1), SAMPLERS)
def test_at_least_one_step_is_taken_and_every_step_has_its_noise(
    steps: int, strength: float, sampler: Sampler
) -> None:
    recipe = Recipe(steps, 1.0, strength=strength, sampler=sampler)
    assert 1 <= recipe.taken <= steps
    assert recipe.taken + recipe.skipped == steps
    assert recipe.evaluations == recipe.taken
    assert recipe.noises == (recipe.taken if sampler is Sampler.CONSISTENCY else 1)

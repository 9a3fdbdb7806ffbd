"""What the modes cost."""

from pipelines.engine import Mode
from pipelines.models.sdxl.recipe import RECIPES, Recipe


def test_every_mode_has_a_recipe_and_costs_more_than_the_one_before() -> None:
    costs = [RECIPES[mode].evaluations for mode in Mode]
    assert costs == sorted(set(costs))


def test_guidance_costs_only_inside_its_interval() -> None:
    recipe = Recipe(steps=8, guidance=5.0, interval=(0.25, 0.5))
    assert [recipe.guides(step) for step in range(8)] == [False] * 2 + [True] * 2 + [False] * 4
    assert recipe.evaluations == 10


def test_no_guidance_never_costs() -> None:
    assert Recipe(steps=8, guidance=1.0).evaluations == 8

"""Colours spread from a seam soften with the distance and meet the photo."""

import numpy as np

from pipelines.preview import membrane


def test_small_features_die_out_before_broad_ones() -> None:
    rows = np.arange(240)
    fine = 100 + 50 * np.sin(rows * 2 * np.pi / 6)
    broad = 100 + 50 * np.sin(rows * 2 * np.pi / 240)
    profile = np.stack([fine, broad, broad], axis=1).astype(np.float32)
    spread = membrane.spread(profile, 40, 0.5)
    assert spread.shape == (240, 40, 3)
    assert spread[:, 0, 0].std() > 20
    assert spread[:, 20, 0].std() < 1
    assert spread[:, 39, 1].std() > 20


def test_the_mean_colour_lasts_at_any_distance() -> None:
    profile = np.random.default_rng(0).uniform(0, 255, (100, 3)).astype(np.float32)
    spread = membrane.spread(profile, 500, 1.0)
    assert np.allclose(spread.mean(axis=0), profile.mean(axis=0), atol=3)


def test_a_single_row_is_replicated() -> None:
    profile = np.array([[10, 20, 30]], np.float32)
    assert (membrane.spread(profile, 5, 0.5) == profile[:, None]).all()


def test_a_bent_fill_meets_the_photo_and_forgets_it_further_out() -> None:
    fill = np.zeros((50, 200, 3), np.float32)
    bent = membrane.bend(fill, np.full((50, 3), 100, np.float32), 10)
    assert np.allclose(bent[:, 0], 100, atol=1)
    assert np.abs(bent[:, 150:]).max() < 1

"""What the border of a photo looks like is told right."""

import numpy as np
import numpy.typing as npt

from pipelines.preview import rim


def draw_noise(rows: int, columns: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).uniform(60, 200, (rows, columns, 3)).astype(np.float32)


def test_a_gradient_along_the_border_is_flat_and_noise_is_not() -> None:
    gradient = np.linspace(0, 255, 90, dtype=np.float32)[:, None, None].repeat(60, 1).repeat(3, 2)
    assert rim.is_flat(gradient)
    assert not rim.is_flat(draw_noise(90, 60))


def test_the_calm_band_ends_where_another_material_begins() -> None:
    known = np.full((120, 200, 3), (110, 160, 230), np.float32)
    known[:, :120] = (60, 110, 40)
    assert 72 <= rim.measure_calm(known) <= 84


def test_a_subject_touches_the_rows_in_which_it_reaches_the_border() -> None:
    blocked = np.zeros((50, 100), np.bool_)
    blocked[10:20, 60:] = True
    blocked[30:40, 40:80] = True
    assert np.flatnonzero(rim.find_touched(blocked, is_cut=False)).tolist() == [*range(10, 20)]
    both = [*range(10, 20), *range(30, 40)]
    assert np.flatnonzero(rim.find_touched(blocked, is_cut=True)).tolist() == both
    assert rim.find_touched(np.zeros((50, 100), np.bool_), is_cut=True).all()


def test_room_is_what_lies_beyond_the_last_subject() -> None:
    blocked = np.zeros((50, 100), np.bool_)
    assert rim.measure_room(blocked) == 100
    blocked[10:20, 60:75] = True
    assert rim.measure_room(blocked) == 25

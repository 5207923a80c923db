"""Transformed copies: exact symmetries, and the ranges and distributions of the augmentations."""

import numpy as np
import pytest

from cnn_reference.transforms import Augmentation, augment, bank, draw, symmetries

IMAGE = np.arange(25.0).reshape(1, 1, 5, 5)
DRAWS = [draw(np.random.default_rng(seed)) for seed in range(3000)]


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 4])
def test_quarter_turns_are_exact(turns: int) -> None:
    turned = augment(IMAGE, Augmentation(rotation=90 * turns))
    assert any(np.array_equal(turned, np.rot90(IMAGE, sign * turns, (2, 3))) for sign in (1, -1))
    assert turns % 4 == 0 or not np.array_equal(turned, IMAGE)


def test_whole_shifts_are_slices_and_a_flip_undoes_itself() -> None:
    shifted = augment(IMAGE, Augmentation(translation=(1, -2)))
    np.testing.assert_array_equal(shifted[..., 1:, :-2], IMAGE[..., :-1, 2:])
    assert not shifted[..., 0, :].any()
    assert not shifted[..., -2:].any()
    flipped = augment(IMAGE, Augmentation(flip=True))
    np.testing.assert_array_equal(flipped, IMAGE[..., ::-1])
    np.testing.assert_array_equal(augment(flipped, Augmentation(flip=True)), IMAGE)


def test_factors_and_shear_move_points_as_they_say() -> None:
    point = np.zeros((1, 1, 9, 9))
    point[..., 2, 4] = 1
    stretched = augment(point, Augmentation(stretch=2))
    assert stretched[0, 0, 0, 4] == 1
    scaled = augment(IMAGE, Augmentation(scale=2))
    np.testing.assert_array_equal(scaled[..., ::2, ::2], IMAGE[..., 1:4, 1:4])
    sheared = augment(point, Augmentation(shear=45))
    assert sheared[0, 0, 2, 2] == pytest.approx(1)


def test_symmetries_are_closed_and_their_maximum_does_not_change() -> None:
    image = np.random.default_rng(0).integers(0, 9, (1, 1, 3, 3)).astype(float)
    filters = np.random.default_rng(1).integers(-4, 5, (3, 3))

    def response(x: np.ndarray) -> float:
        return float(np.max((symmetries(x) * filters).sum((3, 4))))

    copies = symmetries(image)
    assert len({copy.tobytes() for copy in copies}) == 8
    for copy in copies:
        assert {again.tobytes() for again in symmetries(copy)} == {each.tobytes() for each in copies}
        assert response(copy) == response(image)


def test_the_bank_counts_a_full_turn_once() -> None:
    copies = bank(IMAGE, 4, (1.0, 0.5), reflect=True)
    assert copies.shape == (16, *IMAGE.shape)
    unscaled = np.concatenate([copies[:4], copies[8:12]])
    assert {c.tobytes() for c in unscaled} == {c.tobytes() for c in symmetries(IMAGE)}


def test_draws_stay_in_their_ranges_and_reach_across_them() -> None:
    def column(name: str) -> np.ndarray:
        return np.array([getattr(a, name) for a in DRAWS])

    ranges = {"rotation": (0, 360), "translation": (-10, 10), "shear": (-20, 20)}
    ranges |= {"scale": (1 / 1.6, 1.6), "stretch": (1 / 1.3, 1.3)}
    for name, (low, high) in ranges.items():
        values = column(name)
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
    assert set(column("flip")) == {False, True}


@pytest.mark.parametrize(("name", "a"), [("scale", 1.6), ("stretch", 1.3)])
def test_factors_are_log_uniform(name: str, a: float) -> None:
    values = np.array([getattr(draw_, name) for draw_ in DRAWS])
    # Half lies below 1: uniform draws would give 0.385 and 0.435.
    assert abs(np.mean(values < 1) - 0.5) < 4 * 0.5 / np.sqrt(len(values))
    assert abs(np.mean(values) - (a - 1 / a) / (2 * np.log(a))) < 4 * values.std() / np.sqrt(len(values))


def test_augmenting_keeps_shape_and_dtype() -> None:
    image = IMAGE.astype(np.float32)
    result = augment(image, DRAWS[0])
    assert (result.shape, result.dtype) == (image.shape, image.dtype)

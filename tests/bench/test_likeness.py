"""What the tables of renditions rest on: SSIM, and what lies between two trials."""

import random
from math import exp, log, sqrt
from typing import Any

import pytest
import pyvips

from bench.equal_likeness import Trial, mean_price, price_at
from bench.ssim import C1, C2, Original, dssim, ssim, weights
from factories.photos import flat, picture


def grey(rows: list[list[int]]) -> Any:  # noqa: ANN401 - pyvips has no types
    return pyvips.Image.new_from_array(rows).cast("uchar").copy(interpretation="b-w")


def test_a_picture_is_like_itself() -> None:
    image = picture(64, 48)

    assert ssim(image, image) == pytest.approx(1, abs=1e-6)
    assert dssim(1) == 0


def test_worse_pictures_are_less_alike() -> None:
    image = picture(200, 150)
    original = Original(image)

    encoded = [pyvips.Image.new_from_buffer(image.jpegsave_buffer(Q=q), "") for q in (95, 70, 40, 10)]
    likeness = [original.ssim(other) for other in encoded]

    assert likeness == sorted(likeness, reverse=True)
    assert likeness[0] > 0.9 > likeness[-1]


def test_blur_costs_structure_where_more_light_costs_little() -> None:
    image = picture(200, 150)

    lighter, blurred = (image + 8).cast("uchar"), image.gaussblur(2)

    assert ssim(image, lighter) > 0.95 > ssim(image, blurred)


def test_flat_pictures_differ_by_luminance_alone() -> None:
    # Without any structure the second factor is 1, and the first is that of two numbers.
    assert ssim(flat(20, 20, 100, 100, 100), flat(20, 20, 120, 120, 120)) == pytest.approx(
        (2 * 100 * 120 + C1) / (100**2 + 120**2 + C1), abs=1e-6
    )


def test_green_counts_more_than_red_and_blue() -> None:
    grey_one, greener = flat(20, 20, 100, 100, 100), flat(20, 20, 100, 120, 100)
    light = 100 + 20 * 0.587

    assert ssim(grey_one, greener) == pytest.approx(
        (2 * 100 * light + C1) / (100**2 + light**2 + C1), abs=1e-6
    )


def test_one_window_is_what_the_formula_says() -> None:
    chance = random.Random(3)  # noqa: S311 - the same pixels at every run
    left, right = ([[chance.randrange(256) for _ in range(11)] for _ in range(11)] for _ in range(2))
    side = weights()
    window = [(side[y] * side[x], left[y][x], right[y][x]) for y in range(11) for x in range(11)]
    mean_x, mean_y = (sum(pixel[0] * pixel[n] for pixel in window) for n in (1, 2))
    var_x = sum(w * (x - mean_x) ** 2 for w, x, _ in window)
    var_y = sum(w * (y - mean_y) ** 2 for w, _, y in window)
    both = sum(w * (x - mean_x) * (y - mean_y) for w, x, y in window)
    formula = ((2 * mean_x * mean_y + C1) * (2 * both + C2)) / (
        (mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2)
    )

    assert (len(side), sum(side), side[5] / side[4]) == pytest.approx((11, 1, exp(1 / (2 * 1.5**2))))
    assert ssim(grey(left), grey(right)) == pytest.approx(formula, abs=1e-4)


def trial(quality: int, size_bytes: int, ssim_reached: float) -> Trial:
    return Trial(
        picture="sky",
        size="full",
        encoder="WebP effort 2",
        quality=quality,
        size_bytes=size_bytes,
        cpu_ms=float(quality),
        ssim=ssim_reached,
    )


def test_between_two_trials_the_price_is_between_theirs() -> None:
    trials = [trial(60, 1_000, 0.90), trial(80, 4_000, 0.99)]

    # Half way between 1 - 0.90 and 1 - 0.99, counted in factors.
    price = price_at(trials, 1 - sqrt(0.1 * 0.01))

    assert price is not None
    assert (price.quality, price.cpu_ms) == pytest.approx((70, 70))
    assert log(price.size_bytes) == pytest.approx(log(2_000))
    assert mean_price([price, price]) == price


@pytest.mark.parametrize("ssim_asked", [0.89, 0.995])
def test_what_was_not_reached_has_no_price(ssim_asked: float) -> None:
    assert price_at([trial(60, 1_000, 0.90), trial(80, 4_000, 0.99)], ssim_asked) is None

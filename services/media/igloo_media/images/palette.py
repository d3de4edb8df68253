"""The placeholders of a photo: its blurhash and its dominant colour, from a few hundred pixels."""

import math
from collections import Counter
from collections.abc import Sequence

# Source of the format: the "Blurhash Algorithm" page of the blurhash project. The transform is separable,
# so rows are summed first and columns after: 8 times fewer steps than the direct form, which makes plain
# Python cheap enough, and keeps a second image library away from hostile bytes.
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
# Where the curve of sRGB ends to be straight, seen from either side (IEC 61966-2-1).
ENCODED_KNEE, LINEAR_KNEE = 0.04045, 0.0031308
LINEAR = tuple(
    value / 255 / 12.92 if value / 255 <= ENCODED_KNEE else ((value / 255 + 0.055) / 1.055) ** 2.4
    for value in range(256)
)
COARSE_SHIFT = 4

Color = tuple[float, float, float]


def blurhash(pixels: bytes, width: int, height: int, *, across: int, down: int) -> str:
    """Return the blurhash of interleaved 8-bit sRGB pixels, of 1 to 9 components `across` and `down`."""
    factors = _factors(pixels, width, height, across=across, down=down)
    average, rest = factors[0], factors[1:]
    largest = max((abs(channel) for factor in rest for channel in factor), default=0.0)
    quantised = max(0, min(82, math.floor(largest * 166 - 0.5))) if rest else 0
    scale = (quantised + 1) / 166 if rest else 1.0
    return (
        _base83(across - 1 + (down - 1) * 9, 1)
        + _base83(quantised, 1)
        + _base83(_packed_average(average), 4)
        + "".join(_base83(_packed_detail(factor, scale), 2) for factor in rest)
    )


def dominant_color(pixels: bytes) -> str:
    """Return the mean of the most frequent coarse colour of interleaved 8-bit sRGB pixels, as `#rrggbb`."""
    colors = list(zip(pixels[0::3], pixels[1::3], pixels[2::3], strict=True))
    coarse = Counter((r >> COARSE_SHIFT, g >> COARSE_SHIFT, b >> COARSE_SHIFT) for r, g, b in colors)
    winner = coarse.most_common(1)[0][0]
    members = [color for color in colors if tuple(channel >> COARSE_SHIFT for channel in color) == winner]
    return "#" + "".join(
        f"{round(sum(channel) / len(members)):02x}" for channel in zip(*members, strict=True)
    )


def _factors(pixels: bytes, width: int, height: int, *, across: int, down: int) -> list[Color]:
    waves_x = [[math.cos(math.pi * i * x / width) for x in range(width)] for i in range(across)]
    waves_y = [[math.cos(math.pi * j * y / height) for y in range(height)] for j in range(down)]
    channels = [[LINEAR[value] for value in pixels[band::3]] for band in range(3)]
    sums = [_transformed(channel, width, waves_x, waves_y) for channel in channels]
    factors: list[Color] = []
    for j in range(down):
        for i in range(across):
            share = (1 if i == j == 0 else 2) / (width * height)
            factors.append((sums[0][j][i] * share, sums[1][j][i] * share, sums[2][j][i] * share))
    return factors


def _transformed(
    channel: Sequence[float], width: int, waves_x: list[list[float]], waves_y: list[list[float]]
) -> list[list[float]]:
    rows = [channel[start : start + width] for start in range(0, len(channel), width)]
    by_row = [[_dot(row, wave) for row in rows] for wave in waves_x]
    return [[_dot(column, wave) for column in by_row] for wave in waves_y]


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _packed_average(color: Color) -> int:
    red, green, blue = (_srgb(channel) for channel in color)
    return (red << 16) + (green << 8) + blue


def _packed_detail(color: Color, scale: float) -> int:
    red, green, blue = (
        max(0, min(18, math.floor(math.copysign(math.sqrt(abs(channel / scale)), channel) * 9 + 9.5)))
        for channel in color
    )
    return red * 361 + green * 19 + blue


def _srgb(linear: float) -> int:
    value = max(0.0, min(1.0, linear))
    encoded = value * 12.92 if value <= LINEAR_KNEE else 1.055 * value ** (1 / 2.4) - 0.055
    return int(encoded * 255 + 0.5)


def _base83(value: int, length: int) -> str:
    return "".join(DIGITS[value // 83 ** (length - place) % 83] for place in range(1, length + 1))

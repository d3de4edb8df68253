"""Pictures of 12 megapixels, made in code: each kind is hard for an encoder in its own way."""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pyvips

WIDTH, HEIGHT = 4032, 3024
CAMERA_QUALITY: Final = 93
"""About what phones write."""
# Letters of strokes in a box of 10 by 16: what fonts a machine has shall not change the picture.
LETTERS: Final = (
    "M1 15V1L9 15V1", "M1 1V15H9", "M9 1H1V15H9M1 8H7", "M5 1V15M1 1H9", "M1 15L5 1L9 15M3 10H7",
    "M9 3C7 0 1 1 1 5C1 9 9 7 9 11C9 15 3 16 1 13", "M5 1C0 1 0 15 5 15C10 15 10 1 5 1",
    "M1 15V1C11 1 11 8 1 8M5 8L9 15", "M1 1L5 15L9 1", "M1 1V15M9 1V15M1 8H9", "M1 6V15M1 9C3 5 9 5 9 9V15",
    "M9 8C7 5 1 6 1 10C1 16 7 16 9 13M9 6V15",
)  # fmt: skip
LINE: Final = 1200
LIGHTS: Final = ("#e8c27a", "#9fb6c9", "#47606e")
SKIN, HAIR, WALL = "#c98f72", "#3a2418", "#6d7f8c"


def sky(seed: int) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return the smooth gradients of an evening sky under the noise of a sensor."""
    place = pyvips.Image.xyz(WIDTH, HEIGHT)
    across, down = place[0] / WIDTH, place[1] / HEIGHT
    glow = (((across - 0.7) ** 2 + (down - 0.9) ** 2) * -3).exp() * 90
    bands = [down * 60 + 70 + glow, down * 20 + 110 + glow * 0.7, down * -50 + 170 + glow * 0.3]
    return _photographed(bands[0].bandjoin(bands[1:]), seed=seed, noise=6)


def foliage(seed: int) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return leaves of all sizes, with hard edges between light and shadow."""
    light = pyvips.Image.black(WIDTH, HEIGHT)
    for octave, cell in enumerate((512, 128, 48, 20)):
        layer = pyvips.Image.perlin(WIDTH, HEIGHT, cell_size=cell, seed=seed + octave)
        # Steep in the middle: a leaf is before another or behind it, seldom half.
        light += (layer * 6).atan() * (0.45 / (1 + octave * 0.3))
    bands = [light * 0.8 + 84, light + 108, light * 0.55 + 52]
    return _photographed(bands[0].bandjoin(bands[1:]), seed=seed, noise=4)


def screenshot(seed: int) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return lines of text in several sizes, boxes and flat colours, as a phone shows them."""
    chance = random.Random(seed)  # noqa: S311 - the same picture at every run
    shapes = "".join(_panel(chance, column, row) for column in range(3) for row in range(4))
    return _drawn(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#f4f5f7"/>{shapes}').flatten()


def portrait(seed: int) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return a soft face before blurred lights, with fine hair, under the noise of a sensor."""
    chance = random.Random(seed)  # noqa: S311 - the same picture at every run
    lights = "".join(
        f'<circle cx="{chance.randrange(WIDTH)}" cy="{chance.randrange(HEIGHT)}" '
        f'r="{chance.randrange(60, 260)}" fill="{chance.choice(LIGHTS)}" opacity="0.4"/>'
        for _ in range(40)
    )
    wall = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{WALL}"/>'
    face = (
        f'<ellipse cx="2000" cy="1500" rx="820" ry="1080" fill="{SKIN}"/>'
        '<ellipse cx="1700" cy="1650" rx="260" ry="180" fill="#dba58a"/>'
        '<ellipse cx="2380" cy="1700" rx="230" ry="160" fill="#b97a5f"/>'
        '<path d="M1750 2100C1900 2200 2150 2200 2280 2090" stroke="#8c3f3a" stroke-width="60" fill="none"/>'
    )
    eyes = "".join(
        f'<ellipse cx="{x}" cy="1320" rx="130" ry="66" fill="#f2ece6"/><circle cx="{x}" cy="1320" r="58" '
        'fill="#2f4a3a"/><circle cx="{x}" cy="1320" r="26" fill="#0c0c0c"/>'.replace("{x}", str(x))
        for x in (1690, 2320)
    )
    soft = _blurred(wall + lights + face)
    sharp = _over(soft, _drawn(eyes + "".join(_hairs(chance))))
    return _photographed(sharp, seed=seed, noise=4)


PICTURES: Final[Mapping[str, Callable[[int], Any]]] = {
    "sky": sky,
    "foliage": foliage,
    "screenshot": screenshot,
    "portrait": portrait,
}


def as_jpeg(image: Any) -> bytes:  # noqa: ANN401 - pyvips has no types
    """Encode a picture as a phone's camera does."""
    encoded: bytes = image.jpegsave_buffer(Q=CAMERA_QUALITY, keep="none")
    return encoded


def _photographed(light: Any, *, seed: int, noise: float) -> Any:  # noqa: ANN401 - pyvips has no types
    """Add the noise of a sensor: of each colour its own, and a little wider than a pixel."""
    grain = [pyvips.Image.gaussnoise(WIDTH, HEIGHT, sigma=noise * 2, mean=0, seed=seed + n) for n in range(3)]
    wide = (
        grain[0].bandjoin(grain[1:]).conv(pyvips.Image.new_from_array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16))
    )
    return (light + wide).cast("uchar").copy(interpretation="srgb").copy_memory()


def _drawn(shapes: str) -> Any:  # noqa: ANN401 - pyvips has no types
    page = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">{shapes}</svg>'
    return pyvips.Image.svgload_buffer(page.encode()).copy_memory()


def _blurred(shapes: str) -> Any:  # noqa: ANN401 - pyvips has no types
    """Draw out of focus: small and then enlarged, for blurring at full size takes half a minute."""
    return _drawn(shapes).resize(1 / 8).gaussblur(2.5).resize(8, kernel="cubic").flatten()


def _over(below: Any, above: Any) -> Any:  # noqa: ANN401 - pyvips has no types
    return below.composite2(above, "over").flatten().copy_memory()


def _panel(chance: random.Random, column: int, row: int) -> str:
    left, top = 40 + column * 1330, 40 + row * 740
    colour = chance.choice(("#ffffff", "#ffffff", "#1f2933", "#e3f2fd"))
    ink = "#e9edf1" if colour == "#1f2933" else "#22282e"
    size = chance.choice((1.6, 2.0, 2.6))
    lines = "".join(
        _line(chance, (left + 50, top + 60 + int(y * 30 * size)), ink=ink, size=size)
        for y in range(int(620 / (30 * size)))
    )
    button = chance.choice(("#0a84ff", "#34c759", "#ff9f0a"))
    return (
        f'<rect x="{left}" y="{top}" width="1290" height="700" rx="36" fill="{colour}"/>{lines}'
        f'<rect x="{left + 900}" y="{top + 560}" width="340" height="100" rx="50" fill="{button}"/>'
    )


def _line(chance: random.Random, place: tuple[int, int], *, ink: str, size: float) -> str:
    """Write words of made-up letters until the line is full."""
    written, x = [], 0.0
    while x < LINE / size - 12:
        if chance.random() > 0.18:
            written.append(f'<path transform="translate({x:.0f} 0)" d="{chance.choice(LETTERS)}"/>')
        x += 13
    return (
        f'<g transform="translate({place[0]} {place[1]}) scale({size})" '
        f'stroke="{ink}" stroke-width="1.7" fill="none">' + "".join(written) + "</g>"
    )


def _hairs(chance: random.Random) -> Iterator[str]:
    """Draw all hairs of a shade as one path: libvips draws in strips, and each shape in each of them."""
    for width, shade in ((6, HAIR), (5, "#5b3a26"), (4, "#2a1a11"), (3, "#7a5236")):
        path = ""
        for _ in range(220):
            x, lean, length = (
                chance.randrange(1200, 2800),
                chance.randrange(-260, 260),
                chance.randrange(300, 900),
            )
            path += f"M{x} {420 + abs(x - 2000) // 3}q{lean} {length // 2} {lean // 2} {length}"
        yield f'<path d="{path}" stroke="{shade}" stroke-width="{width}" fill="none"/>'

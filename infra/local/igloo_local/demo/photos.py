"""Photos that are drawn, not taken: layered ridges under a sky, with grain, at the sizes of real cameras."""

import random
from functools import cache

import pyvips

from igloo_local.demo.scenes import SCENES, Scene

# Mostly as phones hold them for a landscape, some upright, some square.
_SIZES = ((1600, 1200), (1600, 1200), (1200, 1600), (1600, 1066), (1440, 1440))
# Drawn at half the size and enlarged: a quarter of the work, and grain makes the picture sharp again.
_SHRINK = 2
_GRAIN = 5
_TILE = 512
_QUALITY = 84
_STAR_LEVEL = 3.3


def draw_photo(scene_name: str, seed: str) -> bytes:
    """Draw a scene as a JPEG; the same seed gives the same photo."""
    chance = random.Random(f"{scene_name} {seed}")  # noqa: S311 - the same photo everywhere is the point
    scene = SCENES[scene_name]
    width, height = (size // _SHRINK for size in chance.choice(_SIZES))
    horizon = chance.uniform(0.45, 0.68)
    image = _sky(scene, chance, width, height, horizon)
    for number in range(scene.ridges):
        image = _ridge(scene, chance, image, horizon, number)
    image = image.cast("uchar").resize(_SHRINK, kernel="cubic")
    across, down = image.width // _TILE + 1, image.height // _TILE + 1
    grain = _grain().replicate(across, down).crop(0, 0, image.width, image.height)
    photo: bytes = (image + grain).cast("uchar").copy(interpretation="srgb").jpegsave_buffer(Q=_QUALITY)
    return photo


@cache
def _grain() -> pyvips.Image:
    """Make one tile of grain for all photos: its random numbers cost more than the rest of a photo."""
    return pyvips.Image.gaussnoise(_TILE, _TILE, mean=0, sigma=_GRAIN, seed=1).cast("char").copy_memory()


def _sky(scene: Scene, chance: random.Random, width: int, height: int, horizon: float) -> pyvips.Image:
    top, bottom = scene.sky
    depth = pyvips.Image.identity(ushort=True, size=height).rot90() / (height * horizon)
    image = _mixed(top, bottom, (depth > 1).ifthenelse(1, depth)).resize(width, vscale=1, kernel="nearest")
    if scene.stars:
        noise = pyvips.Image.gaussnoise(width, height, mean=0, sigma=1, seed=chance.randrange(2**31))
        image = (noise > _STAR_LEVEL).ifthenelse(chance.randint(150, 230), image)
    if scene.aurora:
        image = _aurora(chance, image)
    return _light(scene, chance, image, horizon) if any(scene.light) else image


def _light(scene: Scene, chance: random.Random, image: pyvips.Image, horizon: float) -> pyvips.Image:
    """Add a sun or moon with a glow around it."""
    size = min(image.width, image.height)
    centre_x = chance.uniform(0.2, 0.8) * image.width
    centre_y = chance.uniform(0.35, 0.95) * horizon * image.height
    place = pyvips.Image.xyz(image.width, image.height)
    distance = ((place[0] - centre_x) ** 2 + (place[1] - centre_y) ** 2) ** 0.5 / size
    glow = (distance * -7).exp() * 0.8
    lit = image * (1 - glow) + glow.bandjoin([glow, glow]) * list(scene.light)
    return (distance < chance.uniform(0.03, 0.06)).ifthenelse(list(scene.light), lit)


def _aurora(chance: random.Random, image: pyvips.Image) -> pyvips.Image:
    """Hang curtains of green light into the sky: sharp below, fading upwards."""
    for _ in range(chance.randint(2, 4)):
        curve = _wave(chance, image.width, roughness=0.6) * 0.12 + chance.uniform(0.22, 0.42)
        rows = pyvips.Image.identity(ushort=True, size=image.height).rot90() / image.height
        above = curve.replicate(1, image.height) - rows.resize(image.width, vscale=1, kernel="nearest")
        folds = (_wave(chance, image.width, roughness=3).replicate(1, image.height) + 1) / 2
        strength = (above > 0).ifthenelse((above * -9).exp(), (above * 60).exp()) * folds
        colour = [chance.randint(20, 90), chance.randint(150, 210), chance.randint(80, 150)]
        image = image + strength.bandjoin([strength, strength]) * colour
    return image


def _ridge(
    scene: Scene, chance: random.Random, image: pyvips.Image, horizon: float, number: int
) -> pyvips.Image:
    """Lay one ridge over the picture; nearer ones are lower, rougher and stronger in colour."""
    nearness = number / max(1, scene.ridges - 1)
    base = horizon + (0.93 - horizon) * nearness
    height = 0.10 * scene.roughness * (0.6 + 0.4 * nearness)
    line = _wave(chance, image.width, roughness=1 + scene.roughness) * height + base
    rows = pyvips.Image.identity(ushort=True, size=image.height).rot90() / image.height
    below = rows.resize(image.width, vscale=1, kernel="nearest") - line.replicate(1, image.height)
    # Mist gathers at the foot of each ridge.
    far, near = scene.land
    colour = _between(far, near, nearness)
    mist = _between(colour, scene.sky[1], 0.35 * (1 - nearness))
    amount = (below * 5 > 1).ifthenelse(1, below * 5)
    return (below > 0).ifthenelse(_mixed(colour, mist, amount), image)


def _wave(chance: random.Random, width: int, *, roughness: float) -> pyvips.Image:
    """Return one row between about -1 and 1 that rises and falls like a skyline."""
    x = pyvips.Image.identity(ushort=True, size=width) / width * 360
    row, strength, frequency = x * 0, 0.6, chance.uniform(0.6, 1.4) * roughness
    for _ in range(7):
        row = row + (x * frequency + chance.uniform(0, 360)).sin() * strength
        strength, frequency = strength * 0.55, frequency * chance.uniform(1.8, 2.4)
    return row


def _mixed(start: tuple[int, ...], end: tuple[int, ...], amount: pyvips.Image) -> pyvips.Image:
    """Blend from one colour to another by an amount from 0 to 1."""
    return amount.bandjoin([amount, amount]) * [b - a for a, b in zip(start, end, strict=True)] + list(start)


def _between(start: tuple[int, ...], end: tuple[int, ...], amount: float) -> tuple[int, ...]:
    return tuple(round(a + (b - a) * amount) for a, b in zip(start, end, strict=True))

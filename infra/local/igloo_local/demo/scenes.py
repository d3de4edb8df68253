"""Kinds of photo that can be drawn, with captions that fit."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Colours from 0 to 255 and what stands in the picture."""

    sky: tuple[tuple[int, int, int], tuple[int, int, int]]
    """At the top and at the horizon."""
    land: tuple[tuple[int, int, int], tuple[int, int, int]]
    """Farthest and nearest ridge."""
    light: tuple[int, int, int] = (0, 0, 0)
    """Colour of the sun or moon; black for none."""
    ridges: int = 4
    roughness: float = 1.0
    aurora: bool = False
    stars: bool = False
    captions: tuple[str, ...]


SCENES = {
    "dawn": Scene(
        sky=((66, 94, 148), (255, 196, 150)),
        land=((196, 150, 160), (44, 48, 74)),
        light=(255, 226, 170),
        captions=(
            "First light over the ice",
            "Up before the fish",
            "Four hours of sun, all of them good",
            "Worth the cold feet",
        ),
    ),
    "aurora": Scene(
        sky=((8, 12, 38), (18, 58, 74)),
        land=((30, 58, 78), (6, 12, 22)),
        ridges=3,
        aurora=True,
        stars=True,
        captions=("The sky is showing off again", "Green all night", "No filter", "Stayed up for this"),
    ),
    "fjord": Scene(
        sky=((142, 186, 214), (232, 240, 242)),
        land=((150, 182, 200), (34, 70, 92)),
        light=(255, 255, 240),
        ridges=6,
        roughness=1.6,
        captions=("Deep water, steep walls", "Echo, echo", "Low tide at the fjord", "Wind from the north"),
    ),
    "midnight_sun": Scene(
        sky=((104, 72, 120), (255, 158, 92)),
        land=((190, 96, 92), (52, 24, 52)),
        light=(255, 208, 120),
        ridges=3,
        roughness=0.6,
        captions=("Midnight, apparently", "It does not set", "Slept at noon instead", "Same time tomorrow"),
    ),
    "snowfield": Scene(
        sky=((170, 200, 226), (238, 244, 250)),
        land=((214, 228, 240), (248, 250, 253)),
        ridges=5,
        roughness=0.5,
        captions=(
            "Fresh snow, no footprints",
            "Somewhere in here is my house",
            "White on white",
            "Quiet today",
        ),
    ),
    "moonlit": Scene(
        sky=((10, 16, 44), (64, 84, 122)),
        land=((60, 80, 112), (10, 16, 32)),
        light=(226, 232, 246),
        stars=True,
        captions=("Full moon, long shadows", "Night walk", "Bright enough to read", "The quiet shift"),
    ),
    "tundra": Scene(
        sky=((120, 168, 206), (222, 232, 224)),
        land=((160, 160, 120), (122, 62, 40)),
        ridges=5,
        roughness=0.4,
        light=(255, 244, 214),
        captions=("Autumn lasts a week here", "Red season", "Berries everywhere", "Walking, walking"),
    ),
}

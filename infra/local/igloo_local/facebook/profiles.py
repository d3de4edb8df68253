"""How Graph describes a person: the fields asked for, and a drawn picture."""

import colorsys
import hashlib
from html import escape

from igloo_local.facebook.errors import ParameterInvalid
from igloo_local.facebook.people import Person

_PICTURE_SIZE = 200
_AVATAR = """\
<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200" viewBox="0 0 200 200">
<defs><linearGradient id="g" x2="1" y2="1">
<stop stop-color="{light}"/><stop offset="1" stop-color="{dark}"/>
</linearGradient></defs>
<rect width="200" height="200" fill="url(#g)"/>
<text x="100" y="136" style="font:104px sans-serif" text-anchor="middle" fill="#fff">{letter}</text>
</svg>
"""


def describe(person: Person, *, fields: str | None, base_url: str) -> dict[str, object]:
    """Return the fields of a person that were asked for; id and name when none were, as Graph does."""
    names = [name.split("{")[0].split(".")[0].strip() for name in (fields or "id,name").split(",")]
    known = _all_fields(person, base_url)
    for name in names:
        if name.strip("{}") not in known:
            raise ParameterInvalid(f"Tried accessing nonexisting field ({name}) on node type (User)")
    return {name: known[name] for name in dict.fromkeys([*names, "id"])}


def picture_url(person_id: str, base_url: str) -> str:
    """Return where the person's picture is."""
    return f"{base_url}/pictures/{person_id}.svg"


def draw_avatar(person: Person) -> str:
    """Draw a picture that is always the same for the same person."""
    hue = hashlib.sha256(person.id.encode()).digest()[0] / 256
    return _AVATAR.format(
        light=_colour(hue, 0.55), dark=_colour(hue + 0.1, 0.35), letter=escape(person.name[:1].upper())
    )


def _all_fields(person: Person, base_url: str) -> dict[str, object]:
    first, _, last = person.name.partition(" ")
    picture = {
        "height": _PICTURE_SIZE,
        "width": _PICTURE_SIZE,
        "is_silhouette": False,
        "url": picture_url(person.id, base_url),
    }
    names: dict[str, object] = {"id": person.id, "name": person.name, "first_name": first, "last_name": last}
    return {**names, "picture": {"data": picture}}


def _colour(hue: float, lightness: float) -> str:
    red, green, blue = colorsys.hls_to_rgb(hue % 1, lightness, 0.5)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"

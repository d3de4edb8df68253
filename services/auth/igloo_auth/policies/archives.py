"""Which names files may have in an archive that somebody unpacks on any kind of computer."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

_UNFIT: Final = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
# Windows takes these for devices, whatever their ending.
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?\Z", re.IGNORECASE)
_LONGEST_NAME: Final = 120


def safe_path(proposed: str) -> str | None:
    """Return a relative path that stays inside the folder it is unpacked in; None when nothing is left.

    The names come from other services. A path that climbs out (`../`), begins at the root or names a drive
    would let an archive of ours write anywhere on the computer of whoever unpacks it.
    """
    names = (_safe_name(name) for name in proposed.replace("\\", "/").split("/"))
    return "/".join(name for name in names if name) or None


def unused_path(path: str, *, taken: set[str]) -> str:
    """Return the path, numbered when another file has it, and take it; upper and lower case are the same."""
    candidate, number = path, 1
    while candidate.casefold() in taken:
        number += 1
        pure = PurePosixPath(path)
        candidate = str(pure.with_name(f"{pure.stem}-{number}{pure.suffix}"))
    taken.add(candidate.casefold())
    return candidate


def _safe_name(name: str) -> str:
    # Dots alone climb, and Windows drops dots and spaces at the end: "..." and ".. " are ".." there.
    fit = _UNFIT.sub("_", name).rstrip(". ").lstrip()
    if _DEVICE.match(fit):
        fit = f"_{fit}"
    if len(fit) <= _LONGEST_NAME:
        return fit
    suffix = PurePosixPath(fit).suffix[:16]
    return fit[: _LONGEST_NAME - len(suffix)] + suffix

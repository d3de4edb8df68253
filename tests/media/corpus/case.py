"""One file of the corpus: its name, its bytes, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Every failure code of a photo that its bytes alone can bring about.
REFUSALS = frozenset(
    {
        "unreadable_image",
        "unsupported_format",
        "too_many_pixels",
        "too_many_frames",
        "animation_too_large",
        "too_much_memory",
    }
)
DEATHS = frozenset({"processing_timeout", "processing_crashed"})


@dataclass(frozen=True, kw_only=True)
class Ready:
    """Renditions come of it.

    The size is the upright one; `marked` says that the upright picture is red in its top left quarter only;
    `told` are the kinds that the receipt names at least.
    """

    width: int
    height: int
    frames: int = 1
    marked: bool = True
    told: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Refused:
    """It is refused with this code."""

    code: str

    def __post_init__(self) -> None:
        """Only documented codes can be expected."""
        assert self.code in REFUSALS, self.code


@dataclass(frozen=True)
class Case:
    """A file made in code; `make` returns the same bytes every time."""

    name: str
    make: Callable[[], bytes]
    expected: Ready | Refused

"""Hostile and strange photos, each made in code, each with what must come of it."""

from media.corpus import (
    animations,
    bombs,
    colors,
    damaged,
    foreign,
    orientations,
    phones,
    polyglots,
    sizes,
    tales,
)
from media.corpus.case import Case

FAMILIES = (orientations, tales, polyglots, colors, sizes, bombs, animations, phones, foreign, damaged)
CORPUS: tuple[Case, ...] = tuple(case for family in FAMILIES for case in family.CASES)

__all__ = ["CORPUS", "Case"]

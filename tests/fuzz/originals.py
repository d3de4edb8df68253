"""The good photos to begin with: the files of the corpus that become renditions, and are small."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from fuzz.mutations import mutated
from fuzz.pieces import kind_of
from media.corpus import CORPUS
from media.corpus.case import Ready

MAX_ORIGINAL_BYTES = 20_000
# Another format than its own now and then: what decoders make of that is of interest as well.
FOREIGN_SHARE = 0.1


@dataclass(frozen=True)
class Mutant:
    """One changed file: the seed of the run and its number make it again."""

    number: int
    data: bytes
    kind: str
    made_of: str
    changes: tuple[str, ...]


@cache
def originals() -> tuple[tuple[str, bytes], ...]:
    """Return names and bytes."""
    made = ((case.name, case.make()) for case in CORPUS if isinstance(case.expected, Ready))
    return tuple((name, data) for name, data in made if len(data) <= MAX_ORIGINAL_BYTES)


def mutant(seed: int, number: int) -> Mutant:
    """Return one mutant of a run."""
    random = Random(f"{seed}:{number}")  # noqa: S311 - to be repeated, not to be secret
    name, original = random.choice(originals())
    kind = kind_of(original)
    others = [data for _, data in originals() if kind_of(data) == kind or random.random() < FOREIGN_SHARE]
    data, changes = mutated(original, random.choice(others), random)
    return Mutant(number=number, data=data, kind=name.partition("-")[0], made_of=name, changes=tuple(changes))

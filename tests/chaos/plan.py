"""What breaks next: the same seed makes the same plan, and every kind comes before any comes twice."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SHORT_HOLD = (0.5, 2.0)
LONG_HOLD = (1.0, 6.0)


@dataclass(frozen=True, kw_only=True)
class Strike:
    """One entry of the plan."""

    number: int
    kind: str
    seed: str
    """Draws the target and how long it is held, whatever was drawn before."""

    def random(self) -> random.Random:
        """Return the source of everything that is drawn for this strike."""
        return random.Random(self.seed)  # noqa: S311 - a repeatable plan, not a secret


def strikes(kinds: Sequence[str], *, seed: int) -> Iterator[Strike]:
    """Yield strikes without end, in shuffled rounds over the kinds."""
    order = random.Random(seed)  # noqa: S311 - a repeatable plan, not a secret
    number = 0
    while True:
        for kind in order.sample(sorted(kinds), len(kinds)):
            yield Strike(number=number, kind=kind, seed=f"{seed}/{number}")
            number += 1

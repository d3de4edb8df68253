"""Towns of any size: who lives there and when they posted, the same for the same size."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

TAGS: Final = 1_000
FIRST_POST: Final = datetime(2026, 1, 1, tzinfo=UTC)
SPAN: Final = timedelta(days=90)
CELEBRITY: Final = 1
POPULAR: Final = 20
"""The first of the town, the celebrity among them, are read by the feeds of whoever follows them."""
REVISED: Final = 50
"""Every so manieth post was edited, and has REVISIONS."""
REVISIONS: Final = 3
REPORTED: Final = 100
"""Every so manieth post is reported, and nobody has decided about it."""
SYLLABLES: Final = tuple(re.findall("..", "kaminorusativelopaenikulbodafiguhejaneorpisytawo"))


@dataclass(frozen=True, kw_only=True)
class Town:
    """How large: ten posts a person, and one person whom everybody follows, whose last post everybody likes.

    Everything is derived from the row's number, so that there is no seed to keep. Ids are spaced like the
    UUIDv7 of people who joined, and posts that were made, one after the other.
    """

    posts: int
    people: int

    def posted_at(self, n: int) -> datetime:
        """Tell when a post was made; 1 is the first."""
        return FIRST_POST + n * (SPAN / self.posts)

    def author_of(self, n: int) -> int:
        """Tell who made a post."""
        return n % self.people + 1

    @property
    def popular_post(self) -> int:
        """The celebrity's last post."""
        return self.posts - self.posts % self.people


def given_name(n: int) -> str:
    """Write what a person is called: of some ten thousand names, in no order."""
    place, syllables = n * 7919, []
    for _ in range(3):
        place, syllable = divmod(place, len(SYLLABLES))
        syllables.append(SYLLABLES[syllable])
    return "".join(syllables)


def username(n: int) -> str:
    """Write a person's username."""
    return f"{given_name(n)}_{n}"


SMALL: Final = Town(posts=20_000, people=2_000)
LARGE: Final = Town(posts=1_000_000, people=100_000)


def person_id(n: int) -> str:
    """Write a person's id."""
    return f"01900000-0000-7000-8000-{n:012x}"


def post_id(n: int) -> str:
    """Write a post's id."""
    return f"01910000-0000-7000-8000-{n:012x}"

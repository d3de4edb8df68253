"""What each person was told: the model that the stack's final state is held against."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Told = Literal["yes", "no", "unknown"]


@dataclass(kw_only=True)
class PersonLedger:
    """What one person's own requests were answered with; written by that person's client alone.

    A request that ended without an answer leaves its fact ``unknown``: either outcome is then right.
    """

    user_id: str
    posts: dict[str, Told] = field(default_factory=dict)
    follows: dict[str, Told] = field(default_factory=dict)
    likes: dict[str, Told] = field(default_factory=dict)

    def followed(self) -> set[str]:
        """Return the people whom this person was told to follow."""
        return {user_id for user_id, told in self.follows.items() if told == "yes"}

    def standing_posts(self) -> set[str]:
        """Return the posts that were acknowledged and not taken back."""
        return {post_id for post_id, told in self.posts.items() if told == "yes"}


class Ledger:
    """Every person's ledger, and a count of what was asked and how it ended."""

    def __init__(self) -> None:
        self.people: dict[str, PersonLedger] = {}
        self._outcomes: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add_person(self, user_id: str) -> PersonLedger:
        """Open the ledger of one person."""
        person = PersonLedger(user_id=user_id)
        with self._lock:
            self.people[user_id] = person
        return person

    def count(self, operation: str, outcome: str) -> None:
        """Count one finished request."""
        with self._lock:
            self._outcomes[f"{operation} {outcome}"] += 1

    def outcomes(self) -> dict[str, int]:
        """Return the counts so far, by operation and outcome."""
        with self._lock:
            return dict(sorted(self._outcomes.items()))

    def posts_of_others(self, user_id: str) -> list[str]:
        """Return posts that others were told stand, for liking."""
        with self._lock:
            people = list(self.people.values())
        return [post for p in people if p.user_id != user_id for post in tuple(p.posts)]

"""Every request that changes something, and what came of it: written by all people, read by the checker."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from chaos.model.facts import Made, Refusal, SignedIn, Token, Violation
from chaos.model.registers import Write, possible_values

Pair = tuple[str, str]
LATENCIES_KEPT = 200_000


class Ledger:
    """Facts by what they are about; times are of one monotonic clock.

    A person's thread notes a write before it sends it, so that whoever judges an answer meanwhile knows of
    everything that may have led to it.
    """

    def __init__(self) -> None:
        self.people: list[str] = []
        self.facebook_tokens: dict[str, str] = {}
        self.follows: dict[Pair, list[Write[bool]]] = defaultdict(list)
        self.blocks: dict[Pair, list[Write[bool]]] = defaultdict(list)
        self.likes: dict[Pair, list[Write[bool]]] = defaultdict(list)
        self.posts: list[Made] = []
        self.comments: list[Made] = []
        self.sessions: list[SignedIn] = []
        self.tokens: dict[Pair, Token] = {}
        self.markers: dict[str, list[Write[datetime]]] = defaultdict(list)
        self.uploads: dict[str, str] = {}
        self.refusals: list[Refusal] = []
        self.seen_published: dict[str, float] = {}
        self.broken: list[Violation] = []
        self.latencies: dict[str, list[float]] = defaultdict(list)
        self._outcomes: Counter[str] = Counter()
        self._troubles: Counter[str] = Counter()
        self._lock = threading.Lock()

    def now(self) -> float:
        """Read the ledger's clock."""
        return time.monotonic()

    def wall(self) -> float:
        """Read the time of day, by which tokens expire."""
        return time.time()

    def count(self, operation: str, outcome: str) -> None:
        """Count one finished request: `acknowledged`, `unanswered` after all tries, or a refusal's status."""
        with self._lock:
            self._outcomes[f"{operation} {outcome}"] += 1

    def trouble(self, kind: str) -> None:
        """Count one sending that brought neither success nor a refusal."""
        with self._lock:
            self._troubles[kind] += 1

    def took(self, operation: str, seconds: float) -> None:
        """Note how long an acknowledged sending took."""
        with self._lock:
            times = self.latencies[operation]
            if len(times) < LATENCIES_KEPT:
                times.append(seconds)

    def break_promise(self, promise: str, sentence: str) -> None:
        """Note a promise that was broken in front of a person's eyes."""
        self.broken.append(Violation(promise=promise, sentence=sentence))

    def outcomes(self) -> dict[str, int]:
        """Return the counts of requests so far, by operation and outcome."""
        with self._lock:
            return dict(sorted(self._outcomes.items()))

    def troubles(self) -> dict[str, int]:
        """Return the counts of sendings that brought no answer of igloo's, by kind."""
        with self._lock:
            return dict(sorted(self._troubles.items()))

    def keep_token(self, token: Token) -> None:
        """Keep the newest token of each person and signing key."""
        self.tokens[(token.session.user_id, token.key_id)] = token

    def block_writes(self, a: str, b: str) -> list[Write[bool]]:
        """Return every write of a block between two people, whoever made it."""
        return [*self.blocks.get((a, b), ()), *self.blocks.get((b, a), ())]

    def follow_writes(self, follower: str, followee: str) -> list[Write[bool]]:
        """Return all that decides a follow: a block ends it, whichever of the two made that."""
        return [*self.follows.get((follower, followee), ()), *self._ended_by_blocks(follower, followee)]

    def like_writes(self, user_id: str, post: Made) -> list[Write[bool]]:
        """Return all that decides a like, likewise."""
        own = self.likes.get((user_id, str(post.id)), ())
        return [*own, *self._ended_by_blocks(user_id, post.author_id)]

    def comment_writes(self, comment: Made) -> list[Write[bool]]:
        """Return all that decides whether a comment is there, the life of its post left aside."""
        ended = self._ended_by_blocks(comment.author_id, comment.post.author_id) if comment.post else []
        return [*comment.writes(), *ended]

    def may_block(self, blocker: str, blocked: str, *, since: float, until: float) -> bool:
        """Tell whether a block may have stood at some moment of a span."""
        writes: Sequence[Write[bool]] = self.blocks.get((blocker, blocked), ())
        return True in possible_values(writes, initial=False, since=since, until=until)

    def _ended_by_blocks(self, a: str, b: str) -> list[Write[bool]]:
        blocks = [write for write in self.block_writes(a, b) if write.value]
        return [
            Write(
                value=False,
                start=write.start,
                latest=write.latest,
                acknowledged=write.acknowledged,
                refused=write.refused,
            )
            for write in blocks
        ]

"""What people asked for and were told: one record a thing, written by its maker's thread alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chaos.model.registers import Write, possible_values


@dataclass(kw_only=True)
class Made:
    """A post or a comment, known by words that no other one has, from the first request for it on."""

    author_id: str
    words: str
    making: Write[bool]
    id: str | None = None
    ids_told: set[str] = field(default_factory=set)
    removals: list[Write[bool]] = field(default_factory=list)
    media_ids: Sequence[str] = ()
    post: Made | None = None
    """What a comment stands under."""

    def writes(self) -> list[Write[bool]]:
        """Return all that decides whether it is there."""
        return [self.making, *self.removals]

    def may_be_there(self) -> bool:
        """Tell whether it may be there at the end."""
        return True in possible_values(self.writes(), initial=False)

    def may_be_missing(self) -> bool:
        """Tell whether it may be missing at the end."""
        return False in possible_values(self.writes(), initial=False)

    def told(self, made_id: str, *, at: float) -> None:
        """Note that it was acknowledged, under which id."""
        self.ids_told.add(made_id)
        self.id = self.id or made_id
        self.making.acknowledge(at=at)


@dataclass(kw_only=True)
class SignedIn:
    """One session of one person, as its phone knows it."""

    user_id: str
    session_id: str
    refresh_token: str
    endings: list[Write[bool]] = field(default_factory=list)
    """Writes of whether it has ended."""

    def may_have_ended(self, *, until: float) -> bool:
        """Tell whether it may have ended by then."""
        return any(ending.start <= until and not ending.refused for ending in self.endings)

    def has_ended(self) -> bool:
        """Tell whether its end was acknowledged."""
        return any(ending.acknowledged for ending in self.endings)


@dataclass(frozen=True, kw_only=True)
class Token:
    """An access token: who got it with which key's signature, and until when it is good."""

    session: SignedIn
    key_id: str
    text: str
    expires_at: float


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A request that was answered with a status below 500, to be explained once all is known."""

    operation: str
    actor_id: str
    status: int
    code: str
    start: float
    end: float
    person_id: str | None = None
    """The other person whom the request was about."""
    made: Made | None = None
    session: SignedIn | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A broken promise, with the ids to find the rows by."""

    promise: str
    sentence: str

"""Sends a request until it is answered, and writes down in the ledger what every answer means."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import requests

from chaos.model.facts import Made, Refusal, SignedIn
from chaos.model.ledger import Ledger
from chaos.model.registers import EFFECT_BOUND_SECONDS, Write
from igloo_local.phone import Refused

T = TypeVar("T")

TRIES = 8
PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 4.0
S3 = "send to s3"
UNAVAILABLE, SERVER_ERROR = 503, 500
_SENT_AGAIN = frozenset({"idempotency_key_in_use"})
# The gateway says so without having passed the request on.
_WITHOUT_EFFECT = frozenset({"overloaded"})


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What a request is, whom and what it is about, and which facts each sending of it writes."""

    operation: str
    actor_id: str
    writes: Sequence[tuple[list[Write[Any]], object]] = ()
    """Where a write is noted, and the value that it sets."""
    made: Made | None = None
    """What it makes: one write however often it is sent, by its Idempotency-Key."""
    about: Made | None = None
    person_id: str | None = None
    session: SignedIn | None = None

    @property
    def is_s3(self) -> bool:
        """Whether S3 answers, of which igloo promises nothing."""
        return self.operation == S3


class Asker:
    """One person's way of asking: again after trouble, a bounded number of times."""

    def __init__(
        self, ledger: Ledger, *, stop: threading.Event, drop_connections: Callable[[], None]
    ) -> None:
        self._ledger = ledger
        self._stop = stop
        self._drop_connections = drop_connections

    def ask(self, errand: Errand, send: Callable[[], T]) -> T | None:
        """Return the answer; None when it was refused, or when none came after all tries."""
        for attempt in range(TRIES):
            begun = self._begin(errand)
            start = self._ledger.now()
            try:
                answer = send()
            except Refused as refusal:
                if self._is_final(errand, refusal, begun, start):
                    if errand.made is not None and not attempt:
                        errand.made.making.refuse()
                    return None
                pause = _pause(refusal.retry_after_seconds, attempt)
            except requests.RequestException as error:
                self._ledger.trouble(type(error).__name__)
                self._drop_connections()
                pause = _pause(None, attempt)
            else:
                self._acknowledge(errand, begun, start)
                return answer
            # Who was told to stop asks once more, so that little is left in doubt, and then leaves it.
            if self._stop.wait(pause) and attempt:
                break
        self._ledger.count(errand.operation, "unanswered")
        return None

    def _begin(self, errand: Errand) -> list[Write[Any]]:
        now = self._ledger.now()
        if errand.made is not None:
            errand.made.making.latest = now + EFFECT_BOUND_SECONDS
        begun = []
        for place, value in errand.writes:
            write: Write[Any] = Write.begun(value, at=now)
            place.append(write)
            begun.append(write)
        return begun

    def _acknowledge(self, errand: Errand, begun: Sequence[Write[Any]], start: float) -> None:
        now = self._ledger.now()
        for write in begun:
            write.acknowledge(at=now)
        self._ledger.count(errand.operation, "acknowledged")
        self._ledger.took(errand.operation, now - start)

    def _is_final(self, errand: Errand, refusal: Refused, begun: Sequence[Write[Any]], start: float) -> bool:
        """Write a refusal down; False when the request is to be sent again."""
        if refusal.status < SERVER_ERROR or refusal.code in _WITHOUT_EFFECT:
            for write in begun:
                write.refuse()
        if refusal.status >= SERVER_ERROR:
            self._note_trouble(errand, refusal)
            return False
        if refusal.code in _SENT_AGAIN:
            self._ledger.trouble(str(refusal.code))
            return False
        self._ledger.count(errand.operation, str(refusal.status))
        self._ledger.refusals.append(self._refusal(errand, refusal, start))
        return True

    def _note_trouble(self, errand: Errand, refusal: Refused) -> None:
        self._ledger.trouble(f"{errand.operation} {refusal.status}" if errand.is_s3 else str(refusal.status))
        if errand.is_s3:
            return
        if refusal.status == SERVER_ERROR:
            self._ledger.break_promise("answers", f"{errand.operation} of {errand.actor_id}: {refusal}")
        if refusal.status == UNAVAILABLE and refusal.retry_after_seconds is None:
            self._ledger.break_promise(
                "answers", f"{errand.operation} of {errand.actor_id} has no Retry-After: {refusal}"
            )

    def _refusal(self, errand: Errand, refusal: Refused, start: float) -> Refusal:
        return Refusal(
            operation=errand.operation,
            actor_id=errand.actor_id,
            status=refusal.status,
            code=str(refusal.code or refusal.problem.get("error")),
            start=start,
            end=self._ledger.now(),
            person_id=errand.person_id,
            made=errand.about,
            session=errand.session,
            detail=str(refusal),
        )


def _pause(retry_after_seconds: float | None, attempt: int) -> float:
    wanted = retry_after_seconds if retry_after_seconds is not None else PAUSE_SECONDS * 2**attempt
    return min(max(wanted, PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)

"""Patience with people so new that the event of their account may still be on its way to us."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from functools import wraps
from threading import BoundedSemaphore
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, ParamSpec

from igloo_common.clock import utc_now
from igloo_social.queries.profiles import UserNotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from flask import Response

P = ParamSpec("P")

NEWCOMER_FOR: Final = timedelta(seconds=10)
PATIENCE_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 0.05
_SEATS: Final = BoundedSemaphore(2)
"""How many requests of a process wait at once: anybody can make up young ids, and a wait holds a thread."""
_UNIX_MILLISECONDS_SHIFT: Final = 80  # the first 48 bits of a UUIDv7 (RFC 9562, section 5.7)
_VERSION: Final = 7


def is_newcomer(user_id: UUID, *, now: datetime) -> bool:
    """Tell whether an account of this id would be so young that social may not have heard of it."""
    if user_id.version != _VERSION:
        return False
    made_at_ms = user_id.int >> _UNIX_MILLISECONDS_SHIFT
    return abs(now.timestamp() * 1000 - made_at_ms) < NEWCOMER_FOR / timedelta(milliseconds=1)


def patient_with_newcomers(view: Callable[P, Response]) -> Callable[P, Response]:
    """Have a view of a person (`user_id`) tried again for a moment when it finds nobody, and they may be new.

    Two people who sign in and look each other up at once would else meet a 404, for a profile comes with the
    account's event. Who asks for any other unknown id is answered at once, and so is everybody while the
    seats are taken; so nobody waits for long, and the wait tells nothing: it is the same for who is unknown
    and for who has blocked the caller.
    """

    @wraps(view)
    def patient(*args: P.args, **kwargs: P.kwargs) -> Response:
        deadline = monotonic() + PATIENCE_SECONDS
        with ExitStack() as seat:
            is_seated = False
            while True:
                try:
                    return view(*args, **kwargs)
                except UserNotFound:
                    user_id: UUID = kwargs["user_id"]  # type: ignore[assignment]  # every such route has it
                    if monotonic() >= deadline or not is_newcomer(user_id, now=utc_now()):
                        raise
                    is_seated = is_seated or _take_seat(seat)
                    if not is_seated:
                        raise
                sleep(_PAUSE_SECONDS)

    return patient


def _take_seat(held: ExitStack) -> bool:
    """Take a seat until the request is answered; False when none is free."""
    is_free = _SEATS.acquire(blocking=False)
    if is_free:
        held.callback(_SEATS.release)
    return is_free

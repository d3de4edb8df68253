"""A creating request sent twice has one effect: its reply is kept with the effect for a day."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import orjson
from flask import Response, request
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from igloo_common.clock import utc_now
from igloo_common.errors import Conflict, Invalid
from igloo_common.identity import current_identity

KEPT_FOR: Final = timedelta(hours=24)
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")

_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
_FIND = text(
    "SELECT body_hash, status, headers, body FROM idempotency_keys"
    " WHERE subject = :subject AND route = :route AND key = :key AND created_at > :oldest"
)
_KEEP = text(
    "INSERT INTO idempotency_keys (subject, route, key, body_hash, status, headers, body, created_at)"
    " VALUES (:subject, :route, :key, :body_hash, :status, cast(:headers AS jsonb), :body, :now)"
    " ON CONFLICT (subject, route, key) DO UPDATE SET body_hash = excluded.body_hash,"
    " status = excluded.status, headers = excluded.headers, body = excluded.body,"
    " created_at = excluded.created_at"
)
_PRUNE = text("DELETE FROM idempotency_keys WHERE created_at <= :oldest")


class InvalidIdempotencyKey(Invalid):
    """An Idempotency-Key is 1 to 255 visible ASCII characters."""


class IdempotencyKeyReused(Invalid):
    """The Idempotency-Key has been used for another request; use a new one for each."""


class IdempotencyKeyInUse(Conflict):
    """The first request with this Idempotency-Key is still being worked on; try again in a moment."""


def once(session: Session, effect: Callable[[], Response]) -> Response:
    """Carry out the effect of the current request, unless its Idempotency-Key has had it already.

    Effect and key are stored by the caller's one transaction, and only together with a 2xx reply: a request
    that failed may be sent again with the same key. Without the header the effect is simply carried out.
    Holds an advisory lock on the key until the transaction ends.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return effect()
    if not _KEY.fullmatch(key):
        raise InvalidIdempotencyKey("An Idempotency-Key is 1 to 255 visible ASCII characters.")
    place = {"subject": str(current_identity().user_id), "route": _route(), "key": key}
    # The lock is a statement of its own: the next one's snapshot then sees what its last holder committed.
    if not session.scalar(_LOCK, {"name": "idempotency " + " ".join(place.values())}):
        raise IdempotencyKeyInUse("A request with this Idempotency-Key is still being worked on.")
    now, fingerprint = utc_now(), _fingerprint()
    kept = session.execute(_FIND, {**place, "oldest": now - KEPT_FOR}).one_or_none()
    if kept is not None:
        return _replayed(kept, fingerprint)
    response = effect()
    if response.status_code // 100 == 2:  # noqa: PLR2004 -- the 2xx class
        session.execute(_KEEP, {**place, "body_hash": fingerprint, "now": now, **_kept_parts(response)})
    return response


def prune_idempotency_keys(session: Session, *, now: datetime) -> int:
    """Forget the replies that are older than a day; returns how many."""
    return session.execute(_PRUNE, {"oldest": now - KEPT_FOR}).rowcount  # type: ignore[attr-defined,no-any-return]


def _route() -> str:
    return f"{request.method} {request.url_rule}"


def _fingerprint() -> bytes:
    # The whole address is part of it: the same comment under two posts is two requests.
    digest = hashlib.sha256(request.full_path.encode())
    digest.update(b"\0")
    digest.update(request.get_data(cache=True))
    return digest.digest()


def _kept_parts(response: Response) -> dict[str, object]:
    headers = [[name, value] for name, value in response.headers if name != "Content-Length"]
    return {
        "status": response.status_code,
        "headers": orjson.dumps(headers).decode(),
        "body": response.get_data(),
    }


def _replayed(kept: Row[tuple[bytes, int, list[list[str]], bytes]], fingerprint: bytes) -> Response:
    if bytes(kept.body_hash) != fingerprint:
        raise IdempotencyKeyReused("This Idempotency-Key came with another request before.")
    response = Response(bytes(kept.body), kept.status, [(name, value) for name, value in kept.headers])
    response.headers["Idempotency-Replayed"] = "true"
    return response

"""A creating request sent twice has one effect: its reply is kept with the effect for a day."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import orjson
from flask import Response, request
from sqlalchemy.orm import Session

from igloo_common.clock import utc_now
from igloo_common.errors import Conflict, Invalid
from igloo_common.identity import current_identity
from igloo_common.statements import Statement

KEPT_FOR: Final = timedelta(hours=24)
KEY_PARAMETER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 255},
    "description": "The same key with the same body within a day gives the first reply again.",
}
"""For `blp.doc(parameters=[…])` of a view that answers through `once`."""
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")

_LOCK = Statement("SELECT pg_try_advisory_xact_lock(hashtextextended(%(name)s, 0))")
_FIND = Statement("""
SELECT body_hash, status, headers, body FROM idempotency_keys
WHERE subject = %(subject)s AND route = %(route)s AND key = %(key)s AND created_at > %(oldest)s
""")
_KEEP = Statement("""
INSERT INTO idempotency_keys (subject, route, key, body_hash, status, headers, body, created_at)
VALUES (%(subject)s, %(route)s, %(key)s, %(body_hash)s, %(status)s, %(headers)s::jsonb, %(body)s, %(now)s)
ON CONFLICT (subject, route, key) DO UPDATE SET body_hash = excluded.body_hash, status = excluded.status,
    headers = excluded.headers, body = excluded.body, created_at = excluded.created_at
""")
_PRUNE = Statement("DELETE FROM idempotency_keys WHERE created_at <= %(oldest)s")


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
    now, fingerprint = utc_now(), _fingerprint()
    subject, route = str(current_identity().user_id), f"{request.method} {request.url_rule}"
    place = {"subject": subject, "route": route, "key": key}
    # Two statements in one round trip: the second one's snapshot sees what the last holder committed.
    lock = _LOCK.send(session, {"name": "idempotency " + " ".join(place.values())})
    kept = _FIND.row(session, {**place, "oldest": now - KEPT_FOR})
    if not lock.rows()[0][0]:
        raise IdempotencyKeyInUse("A request with this Idempotency-Key is still being worked on.")
    if kept is not None:
        return _replayed(fingerprint, *kept)
    response = effect()
    if response.status_code // 100 == 2:  # noqa: PLR2004 -- the 2xx class
        _KEEP.run(session, {**place, "body_hash": fingerprint, "now": now, **_kept_parts(response)})
    return response


def prune_idempotency_keys(session: Session, *, now: datetime) -> int:
    """Forget the replies that are older than a day; returns how many."""
    return _PRUNE.count(session, {"oldest": now - KEPT_FOR})


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


def _replayed(
    fingerprint: bytes, body_hash: bytes, status: int, headers: list[list[str]], body: bytes
) -> Response:
    if body_hash != fingerprint:
        raise IdempotencyKeyReused("This Idempotency-Key came with another request before.")
    response = Response(body, status, [(name, value) for name, value in headers])
    response.headers["Idempotency-Replayed"] = "true"
    return response

"""A creating request sent twice has one effect: its reply is kept with the effect for a day.

`once` is for an effect of one transaction, which keeps the reply too: there is no moment in which one is
there without the other. Two requests at once are told apart by an advisory lock that ends with it.

`errand` is for an effect that has to ask somebody else halfway, as S3, which no transaction may wait for. It
has two transactions. The first makes the rows and notes their names under the key; the second, when the
others have answered, completes them and keeps the reply in place of the notes. Between the two,
- the same key is answered 409: an advisory lock of the session, on a connection that lies idle meanwhile and
  has no transaction open. It ends with its holder, however that ends; no lease has to be guessed;
- a holder that failed or died leaves its notes. The next request with the key finds them, and goes on with
  the very same rows instead of making others;
- a holder that only lost its connection may work on beside the next one. So what lies between must bear
  being done twice, and the second transaction must look at the state of its rows under their locks.

The body is compared by a fingerprint. A view that reads its body as a stream gives what stands for it.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson
from flask import Response, request
from sqlalchemy.orm import Session

from igloo_common.clock import utc_now
from igloo_common.database import reading
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
_HOLD = Statement("SELECT pg_try_advisory_lock(hashtextextended(%(name)s, 0))")
_RELEASE = Statement("SELECT pg_advisory_unlock(hashtextextended(%(name)s, 0))")
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
    place = _place()
    if place is None:
        return effect()
    now, fingerprint = utc_now(), _fingerprint(request.get_data(cache=True))
    # Two statements in one round trip: the second one's snapshot sees what the last holder committed.
    lock = _LOCK.send(session, {"name": _lock_name(place)})
    kept = _FIND.row(session, {**place, "oldest": now - KEPT_FOR})
    if not lock.rows()[0][0]:
        raise _in_use()
    if kept is not None:
        return _replayed(fingerprint, *kept)
    response = effect()
    if response.status_code // 100 == 2:  # noqa: PLR2004 -- the 2xx class
        _KEEP.run(session, {**place, "body_hash": fingerprint, "now": now, **_kept_parts(response)})
    return response


@dataclass(frozen=True, kw_only=True)
class Errand:
    """An effect of two transactions; without an Idempotency-Key it finds nothing and keeps nothing."""

    place: Mapping[str, str] | None
    fingerprint: bytes

    def resume(self, session: Session) -> Response | bytes | None:
        """Return the reply, if it has been given; else what an earlier attempt noted; else none.

        Raises:
            IdempotencyKeyReused: the key came with another request.
        """
        if self.place is None:
            return None
        kept = _FIND.row(session, {**self.place, "oldest": utc_now() - KEPT_FOR})
        if kept is None:
            return None
        body_hash, status, headers, body = kept
        if status is not None:
            return _replayed(self.fingerprint, body_hash, status, headers, body)
        _check_same(self.fingerprint, body_hash)
        return bytes(body)

    def note(self, session: Session, notes: bytes) -> None:
        """Write down what the next attempt needs to go on; in the first transaction."""
        self._keep(session, {"status": None, "headers": None, "body": notes})

    def keep(self, session: Session, response: Response) -> None:
        """Keep the reply in place of the notes; in the last transaction."""
        self._keep(session, _kept_parts(response))

    def _keep(self, session: Session, parts: Mapping[str, object]) -> None:
        if self.place is not None:
            _KEEP.run(session, {**self.place, "body_hash": self.fingerprint, "now": utc_now(), **parts})


@contextmanager
def errand(content: bytes) -> Iterator[Errand]:
    """Have the block's work done by one request of the same Idempotency-Key at a time; see the module.

    `content` stands for the body. The block opens its transactions itself.

    Raises:
        IdempotencyKeyInUse: another one is at work.
    """
    place, fingerprint = _place(), _fingerprint(content)
    if place is None:
        yield Errand(place=None, fingerprint=fingerprint)
        return
    name = {"name": _lock_name(place)}
    with reading() as holder:
        if not _HOLD.rows(holder, name)[0][0]:
            raise _in_use()
        try:
            yield Errand(place=place, fingerprint=fingerprint)
        finally:
            _RELEASE.rows(holder, name)


def prune_idempotency_keys(session: Session, *, now: datetime) -> int:
    """Forget the replies that are older than a day; returns how many."""
    return _PRUNE.count(session, {"oldest": now - KEPT_FOR})


def _place() -> dict[str, str] | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise InvalidIdempotencyKey("An Idempotency-Key is 1 to 255 visible ASCII characters.")
    subject, route = str(current_identity().user_id), f"{request.method} {request.url_rule}"
    return {"subject": subject, "route": route, "key": key}


def _lock_name(place: Mapping[str, str]) -> str:
    return "idempotency " + " ".join(place.values())


def _in_use() -> IdempotencyKeyInUse:
    return IdempotencyKeyInUse("A request with this Idempotency-Key is still being worked on.")


def _fingerprint(content: bytes) -> bytes:
    # The whole address is part of it: the same comment under two posts is two requests.
    digest = hashlib.sha256(request.full_path.encode())
    digest.update(b"\0")
    digest.update(content)
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
    _check_same(fingerprint, body_hash)
    response = Response(body, status, [(name, value) for name, value in headers])
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _check_same(fingerprint: bytes, body_hash: bytes) -> None:
    if body_hash != fingerprint:
        raise IdempotencyKeyReused("This Idempotency-Key came with another request before.")

"""The phones that want to be pushed to: registered, moved to their last owner, and forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from igloo_common.errors import Unauthenticated
from igloo_common.statements import Statement
from igloo_social.models.devices import DevicePlatform
from igloo_social.operations.locks import lock_devices
from igloo_social.operations.relations import share_person
from igloo_social.policies.devices import written_once

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

DEVICES_OF_ONE: Final = 20
"""A person's phones; who registers another loses the one that has not registered for longest."""


SILENT_FOR: Final = timedelta(days=60)
"""As long as a session lasts that nobody uses."""


class SessionEnded(Unauthenticated):
    """The session ended while it was registering a phone."""

    code = "session_revoked"


@dataclass(frozen=True, kw_only=True)
class DeviceRegistration:
    """A phone, as the app on it describes it."""

    id: UUID
    platform: DevicePlatform
    token: str


def register_device(
    session: Session, *, user_id: UUID, session_id: UUID, device: DeviceRegistration, now: datetime
) -> None:
    """Have news pushed to a phone for as long as the session lasts; again, it is the same phone.

    A token is one phone's: whoever had it before, under whatever id, has it no longer.

    Raises:
        UserNotFound: The person's account was deleted, or is suspended.
        SessionEnded: The session has ended meanwhile.
    """
    token = written_once(device.platform, device.token)
    share_person(session, user_id)
    lock_devices(session, f"of:{user_id}", f"session:{session_id}", f"token:{device.platform}:{token}")
    key = {"user_id": user_id, "id": device.id, "platform": device.platform.value, "token": token}
    if _IS_REVOKED.rows(session, {"session_id": session_id}):
        raise SessionEnded("This session has been ended.")
    known = [_Known(*row) for row in _LOCK.rows(session, key)]
    holder = next((each for each in known if (each.platform, each.token) == (device.platform, token)), None)
    gone = [each for each in known if each is holder or each.key == (user_id, device.id)]
    gone += _surplus([each for each in known if each.key[0] == user_id and each not in gone])
    _remove(session, gone)
    arns = [each.endpoint_arn for each in gone if each is not holder]
    _RETIRE.run(session, {"arns": [arn for arn in arns if arn], "now": now})
    # The endpoint at SNS is the token's, and so stays good for whoever has it next.
    endpoint_arn = holder.endpoint_arn if holder else None
    _INSERT.run(session, {**key, "session_id": session_id, "endpoint_arn": endpoint_arn, "now": now})


def remove_device(session: Session, *, user_id: UUID, device_id: UUID, now: datetime) -> None:
    """Push nothing more to a phone; one that is not known, or another person's, changes nothing."""
    lock_devices(session, f"of:{user_id}")
    _REMOVE_ONE.run(session, {"user_id": user_id, "id": device_id, "now": now})


def remove_session_devices(session: Session, *, session_id: UUID, now: datetime) -> None:
    """Push nothing more to the phones of a session that has ended.

    A registration that is under way holds the same lock: it is found here, or finds the session denied.
    """
    lock_devices(session, f"session:{session_id}")
    _REMOVE_OF_SESSION.run(session, {"session_id": session_id, "now": now})


def remove_silent_devices(session: Session, *, now: datetime, limit: int) -> int:
    """Forget some phones that have not registered for so long that their session is over; returns how many.

    Apps register at each start; that a session has not been used for too long is no event.
    """
    return len(_REMOVE_SILENT.rows(session, {"before": now - SILENT_FOR, "now": now, "limit": limit}))


@dataclass(frozen=True)
class _Known:
    user_id: UUID
    id: UUID
    platform: str
    token: str
    endpoint_arn: str | None

    @property
    def key(self) -> tuple[UUID, UUID]:
        return self.user_id, self.id


def _surplus(others: Sequence[_Known]) -> Sequence[_Known]:
    """Return which of a person's other phones, the last registered first, find no place beside it."""
    return others[DEVICES_OF_ONE - 1 :]


def _remove(session: Session, devices: Sequence[_Known]) -> None:
    keys: dict[str, Any] = {
        "user_ids": [each.user_id for each in devices],
        "ids": [each.id for each in devices],
    }
    if devices:
        _REMOVE.run(session, keys)


_IS_REVOKED = Statement("SELECT 1 FROM revoked_sessions WHERE session_id = %(session_id)s")
# Locked in the order of their keys, as two phones that swap tokens would else wait for each other.
_LOCK = Statement("""
WITH locked AS MATERIALIZED (
    SELECT user_id, id, platform, token, endpoint_arn, registered_at FROM devices
    WHERE user_id = %(user_id)s OR (platform = %(platform)s AND token = %(token)s)
    ORDER BY user_id, id FOR UPDATE
)
SELECT user_id, id, platform, token, endpoint_arn FROM locked ORDER BY registered_at DESC, id
""")
_REMOVE = Statement("""
DELETE FROM devices
WHERE (user_id, id) IN (SELECT * FROM unnest(%(user_ids)s::uuid[], %(ids)s::uuid[]))
""")
_INSERT = Statement("""
INSERT INTO devices (user_id, id, session_id, platform, token, endpoint_arn, registered_at)
VALUES (%(user_id)s, %(id)s, %(session_id)s, %(platform)s, %(token)s, %(endpoint_arn)s, %(now)s)
""")
_RETIRE = Statement("""
INSERT INTO retired_endpoints (arn, due_at) SELECT arn, %(now)s FROM unnest(%(arns)s::text[]) AS arn
ON CONFLICT DO NOTHING
""")
RETIRING = """
INSERT INTO retired_endpoints (arn, due_at)
SELECT endpoint_arn, %(now)s FROM removed WHERE endpoint_arn IS NOT NULL ON CONFLICT DO NOTHING
"""
_REMOVE_ONE = Statement(
    f"""
WITH removed AS (DELETE FROM devices WHERE user_id = %(user_id)s AND id = %(id)s RETURNING endpoint_arn)
{RETIRING}
"""  # noqa: S608 - words of our own
)
_REMOVE_SILENT = Statement("""
WITH silent AS (
    SELECT user_id, id FROM devices WHERE registered_at < %(before)s
    ORDER BY registered_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), removed AS (
    DELETE FROM devices USING silent WHERE devices.user_id = silent.user_id AND devices.id = silent.id
    RETURNING endpoint_arn
), retired AS (
    INSERT INTO retired_endpoints (arn, due_at)
    SELECT endpoint_arn, %(now)s FROM removed WHERE endpoint_arn IS NOT NULL ON CONFLICT DO NOTHING
)
SELECT 1 FROM removed
""")
_REMOVE_OF_SESSION = Statement(
    f"""
WITH ended AS (
    SELECT user_id, id FROM devices WHERE session_id = %(session_id)s ORDER BY user_id, id FOR UPDATE
), removed AS (
    DELETE FROM devices USING ended WHERE devices.user_id = ended.user_id AND devices.id = ended.id
    RETURNING endpoint_arn
)
{RETIRING}
"""  # noqa: S608 - words of our own
)

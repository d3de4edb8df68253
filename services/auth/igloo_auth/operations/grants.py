"""What a client gets for proof of who somebody is, and the refusal when the proof does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from igloo_common.errors import Malformed


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A session with the refresh token that its device is to hold next."""

    account_id: UUID
    session_id: UUID
    refresh_token: str
    refresh_expires_at: datetime
    is_moderator: bool
    """Whether the access tokens carry the scope `moderator`."""


class GrantRefused(Malformed):
    """The proof presented is not, or no longer, good for tokens (RFC 6749 section 5.2, `invalid_grant`)."""

    def __init__(self, detail: str, *, reason: str | None = None) -> None:
        super().__init__(detail, extra={"error": "invalid_grant", **({"reason": reason} if reason else {})})

"""The ways in which Facebook fails a sign-in, each with what the caller is told."""

from __future__ import annotations

from igloo_auth.operations.grants import GrantRefused
from igloo_common.errors import BadGateway, Unavailable


class FacebookTokenInvalid(GrantRefused):
    """Facebook does not vouch for this token to our app; `reason` says what it found."""

    def __init__(self, reason: str) -> None:
        super().__init__("Facebook does not vouch for this token.", reason=reason)
        self.reason = reason


class FacebookUnavailable(Unavailable):
    """Facebook cannot be asked just now; sessions that exist already go on without it."""

    retry_after_seconds = 5


class FacebookThrottled(FacebookUnavailable):
    """Facebook asks our app to call less often."""

    code = "facebook_unavailable"
    retry_after_seconds = 60


class FacebookFailed(BadGateway):
    """Facebook answers what makes no sense, or refuses our own app: somebody has to look at it."""

    retry_after_seconds = 30


class TemporaryFailure(Exception):
    """An attempt failed in a way that the next one may not; `is_nonsense` when there was an answer."""

    def __init__(self, cause: str, *, is_nonsense: bool = False) -> None:
        super().__init__(cause)
        self.is_nonsense = is_nonsense

    def as_refusal(self) -> FacebookUnavailable | FacebookFailed:
        """Return what the caller is told when there is no other attempt."""
        if self.is_nonsense:
            return FacebookFailed("Facebook's answer cannot be understood.")
        return FacebookUnavailable("Facebook does not answer just now.")

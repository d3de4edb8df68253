"""A session that is ended is refused by every service, not by auth alone."""

from __future__ import annotations

import pytest

from e2e.conftest import Town
from igloo_local.phone import Phone, Refused, wait_until

pytestmark = pytest.mark.e2e

OF_EACH_SERVICE = {"auth": "/v1/account", "social": "/v1/users/me", "media": "/v1/uploads"}


def refusal(phone: Phone, path: str) -> str | None:
    """Return the code with which a call is refused; None while it is answered."""
    try:
        phone.call("GET", path)
    except Refused as refused:
        return str(refused.code)
    return None


@pytest.mark.parametrize("path", OF_EACH_SERVICE.values(), ids=OF_EACH_SERVICE)
def test_an_access_token_of_an_ended_session_is_refused(town: Town, path: str) -> None:
    phone, noise = town.person("Snow Hare"), town.person("Puffin")
    assert refusal(phone, path) is None

    phone.call("DELETE", "/v1/auth/sessions")

    wait_until(
        lambda: refusal(phone, path),
        lambda code: code == "session_revoked",
        what=f"{path} refuses the ended session",
    )
    assert refusal(noise, path) is None

"""How a Facebook user is recognised again once nothing about them is kept."""

from __future__ import annotations

import hmac

_PURPOSE = b"igloo facebook user pseudonym v1"


def pseudonym_of(facebook_user_id: str, *, secret_key: str) -> bytes:
    """Return what stands for a Facebook user in the records of deletions.

    Under a key of ours, because a plain hash of a number of seventeen digits is undone by trying them all.
    """
    key = hmac.digest(secret_key.encode(), _PURPOSE, "sha256")
    return hmac.digest(key, facebook_user_id.encode(), "sha256")

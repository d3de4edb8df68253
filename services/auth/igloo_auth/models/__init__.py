"""The tables of the auth service, a noun a file; importing the package knows them all."""

from igloo_auth.models import (
    account_deletions,
    account_exports,
    accounts,
    facebook_identities,
    friend_lookups,
    nonces,
    refresh_tokens,
    security_events,
    sessions,
    web_sign_ins,
)

__all__ = [
    "account_deletions",
    "account_exports",
    "accounts",
    "facebook_identities",
    "friend_lookups",
    "nonces",
    "refresh_tokens",
    "security_events",
    "sessions",
    "web_sign_ins",
]

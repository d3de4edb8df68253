"""The tables of the auth service, a noun a file; importing the package knows them all."""

from igloo_auth.models import accounts, facebook_identities, refresh_tokens, sessions

__all__ = ["accounts", "facebook_identities", "refresh_tokens", "sessions"]

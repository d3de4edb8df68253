"""What an access token lets its holder do."""

SIGNED_IN_SCOPES = frozenset({"user"})
"""Given to everybody who signed in."""

"""What an access token lets its holder do."""

SIGNED_IN_SCOPES = frozenset({"user"})
"""Given to everybody who signed in."""
MODERATOR_SCOPES = frozenset({"moderator"})
"""Given besides to those whom an operator has appointed."""


def scopes_of(*, is_moderator: bool) -> frozenset[str]:
    """Return the scopes of a person's tokens."""
    return SIGNED_IN_SCOPES | MODERATOR_SCOPES if is_moderator else SIGNED_IN_SCOPES

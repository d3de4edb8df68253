"""Identifiers of everything that igloo stores."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562): ordered by time, so that inserts stay at the right edge of an index."""
    return uuid7()

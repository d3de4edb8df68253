"""Says while a backup is being taken that what its snapshot names must not be removed.

A backup holds the lock from before its snapshot of the database until it has copied the bucket.
"""

from __future__ import annotations

from typing import Final

from igloo_common.database import Reader
from igloo_common.statements import Statement

BACKUP_LOCK: Final = 0x69_67_6C_6F_6F_62_6B
"""The number of the advisory lock: "igloobk"."""

# Taken and given back in one statement: nobody who asks keeps a backup from beginning.
_IS_FREE = Statement(f"SELECT pg_try_advisory_xact_lock_shared({BACKUP_LOCK})")


def backup_is_taken(reader: Reader) -> bool:
    """Tell whether a backup is under way.

    Asked *after* reading what is to be removed: an answer of no means that whatever snapshot is taken later
    knows of that removal.
    """
    [(is_free,)] = _IS_FREE.rows(reader, {})
    return not is_free

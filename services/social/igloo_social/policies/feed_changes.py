"""How far phones may fall behind, and how far each token reaches back: what the notes of changes rely on."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

EVERYBODY: Final = UUID(int=0)
"""Whose notes end every token from before them: the database knows nothing any more of what phones saw."""

OVERLAP = timedelta(minutes=2)
"""How much of the time before a token is read again: more than twice as long as PostgreSQL lets a transaction
take (`transaction_timeout` of igloo_common.web.engine_options).

A note carries the time at which its transaction began and is seen when that commits. A phone may ask in
between; what it missed lies within this span before its token.
"""

LATE_AFTER = timedelta(minutes=1)
"""From this age on a post that reaches a feed leaves a note.

Below it the post's own time lies within OVERLAP of every token that was given before it arrived, even when
the transaction that wrote it began now and takes the rest of the span to commit.
"""

TOKENS_WORK_FOR = timedelta(days=7)
"""How long a phone may be away and still catch up; after that it reads its feed anew."""

NOTES_KEPT_FOR = TOKENS_WORK_FOR + timedelta(hours=1)
"""A little longer, so that nothing goes while the oldest token that works is being answered."""

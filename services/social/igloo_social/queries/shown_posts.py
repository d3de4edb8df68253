"""What liking, commenting and keeping need to know of a post, read while it is held as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from sqlalchemy import select

from igloo_common.statements import Statement
from igloo_social.models.posts import POSTS, PostState
from igloo_social.models.profiles import PROFILES
from igloo_social.queries.posts import POST_ID
from igloo_social.queries.visibility import POST_IS_VISIBLE

if TYPE_CHECKING:
    from collections.abc import Collection

    from igloo_common.database import Reader


class ShownPost(NamedTuple):
    """A post that a person may see."""

    author_id: UUID
    state: str
    comments_open: bool

    @property
    def is_out(self) -> bool:
        """Tell whether others see it, too: its author sees it in any state."""
        return self.state == PostState.PUBLISHED


def lock_shown_post(reader: Reader, *, post_id: UUID, viewer_id: UUID) -> ShownPost | None:
    """Lock a post that the viewer may see until the transaction ends: nobody else changes its counts.

    With the viewer's lock (`share_person`) taken before, a block between the two is seen here, or waits.
    """
    return _shown(_LOCK, reader, post_id, viewer_id)


def hold_shown_post(reader: Reader, *, post_id: UUID, viewer_id: UUID) -> ShownPost | None:
    """Read a post that the viewer may see, and only keep it from being erased until the transaction ends."""
    return _shown(_HOLD, reader, post_id, viewer_id)


def lock_post(reader: Reader, post_id: UUID) -> UUID | None:
    """Lock a post, a deleted one too, whoever may see it, and return its author."""
    row = _LOCK_ANY.row(reader, {"post_id": post_id})
    return None if row is None else row[0]


def lock_posts(reader: Reader, post_ids: Collection[UUID]) -> None:
    """Lock several posts, whoever may see them, in the order of their ids."""
    LOCK_ALL.rows(reader, {"post_ids": list(post_ids)})


def _shown(statement: Statement, reader: Reader, post_id: UUID, viewer_id: UUID) -> ShownPost | None:
    row = statement.row(reader, {"post_id": post_id, "viewer_id": viewer_id})
    return None if row is None else ShownPost(*row)


_SHOWN = (
    select(POSTS.c.author_id, POSTS.c.state, POSTS.c.comments_open)
    .select_from(POSTS.join(PROFILES, PROFILES.c.user_id == POSTS.c.author_id))
    .where(POSTS.c.id == POST_ID, POST_IS_VISIBLE)
)
_LOCK = Statement(_SHOWN.with_for_update(of=POSTS, key_share=True))
_HOLD = Statement(_SHOWN.with_for_update(of=POSTS, key_share=True, read=True))
_LOCK_ANY = Statement(select(POSTS.c.author_id).where(POSTS.c.id == POST_ID).with_for_update(key_share=True))
LOCK_ALL = Statement("SELECT id FROM posts WHERE id = ANY(%(post_ids)s) ORDER BY id FOR NO KEY UPDATE")

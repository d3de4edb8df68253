"""Who may take a comment away."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID


def may_delete_comment(user_id: UUID | None, *, author_id: UUID, post_author_id: UUID) -> bool:
    """Say whether a person may delete a comment: who wrote it may, and whose post it stands under."""
    return user_id is not None and user_id in {author_id, post_author_id}

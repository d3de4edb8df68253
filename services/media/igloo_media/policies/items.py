"""Who may do what with a media item, what its state is called outside, and how long it is kept."""

from datetime import timedelta
from uuid import UUID

UNATTACHED_LIFETIME = timedelta(hours=24)
CLOSED_ROW_LIFETIME = timedelta(days=14)
THUMB = "thumb"
RENDITIONS = (THUMB, "feed", "full")

EXPIRED_CODE = "upload_expired"
EXPIRED_DETAIL = "The file did not arrive in time."
DELETED_CODE = "media_deleted"
DELETED_DETAIL = "The photo was deleted before it was posted."


def upload_state(state: str) -> str:
    """Name a state as the uploads API does: waiting for a worker and being worked on are one to a client."""
    return "processing" if state == "uploaded" else state


def item_state(state: str) -> str:
    """Name a state as the media API does: what never arrived has failed."""
    return "failed" if state == "expired" else upload_state(state)


def may_delete(*, post_id: UUID | None) -> bool:
    """Tell whether the owner may delete it alone: what a post shows goes with the post."""
    return post_id is None

"""Who may do what with a media item, what its state is called outside, and how long it is kept."""

from datetime import timedelta
from hashlib import blake2b
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


def edit_version(alt_text: str | None, focal_x: float | None, focal_y: float | None) -> int:
    """Number what an owner has said of a photo: what If-Match compares, whatever becomes of it meanwhile."""
    said = repr((alt_text, focal_x, focal_y)).encode()
    return int.from_bytes(blake2b(said, digest_size=4).digest())


def may_delete(*, post_id: UUID | None) -> bool:
    """Tell whether the owner may delete it alone: what a post shows goes with the post."""
    return post_id is None

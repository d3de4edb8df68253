"""Where a medium's bytes lie in the bucket."""

from uuid import UUID

from igloo_media.policies.items import RENDITIONS

ORIGINALS = "originals/"


def original_key(owner_id: UUID, media_id: UUID) -> str:
    """Name the object that the client uploads; private, and removed after processing."""
    return f"{ORIGINALS}{owner_id}/{media_id}"


def rendition_key(media_id: UUID, name: str) -> str:
    """Name the object of one rendition."""
    return f"renditions/{media_id}/{name}.webp"


def rendition_keys(media_id: UUID) -> list[str]:
    """Name every rendition's object."""
    return [rendition_key(media_id, name) for name in RENDITIONS]

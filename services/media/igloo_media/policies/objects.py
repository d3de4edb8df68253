"""Where a medium's bytes lie in the bucket."""

from uuid import UUID

from igloo_media.policies.items import RENDITIONS

ORIGINALS = "originals/"
EXPORTS = "exports/"
# The bucket itself drops what is older: originals that no removal has found, and archives that a person asked
# for, which the auth service offers for seven days.
DAYS_KEPT = {ORIGINALS: 7, EXPORTS: 8}


def original_key(owner_id: UUID, media_id: UUID) -> str:
    """Name the object that the client uploads; private, and removed after processing."""
    return f"{originals_prefix(owner_id)}{media_id}"


def originals_prefix(owner_id: UUID) -> str:
    """Name the folder of a person's originals."""
    return f"{ORIGINALS}{owner_id}/"


def rendition_key(media_id: UUID, name: str) -> str:
    """Name the object of one rendition."""
    return f"{renditions_prefix(media_id)}{name}.webp"


def renditions_prefix(media_id: UUID) -> str:
    """Name the folder of a photo's renditions."""
    return f"renditions/{media_id}/"


def rendition_keys(media_id: UUID) -> list[str]:
    """Name every rendition's object."""
    return [rendition_key(media_id, name) for name in RENDITIONS]


def export_part(parts_prefix: str) -> str:
    """Name the folder of this service's part of an export."""
    return f"{parts_prefix}media/"


def exported_photos(parts_prefix: str) -> str:
    """Name the folder of an export's photos."""
    return f"{export_part(parts_prefix)}photos/"


def exported_photo_key(parts_prefix: str, media_id: UUID) -> str:
    """Name an export's copy of a photo."""
    return f"{exported_photos(parts_prefix)}{media_id}.webp"

"""Where a medium's bytes lie in the bucket."""

from uuid import UUID

from igloo_media.policies.items import RENDITIONS, THUMB

ORIGINALS = "originals/"
EXPORTS = "exports/"
RENDITIONS_FOLDER = "renditions/"
# The bucket itself drops what is older: originals that no removal has found, and archives that a person asked
# for, which the auth service offers for seven days.
DAYS_KEPT = {ORIGINALS: 7, EXPORTS: 8}


def original_key(owner_id: UUID, media_id: UUID) -> str:
    """Name the object that the client uploads; private, and removed after processing."""
    return f"{originals_prefix(owner_id)}{media_id}"


def originals_prefix(owner_id: UUID) -> str:
    """Name the folder of a person's originals."""
    return f"{ORIGINALS}{owner_id}/"


def rendition_key(media_id: UUID, name: str, version: int = 1) -> str:
    """Name the object of one version of a rendition."""
    return f"{renditions_prefix(media_id)}{versioned(name, version)}.webp"


def rendition_path(media_id: UUID, name: str, version: int = 1) -> str:
    """Name one version of a rendition below the gateway."""
    return f"/media/{media_id}/{versioned(name, version)}"


def versioned(name: str, version: int) -> str:
    """Name one version of a rendition: `thumb` is the first, then `thumb_2`."""
    return name if version == 1 else f"{name}_{version}"


def renditions_prefix(media_id: UUID) -> str:
    """Name the folder of a photo's renditions."""
    return f"{RENDITIONS_FOLDER}{media_id}/"


def rendition_keys(media_id: UUID, *, thumb_version: int = 1) -> list[str]:
    """Name every object of a photo that there may be, all versions of its thumbnail included."""
    return [rendition_key(media_id, name, version) for name, version in _versions(thumb_version)]


def rendition_paths(media_id: UUID, *, thumb_version: int = 1) -> list[str]:
    """Name all of these below the gateway, likewise."""
    return [rendition_path(media_id, name, version) for name, version in _versions(thumb_version)]


def _versions(thumb_version: int) -> list[tuple[str, int]]:
    return [*((name, 1) for name in RENDITIONS), *((THUMB, later) for later in range(2, thumb_version + 1))]


def export_part(parts_prefix: str) -> str:
    """Name the folder of this service's part of an export."""
    return f"{parts_prefix}media/"


def exported_photos(parts_prefix: str) -> str:
    """Name the folder of an export's photos."""
    return f"{export_part(parts_prefix)}photos/"


def exported_photo_key(parts_prefix: str, media_id: UUID) -> str:
    """Name an export's copy of a photo."""
    return f"{exported_photos(parts_prefix)}{media_id}.webp"

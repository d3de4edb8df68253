"""From the files that a child has made to the facts that are kept and announced of them."""

from __future__ import annotations

from dataclasses import asdict

from igloo_media.events import RenditionFacts
from igloo_media.images import Photo, RenditionFile
from igloo_media.operations.processing import RenderedPhoto


def rendered_photo(photo: Photo, *, content_sha256: bytes) -> RenderedPhoto:
    """Tell what a photo turned out to be, the checksum being that of the file that arrived."""
    return RenderedPhoto(
        content_sha256=content_sha256,
        width=photo.width,
        height=photo.height,
        frames=photo.frames,
        receipt=asdict(photo.receipt),
        blurhash=photo.blurhash,
        dominant_color=photo.dominant_color,
        renditions=[rendition_facts(each) for each in photo.renditions],
    )


def rendition_facts(file: RenditionFile, *, version: int = 1) -> RenditionFacts:
    """Tell of one rendition what readers need before its bytes come."""
    return RenditionFacts(
        name=file.name,
        width=file.width,
        height=file.height,
        content_type=file.content_type,
        size_bytes=file.size_bytes,
        version=version,
        is_animated=file.is_animated,
    )

"""The facts that the media service publishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from igloo_common.events import Event


@dataclass(frozen=True, kw_only=True)
class RenditionFacts:
    """One size of a ready photo, as subscribers need it to lay out a page before its bytes come."""

    name: str
    width: int
    height: int
    content_type: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class MediaReady(Event):
    """A photo can be shown; said again with a higher sequence when its alt text changes."""

    type: ClassVar[str] = "media.item.ready.v1"

    media_id: UUID
    owner_id: UUID
    width: int
    height: int
    blurhash: str
    dominant_color: str
    alt_text: str | None
    renditions: tuple[RenditionFacts, ...]

    @property
    def aggregate_key(self) -> str:
        """Name the medium: its facts stay in order."""
        return f"media:{self.media_id}"


@dataclass(frozen=True, kw_only=True)
class MediaFailed(Event):
    """A medium will not be shown: unreadable, never uploaded, or deleted before any post had it."""

    type: ClassVar[str] = "media.item.failed.v1"

    media_id: UUID
    owner_id: UUID
    code: str
    detail: str

    @property
    def aggregate_key(self) -> str:
        """Name the medium: its facts stay in order."""
        return f"media:{self.media_id}"

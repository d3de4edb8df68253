"""The facts that the media service publishes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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
    version: int = 1
    """Part of its address: bytes that were published once never change under theirs."""
    is_animated: bool = False


@dataclass(frozen=True, kw_only=True)
class FocalPoint:
    """Where the eye falls: from 0 to 1 across and down the upright photo."""

    x: float
    y: float


def focal_point_of(x: float | None, y: float | None) -> FocalPoint | None:
    """Make a point of its two columns; none is the middle."""
    return None if x is None or y is None else FocalPoint(x=x, y=y)


@dataclass(frozen=True, kw_only=True)
class MediaReady(Event):
    """A photo can be shown; said again, with a higher sequence, when what its owner says of it changes."""

    type: ClassVar[str] = "media.item.ready.v1"

    media_id: UUID
    owner_id: UUID
    width: int
    height: int
    blurhash: str
    dominant_color: str
    alt_text: str | None
    renditions: tuple[RenditionFacts, ...]
    focal_point: FocalPoint | None = None

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


@dataclass(frozen=True, kw_only=True)
class Removed:
    """How many things of one kind were removed."""

    kind: str
    count: int


@dataclass(frozen=True, kw_only=True)
class AccountErased(Event):
    """Nothing is held here any more about the person of a deleted account."""

    type: ClassVar[str] = "media.account.erased.v1"

    account_id: UUID
    deletion_id: UUID
    removed: tuple[Removed, ...]
    erased_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Name the account."""
        return f"account:{self.account_id}"


@dataclass(frozen=True, kw_only=True)
class ExportCollected(Event):
    """Everything held here about a person lies in S3, ready for the archive."""

    type: ClassVar[str] = "media.export.collected.v1"

    export_id: UUID
    account_id: UUID
    collected_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Name the export."""
        return f"export:{self.export_id}"

"""The facts that the social service publishes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from igloo_common.events import Event


@dataclass(frozen=True, kw_only=True)
class RelationChanged(Event):
    """A follow, request, block or mute came or went; never said when nothing changed."""

    type: ClassVar[str] = "social.relation.changed.v1"

    from_user_id: UUID
    to_user_id: UUID
    relation_type: Literal["f", "r", "b", "m"]
    change: Literal["created", "removed"]
    changed_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Name the edge: its facts stay in order."""
        return f"relation:{self.from_user_id}:{self.to_user_id}:{self.relation_type}"


@dataclass(frozen=True, kw_only=True)
class PostPublished(Event):
    """A post became visible, whole."""

    type: ClassVar[str] = "social.post.published.v1"

    post_id: UUID
    author_id: UUID
    media_ids: tuple[UUID, ...]
    published_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Name the post: its facts stay in order."""
        return f"post:{self.post_id}"


@dataclass(frozen=True, kw_only=True)
class PostDeleted(Event):
    """A post went, and its images may go."""

    type: ClassVar[str] = "social.post.deleted.v1"

    post_id: UUID
    author_id: UUID
    media_ids: tuple[UUID, ...]
    deleted_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Name the post: its facts stay in order."""
        return f"post:{self.post_id}"


@dataclass(frozen=True, kw_only=True)
class PostHidden(Event):
    """A moderator took a post down: its images are to be shown and taken no more."""

    type: ClassVar[str] = "social.post.hidden.v1"

    post_id: UUID
    author_id: UUID
    media_ids: tuple[UUID, ...]
    hidden_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Name the post: its facts stay in order."""
        return f"post:{self.post_id}"


@dataclass(frozen=True, kw_only=True)
class PostRestored(Event):
    """A moderator took back that a post was hidden."""

    type: ClassVar[str] = "social.post.restored.v1"

    post_id: UUID
    author_id: UUID
    media_ids: tuple[UUID, ...]
    restored_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Name the post: its facts stay in order."""
        return f"post:{self.post_id}"


@dataclass(frozen=True, kw_only=True)
class PostChanged(Event):
    """What readers see of a post changed: it was edited, or a moderator hid it or showed it again."""

    type: ClassVar[str] = "social.post.changed.v1"

    post_id: UUID
    author_id: UUID
    changed_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Name the post: its facts stay in order."""
        return f"post:{self.post_id}"


@dataclass(frozen=True, kw_only=True)
class SuspensionDecided(Event):
    """A moderator decided that an account is suspended; the auth service ends its sessions."""

    type: ClassVar[str] = "social.suspension.decided.v1"

    account_id: UUID
    report_id: UUID
    moderator_id: UUID
    reason: str
    """In plain words, for the person who tries to sign in."""
    decided_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Name the account: decided and lifted stay in order."""
        return f"suspension:{self.account_id}"


@dataclass(frozen=True, kw_only=True)
class SuspensionLifted(Event):
    """A moderator took a suspension back."""

    type: ClassVar[str] = "social.suspension.lifted.v1"

    account_id: UUID
    report_id: UUID
    moderator_id: UUID
    lifted_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Name the account: decided and lifted stay in order."""
        return f"suspension:{self.account_id}"


@dataclass(frozen=True, kw_only=True)
class Removed:
    """How many things of one kind were removed."""

    kind: str
    count: int


@dataclass(frozen=True, kw_only=True)
class AccountErased(Event):
    """Nothing is held here any more about the person of a deleted account."""

    type: ClassVar[str] = "social.account.erased.v1"

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

    type: ClassVar[str] = "social.export.collected.v1"

    export_id: UUID
    account_id: UUID
    collected_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Name the export."""
        return f"export:{self.export_id}"

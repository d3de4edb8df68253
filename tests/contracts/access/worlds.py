"""Worlds in which one person stands in one relation to another, who owns one thing of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from factories.social_people import LONG_AGO, make_person, relate
from factories.social_posts import make_post, media_ready
from igloo_common.clock import utc_now
from igloo_common.denylist import deny_session
from igloo_common.ids import new_id
from igloo_media.models.items import MediaItem
from igloo_social.models.comments import COMMENTS
from igloo_social.models.reports import REPORTS
from igloo_social.operations.erasure import bury_person


class Actor(StrEnum):
    """Who calls, as what the caller is to the owner of the things that are named."""

    ANONYMOUS = "anonymous"
    STRANGER = "stranger"
    REQUESTED = "requested"
    """Asks to follow the owner."""
    FOLLOWER = "follower"
    MUTED = "muted"
    """The owner mutes the caller, who must not notice."""
    MUTING = "muting"
    """The caller mutes the owner, and still sees what they ask for by name."""
    BLOCKED = "blocked"
    BLOCKING = "blocking"
    DELETED = "deleted"
    """The caller's account was deleted, while an access token of theirs has not expired."""
    OWNER = "owner"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How open the owner's account and post are."""

    is_private: bool = False
    visibility: str = "public"
    is_suspended: bool = False

    def __str__(self) -> str:
        """Name it in a test's id."""
        if self.is_suspended:
            return "suspended account"
        return f"{'private' if self.is_private else 'public'} account, {self.visibility} post"


SETTINGS: Final = (
    Setting(),
    Setting(is_private=True),
    Setting(visibility="followers"),
    Setting(visibility="private"),
    Setting(is_private=True, visibility="followers"),
)
SUSPENDED: Final = Setting(is_suspended=True)

_EDGES: Final = {
    Actor.REQUESTED: ("actor", "r", "owner"),
    Actor.FOLLOWER: ("actor", "f", "owner"),
    Actor.MUTED: ("owner", "m", "actor"),
    Actor.MUTING: ("actor", "m", "owner"),
    Actor.BLOCKED: ("owner", "b", "actor"),
    Actor.BLOCKING: ("actor", "b", "owner"),
}


@dataclass(frozen=True, kw_only=True)
class World:
    """The ids of one caller, one owner and the owner's things."""

    actor: Actor
    setting: Setting
    actor_id: UUID
    session_id: UUID
    owner_id: UUID
    owner_name: str
    witness_id: UUID
    """Follows the owner, has said something under the post and has reported it."""
    post_id: UUID
    comment_id: UUID
    """The witness's, under the owner's post."""
    report_id: UUID
    media_id: UUID
    """A finished photo of the owner's that no post shows."""
    upload_id: UUID

    def sees_person(self) -> bool:
        """Tell whether the owner exists for the caller."""
        return self.actor is not Actor.BLOCKED and not self.setting.is_suspended

    def sees_post(self) -> bool:
        """Tell whether the owner's post exists for the caller."""
        if self.actor is Actor.OWNER:
            return True
        if self.setting.is_suspended or self.actor in {Actor.BLOCKED, Actor.BLOCKING}:
            return False
        if self.actor is Actor.FOLLOWER:
            return self.setting.visibility != "private"
        return self.setting.visibility == "public" and not self.setting.is_private


def build(social: Session, media: Session, actor: Actor, setting: Setting) -> World:
    """Write a world's rows into both services' schemas, and commit."""
    owner_name = f"o_{new_id().hex[-20:]}"
    suspended_at = utc_now() if setting.is_suspended else None
    owner_id = make_person(
        social, username=owner_name, is_private=setting.is_private, suspended_at=suspended_at
    )
    actor_id = owner_id if actor is Actor.OWNER else make_person(social)
    witness_id = make_person(social)
    world = World(
        actor=actor,
        setting=setting,
        actor_id=actor_id,
        session_id=new_id(),
        owner_id=owner_id,
        owner_name=owner_name,
        witness_id=witness_id,
        post_id=make_post(social, owner_id, visibility=setting.visibility),
        comment_id=new_id(),
        report_id=new_id(),
        media_id=new_id(),
        upload_id=new_id(),
    )
    relate(social, witness_id, "f", owner_id)
    if edge := _EDGES.get(actor):
        ends = {"actor": actor_id, "owner": owner_id}
        relate(social, ends[edge[0]], edge[1], ends[edge[2]])
    _add_things(social, world)
    if actor is Actor.DELETED:
        bury_person(social, user_id=actor_id, now=utc_now())
    if actor is Actor.DELETED or (actor is Actor.OWNER and setting.is_suspended):
        for database in (social, media):
            deny_session(database, world.session_id, utc_now().replace(year=2100))
    media_ready(social, world.media_id, owner_id)
    media.execute(insert(MediaItem), [_photo(world), _upload(world)])
    social.commit()
    media.commit()
    return world


def _add_things(social: Session, world: World) -> None:
    social.execute(
        insert(COMMENTS).values(
            id=world.comment_id,
            post_id=world.post_id,
            author_id=world.witness_id,
            text="So much snow!",
            created_at=LONG_AGO,
        )
    )
    social.execute(
        insert(REPORTS).values(
            id=world.report_id,
            reporter_id=world.witness_id,
            target_kind="post",
            target_id=world.post_id,
            owner_id=world.owner_id,
            reason="spam",
            snapshot={},
            created_at=LONG_AGO,
        )
    )


def _item(world: World, item_id: UUID, **columns: object) -> dict[str, Any]:
    now = utc_now()
    return {
        "id": item_id,
        "owner_id": world.owner_id,
        "content_type": "image/jpeg",
        "size_bytes": 1_000,
        "created_at": now,
        "expires_at": now.replace(year=2100),
        "width": None,
        "height": None,
        "blurhash": None,
        "dominant_color": None,
        "due_at": None,
        **columns,
    }


def _photo(world: World) -> dict[str, Any]:
    shown = {
        "width": 64,
        "height": 48,
        "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
        "dominant_color": "#a1b2c3",
    }
    return _item(world, world.media_id, state="ready", **shown)


def _upload(world: World) -> dict[str, Any]:
    return _item(world, world.upload_id, state="pending", due_at=utc_now().replace(year=2100))

"""The phones that notifications are pushed to, what is on its way to them, and endpoints to clear away."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base

if TYPE_CHECKING:
    from sqlalchemy import Table


class DevicePlatform(StrEnum):
    """Whose push service reaches a device."""

    APNS = "apns"
    APNS_SANDBOX = "apns_sandbox"
    FCM = "fcm"


class Device(Base):
    """An installation of the app on a phone that wants to be pushed to, under the id that the app gave it."""

    __tablename__ = "devices"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(index=True)
    """The session that registered it: when that ends, nothing more is pushed to the phone."""
    platform: Mapped[str] = mapped_column(Text)
    token: Mapped[str] = mapped_column(Text)
    """What the platform's push service knows the installation by; one person's at a time."""
    endpoint_arn: Mapped[str | None] = mapped_column(Text)
    """The endpoint at Amazon SNS, once one was made for this token."""
    registered_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (
        UniqueConstraint("platform", "token"),
        CheckConstraint("platform IN ('apns', 'apns_sandbox', 'fcm')", name="platform_known"),
    )


class Push(Base):
    """One notification on its way to one device; removed when it was sent, or has become pointless."""

    __tablename__ = "pushes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    notification_id: Mapped[UUID] = mapped_column(index=True)
    """Not a foreign key: what was taken back before it was sent is found missing then, and dropped."""
    user_id: Mapped[UUID]
    device_id: Mapped[UUID]
    """Nor is this one, so that who likes a post never waits for a phone that registers just then."""
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_pushes_due_at", "due_at"),
        Index("ix_pushes_user_id_device_id", "user_id", "device_id"),
    )


class RetiredEndpoint(Base):
    """An endpoint at Amazon SNS that no device uses any more; removed once it is deleted there."""

    __tablename__ = "retired_endpoints"

    arn: Mapped[str] = mapped_column(Text, primary_key=True)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (Index("ix_retired_endpoints_due_at", "due_at"),)


DEVICES = cast("Table", Device.__table__)
PUSHES = cast("Table", Push.__table__)
RETIRED_ENDPOINTS = cast("Table", RetiredEndpoint.__table__)

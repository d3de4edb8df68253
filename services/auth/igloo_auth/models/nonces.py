"""Nonces of Limited Login that have been used; those still unused are stored nowhere."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from igloo_auth.db import Base


class UsedNonce(Base):
    """A nonce that was traded in, kept until it would have expired anyway.

    We know our own nonces by their signature, so that giving one out writes nothing.
    """

    __tablename__ = "used_nonces"

    nonce_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)

"""What the worker forgets, and what it keeps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.facebook_server import FacebookServer
from auth.phones import Phone
from igloo_auth.jobs import JOBS
from igloo_auth.models.refresh_tokens import RefreshToken
from igloo_auth.models.sessions import DeviceSession
from igloo_auth.operations.pruning import (
    SEAL_MARGIN,
    SESSION_RETENTION,
    erase_seals,
    prune_refresh_tokens,
    prune_sessions,
)
from igloo_auth.settings import TokenLifetimes
from igloo_common.clock import utc_now

LIFETIMES = TokenLifetimes(access_seconds=600, refresh_seconds=3600, reuse_grace_seconds=60)


def test_expired_tokens_are_forgotten_and_the_others_kept(
    client: FlaskClient, facebook: FacebookServer, phone: Phone, session: Session
) -> None:
    kept = Phone.signed_in(client, facebook.token(facebook.person()))
    [expired] = session.scalars(select(RefreshToken).where(RefreshToken.session_id == phone.session_id))
    expired.expires_at = utc_now()
    session.commit()

    assert prune_refresh_tokens(session, now=utc_now()) == 1
    session.commit()

    assert (phone.try_refresh().json or {})["code"] == "refresh_token_invalid"
    kept.refresh()


@pytest.mark.parametrize("how", ["expired", "revoked"])
def test_a_session_is_forgotten_once_its_retention_is_over(
    client: FlaskClient, facebook: FacebookServer, phone: Phone, session: Session, how: str
) -> None:
    kept = Phone.signed_in(client, facebook.token(facebook.person()))
    over = session.get_one(DeviceSession, phone.session_id)
    now = utc_now()
    if how == "expired":
        over.expires_at = now
    else:
        over.revoked_at, over.revoked_reason = now, "signed_out"
    session.commit()

    before = prune_sessions(session, now=now + SESSION_RETENTION - timedelta(seconds=1))
    after = prune_sessions(session, now=now + SESSION_RETENTION)
    session.commit()

    assert (before, after) == (0, 1)
    assert [str(one) for one in session.scalars(select(DeviceSession.id))] == [kept.session_id]


def test_a_seal_is_erased_once_no_retry_may_open_it(phone: Phone, session: Session) -> None:
    phone.refresh()
    unused = erase_seals(session, lifetimes=LIFETIMES, now=utc_now() + timedelta(days=1))
    session.commit()
    phone.refresh()
    past = utc_now() + timedelta(seconds=61)
    just_past_grace = erase_seals(session, lifetimes=LIFETIMES, now=past)
    session.commit()
    well_past_grace = erase_seals(session, lifetimes=LIFETIMES, now=past + SEAL_MARGIN)
    session.commit()

    assert (unused, just_past_grace, well_past_grace) == (0, 0, 1)


def test_a_token_whose_seal_was_erased_is_a_reuse(app: Flask, phone: Phone, session: Session) -> None:
    stolen = phone.refresh_token
    phone.refresh()
    phone.refresh()
    erase_seals(session, lifetimes=LIFETIMES, now=utc_now() + timedelta(seconds=61) + SEAL_MARGIN)
    session.commit()

    assert (phone.try_refresh(stolen).json or {})["code"] == "refresh_token_reused"


def test_the_workers_job_prunes_all_of_it(app: Flask, phone: Phone, session: Session) -> None:
    over = session.get_one(DeviceSession, phone.session_id)
    over.expires_at = utc_now() - SESSION_RETENTION
    session.commit()
    [job] = [job for job in JOBS if job.name == "prune-sessions"]

    with app.app_context():
        job.run()

    session.expire_all()
    assert session.scalars(select(DeviceSession)).all() == []
    assert session.scalars(select(RefreshToken)).all() == []

"""The trail of what happened to an account's security: what is in it, who reads it, and that it stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from auth.facebook_server import FacebookServer
from auth.phones import Phone
from igloo_auth.jobs import JOBS
from igloo_auth.models.security_events import SecurityEvent, SecurityEventKind
from igloo_auth.operations.pruning import prune_security_events
from igloo_auth.operations.security_events import record_security_event
from igloo_auth.schemas.security_events import MEANINGS
from igloo_common.clock import utc_now

ACTIVITY = "/v1/account/security-events"


def activity(phone: Phone, query: str = "") -> list[dict[str, Any]]:
    """Read a page of a person's trail."""
    answer = phone.get(ACTIVITY + query)
    assert answer.status_code == 200, answer.text
    data = (answer.json or {})["data"]
    assert isinstance(data, list)
    return data


def record(session: Session, phone: Phone, *, ago: timedelta = timedelta(), **details: str) -> None:
    """Write a line of a person's trail, as if some time ago."""
    record_security_event(
        session,
        account_id=UUID(phone.user_id),
        kind=SecurityEventKind.EXPORT_REQUESTED,
        details=details,
        now=utc_now() - ago,
    )
    session.commit()


def test_a_person_reads_what_happened_the_latest_first_and_nobody_elses(
    client: FlaskClient, facebook: FacebookServer
) -> None:
    person = facebook.person()
    Phone.signed_in(client, facebook.token(facebook.person("Noise")))
    lost = Phone.signed_in(client, facebook.token(person), device_name="Old phone", platform="android")
    mine = Phone.signed_in(client, facebook.token(person))
    mine.delete(f"/v1/auth/sessions/{lost.session_id}")

    [revoked, second, first] = activity(mine)

    assert {**revoked, "id": "…", "occurred_at": "…"} == {
        "id": "…",
        "kind": "session_revoked",
        "occurred_at": "…",
        "session_id": lost.session_id,
        "ip_prefix": "127.0.0.0/24",
        "details": {"device_name": "Old phone", "platform": "android"},
    }
    assert (second["kind"], second["session_id"], second["details"]) == (
        "signed_in",
        mine.session_id,
        {"grant_type": "facebook_access_token"},
    )
    assert (first["kind"], first["session_id"]) == ("signed_in", lost.session_id)


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_signing_out_is_in_the_trail_once(client: FlaskClient, facebook: FacebookServer, kind: str) -> None:
    person = facebook.person()
    gone, mine = (Phone.signed_in(client, facebook.token(person), device_name=name) for name in ("A", "B"))
    for _ in range(2):
        client.post("/v1/auth/revoke", data={"token": gone.granted[kind]})

    latest, *earlier = activity(mine)

    assert (latest["kind"], latest["session_id"], latest["details"]) == (
        "signed_out",
        gone.session_id,
        {"device_name": "A"},
    )
    assert [entry["kind"] for entry in earlier] == ["signed_in"] * 2


def test_a_reused_token_is_in_the_trail_with_the_network_of_who_used_it(
    make_app: Callable[..., Flask], facebook: FacebookServer
) -> None:
    client = make_app(IGLOO_REFRESH_GRACE_SECONDS="0").test_client()
    person = facebook.person()
    robbed, mine = (Phone.signed_in(client, facebook.token(person)) for _ in range(2))
    stolen = robbed.refresh_token
    robbed.refresh()
    robbed.refresh()

    for _ in range(2):
        client.post(
            "/v1/auth/token",
            data={"grant_type": "refresh_token", "refresh_token": stolen},
            headers={"X-Forwarded-For": "203.0.113.77"},
        )

    latest, *earlier = activity(mine)
    assert (latest["kind"], latest["session_id"], latest["ip_prefix"]) == (
        "refresh_token_reused",
        robbed.session_id,
        "203.0.113.0/24",
    )
    assert [entry["kind"] for entry in earlier] == ["signed_in"] * 2


def test_the_trail_pages_both_ways_without_gaps(phone: Phone, session: Session) -> None:
    for number in range(4):
        record(session, phone, number=str(number))
    everything = [entry["id"] for entry in activity(phone)]
    assert len(everything) == 5

    first = phone.get(f"{ACTIVITY}?limit=2").json or {}
    second = phone.get(f"{ACTIVITY}?limit=2&cursor={first['page']['next_cursor']}").json or {}
    third = phone.get(f"{ACTIVITY}?limit=2&cursor={second['page']['next_cursor']}").json or {}
    back = phone.get(f"{ACTIVITY}?limit=2&cursor={third['page']['prev_cursor']}").json or {}

    paged = [entry["id"] for page in (first, second, third) for entry in page["data"]]
    assert paged == everything
    assert third["page"]["next_cursor"] is None
    assert back["data"] == second["data"]


def test_a_cursor_of_another_list_or_person_is_refused(
    client: FlaskClient, facebook: FacebookServer, phone: Phone
) -> None:
    stranger = Phone.signed_in(client, facebook.token(facebook.person()))
    own = (phone.get(ACTIVITY).json or {})["page"]["prev_cursor"]
    sessions = (phone.get("/v1/auth/sessions").json or {})["page"]["prev_cursor"]

    for answer in (stranger.get(f"{ACTIVITY}?cursor={own}"), phone.get(f"{ACTIVITY}?cursor={sessions}")):
        assert (answer.status_code, (answer.json or {})["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE security_events SET details = '{}'",
        "UPDATE security_events SET occurred_at = occurred_at - interval '1 year'",
        "UPDATE security_events SET account_id = gen_random_uuid()",
        "DELETE FROM security_events",
        "TRUNCATE security_events",
        "ALTER TABLE security_events DISABLE TRIGGER ALL",
    ],
)
def test_the_database_itself_refuses_to_change_or_lose_a_line(
    phone: Phone, session: Session, statement: str
) -> None:
    with pytest.raises(ProgrammingError, match=r"append-only|permission denied|must be owner"):
        session.execute(text(statement))
    session.rollback()

    assert [entry["kind"] for entry in activity(phone)] == ["signed_in"]


def test_lines_of_more_than_half_a_year_are_forgotten_and_the_others_kept(
    phone: Phone, session: Session
) -> None:
    record(session, phone, ago=timedelta(days=180, hours=2), number="old")
    record(session, phone, ago=timedelta(days=179), number="young")

    assert prune_security_events(session, now=utc_now()) == 1
    session.commit()

    assert [entry["kind"] for entry in activity(phone)] == ["signed_in", "export_requested"]


def test_the_trail_goes_with_its_account(phone: Phone, session: Session) -> None:
    session.execute(text("DELETE FROM accounts"))
    session.commit()

    assert session.scalar(select(func.count()).select_from(SecurityEvent)) == 0


def test_the_job_that_prunes_prunes_the_trail(app: Flask, phone: Phone, session: Session) -> None:
    record(session, phone, ago=timedelta(days=200))
    [job] = [job for job in JOBS if job.name == "prune-sessions"]

    with app.app_context():
        job.run()

    assert [entry["kind"] for entry in activity(phone)] == ["signed_in"]


def test_every_kind_is_explained(client: FlaskClient) -> None:
    assert set(MEANINGS) == set(SecurityEventKind)
    schema = (client.get("/openapi.json").json or {})["components"]["schemas"]["SecurityEvent"]
    kind = schema["properties"]["kind"]
    assert set(kind["enum"]) == {one.value for one in SecurityEventKind}
    assert all(f"`{one.value}`" in kind["description"] for one in SecurityEventKind)

"""What suspended people try with tokens that are still good: nothing of it comes to pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import text

from factories.social_accounts import tables_of
from factories.social_moderation import move_all, say, suspend
from factories.social_people import make_people, make_private, relate
from factories.social_posts import like, make_post
from factories.tokens import bearer
from igloo_common.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session

WRITES: Mapping[str, Any] = {
    "PUT /v1/users/{other}/block": None,
    "DELETE /v1/users/{blocked}/block": None,
    "PUT /v1/posts/{others_post}/bookmark": None,
    "POST /v1/posts/{others_post}/comments": {"text": "Snow"},
    "DELETE /v1/comments/{comment}": None,
    "PUT /v1/devices/{new}": {"platform": "fcm", "token": "a" * 40},
    "POST /v1/follow-requests/{asking}/accept": None,
    "POST /v1/follow-requests/{asking}/reject": None,
    "PUT /v1/users/{stranger}/follow": None,
    "DELETE /v1/users/{other}/follow": None,
    "DELETE /v1/users/me/followers/{other}": None,
    "PUT /v1/posts/{others_post}/like": None,
    "DELETE /v1/posts/{liked}/like": None,
    "PUT /v1/users/{other}/mute": {},
    "DELETE /v1/users/{stranger}/mute": None,
    "PUT /v1/notifications/read-marker": {"read_until": "2026-01-01T00:00:00Z"},
    "PUT /v1/notifications/preferences": {"like": "off"},
    "POST /v1/posts": {"caption": "Snow"},
    "PATCH /v1/posts/{post}": {"caption": "Ice"},
    "DELETE /v1/posts/{post}": None,
    "PATCH /v1/users/me": {"display_name": "Puffin"},
    "POST /v1/reports": {"target_kind": "user", "reason": "spam"},
    "DELETE /v1/users/me/suggestions/{other}": None,
}
NOT_WATCHED = {"idempotency_keys", "account_tasks", "outbox", "event_sequences", "rate_limits"}


def everything(session: Session) -> dict[str, list[str]]:
    session.rollback()
    return {
        table: sorted(session.scalars(text(f"SELECT t::text FROM {table} t")))  # noqa: S608 - our tables
        for table in tables_of(session) - NOT_WATCHED
    }


@pytest.mark.parametrize("lane", ["before_the_lane", "after_the_lane"])
def test_a_suspended_person_writes_nothing_with_a_token_that_is_still_good(
    app: Flask, client: FlaskClient, session: Session, lane: str
) -> None:
    person, other, stranger, blocked, asking = make_people(session, 5)
    make_private(session, person)
    for one, kind, another in (
        (person, "f", other),
        (other, "f", person),
        (person, "b", blocked),
        (person, "m", stranger),
        (asking, "r", person),
    ):
        relate(session, one, kind, another)
    named: dict[str, UUID] = {
        "other": other,
        "stranger": stranger,
        "blocked": blocked,
        "asking": asking,
        "new": new_id(),
        "post": make_post(session, person),
        "others_post": make_post(session, other),
        "liked": make_post(session, other),
    }
    like(session, person, named["liked"])
    named["comment"] = say(session, person, named["others_post"])
    session.commit()
    client.get("/v1/feed", headers=bearer(person))
    suspend(session, person)
    if lane == "after_the_lane":
        move_all(app)
    before, refused = everything(session), {}

    for route, body in WRITES.items():
        method, path = route.split(" ")
        said = {**body, "target_id": str(other)} if "target_kind" in (body or {}) else body
        reply = client.open(path.format(**named), method=method, json=said, headers=bearer(person))
        refused[route] = reply.status_code

    assert everything(session) == before
    assert {route: status for route, status in refused.items() if status != 404} == {}

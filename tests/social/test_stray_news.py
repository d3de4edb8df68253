"""What a release that knew no groups tells while it is being replaced is shown a moment later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from factories.social_news import assert_groups_agree, tell
from factories.social_people import make_people
from factories.social_posts import make_post
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_social.jobs import periodic

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session

STRAY = text("""
INSERT INTO notifications (id, recipient_id, kind, actor_id, object_id, created_at)
VALUES (gen_random_uuid(), :recipient, :kind, :actor, :thing, now())
""")


def test_facts_without_a_group_join_the_one_of_their_day(
    app: Flask, client: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic, "NEWS_GROUPED_AT_ONCE", 2)
    author, *fans = make_people(session, 4)
    post, gone = make_post(session, author), make_post(session, author, deleted_at=utc_now())
    tell(session, author, actor=fans[0], post=post, at=utc_now())
    for fan in fans[1:]:
        session.execute(STRAY, {"recipient": author, "kind": "like", "actor": fan, "thing": post})
        session.execute(STRAY, {"recipient": author, "kind": "like", "actor": fan, "thing": gone})
        session.execute(STRAY, {"recipient": author, "kind": "follow", "actor": fan, "thing": None})
    session.execute(STRAY, {"recipient": author, "kind": "post_failed", "actor": None, "thing": post})
    session.execute(STRAY, {"recipient": author, "kind": "follow_request", "actor": fans[0], "thing": None})
    session.commit()

    with app.app_context():
        for _ in range(2):
            periodic.group_stray_news()

    assert_groups_agree(session)
    listed = client.get("/v1/notifications", headers=bearer(author)).get_json()["data"]
    assert sorted((group["kind"], group["actor_count"], group["post_id"]) for group in listed) == sorted(
        [
            ("like", 3, str(post)),
            ("follow", 2, None),
            ("post_failed", 0, str(post)),
            ("follow_request", 1, None),
        ],
        key=lambda group: group[0],
    )

"""What captions leave behind: erased with their author, and in the author's copy until then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text

from factories.social_accounts import assert_nothing_is_left, delete_account, erase_all
from factories.social_people import make_person
from factories.tokens import bearer
from igloo_social.models.posts import POSTS
from igloo_social.queries.export_sections import SECTIONS

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session


def make(client: FlaskClient, author: UUID, *captions: str) -> str:
    first, *others = captions
    post_id: str = client.post("/v1/posts", json={"caption": first}, headers=bearer(author)).get_json()["id"]
    for caption in others:
        client.patch(f"/v1/posts/{post_id}", json={"caption": caption}, headers=bearer(author))
    return post_id


def test_tags_mentions_and_revisions_go_with_their_author(
    app: Flask, client: FlaskClient, session: Session
) -> None:
    hare, puffin, fox = (make_person(session, username=name) for name in ("hare", "puffin", "fox"))
    session.commit()
    make(client, hare, "#snow @puffin", "#snow #ice @puffin @fox")
    deleted = make(client, hare, "#snow @puffin", "#ice")
    client.delete(f"/v1/posts/{deleted}", headers=bearer(hare))
    others = make(client, puffin, "#snow", "#snow with @hare, @fox")
    session.commit()

    delete_account(session, hare)
    erase_all(app)

    assert_nothing_is_left(session, hare)
    post = client.get(f"/v1/posts/{others}", headers=bearer(fox)).get_json()
    assert (post["caption"], post["tags"]) == ("#snow with @hare, @fox", ["snow"])
    assert post["mentions"] == [{"user_id": str(fox), "username": "fox"}]
    rows = {
        table: session.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - our tables
        for table in ("post_tags", "post_mentions", "post_revisions")
    }
    assert rows == {"post_tags": 1, "post_mentions": 1, "post_revisions": 1}
    assert session.scalars(select(POSTS.c.mention_count)).all() == [1]


def test_a_copy_of_a_persons_posts_holds_how_they_read_before(client: FlaskClient, session: Session) -> None:
    hare, puffin = (make_person(session, username=name) for name in ("hare", "puffin"))
    session.commit()
    make(client, hare, "One", "Two", "Three")
    make(client, puffin, "Other", "Noise")

    (row,) = session.execute(SECTIONS["posts"], {"person_id": hare}).mappings()

    revisions: list[dict[str, Any]] = row["revisions"]
    assert [revision["caption"] for revision in revisions] == ["One", "Two"]
    assert set(revisions[0]) == {"caption", "visibility", "written_at", "replaced_at"}

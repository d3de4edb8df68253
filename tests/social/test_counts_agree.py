"""Whoever looks, and at whatever: a count says how many entries they can page through.

A town lives at random; then every profile and post is looked at by everybody who can, and by the anonymous.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text

from factories.social_accounts import delete_account, erase_all
from factories.social_moderation import move_all, reinstate, suspend
from factories.social_people import LONG_AGO, make_people
from factories.tokens import bearer
from igloo_common.database import transaction
from igloo_common.ids import new_id
from igloo_social.jobs.erasures import erase_next
from igloo_social.jobs.suspensions import move_next
from igloo_social.models.comments import COMMENTS
from igloo_social.models.posts import POSTS
from igloo_social.operations.moderated_content import hide_comment, hide_post, show_comment, show_post
from igloo_social.operations.relations import lock_people
from igloo_social.reconciliation import Reconciliation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    from flask import Flask
    from sqlalchemy.orm import Session

PEOPLE, DEEDS, SMALL_PAGE = 7, 240, 3
VISIBILITIES = ("public", "public", "followers", "private")


class Town:
    """Some people, and what they do over HTTP."""

    def __init__(self, app: Flask, session: Session, seed: int) -> None:
        self._app, self._session, self._client = app, session, app.test_client()
        self._chance = random.Random(seed)  # noqa: S311 - a test repeats it
        self.people = make_people(session, PEOPLE)
        session.commit()
        self._tokens = {person: bearer(person) for person in self.people}
        self._posts, self._comments = [str(new_id())], [str(new_id())]
        for person in self.people:
            for visibility in ("public", self._chance.choice(("followers", "private"))):
                _, made = self.call(person, "POST", "/v1/posts", caption="Ice", visibility=visibility)
                self._posts.append(made["id"])

    def live(self, deeds: int = DEEDS) -> None:
        """Have people do things at random; what they may not, they are refused."""
        kinds, weights = tuple(_DEEDS), tuple(weight for weight, *_ in _DEEDS)
        for _ in range(deeds):
            (_, method, path, body), (one, other) = (
                self._chance.choices(kinds, weights)[0],
                self._chance.sample(self.people, 2),
            )
            places = {
                "other": other,
                "post": self._chance.choice(self._posts),
                "said": self._chance.choice(self._comments),
            }
            words = {name: self._chance.choice(values) for name, values in body.items()}
            status, made = self.call(one, method, path.format(**places), **words)
            if status == 201:
                (self._comments if path.endswith("comments") else self._posts).append(made["id"])

    def call(self, viewer: UUID | None, method: str, path: str, **body: Any) -> tuple[int, Any]:  # noqa: ANN401
        """Call a route as somebody."""
        headers = self._tokens[viewer] if viewer else {}
        reply = self._client.open(path, method=method, headers=headers, json=body or None)
        assert reply.status_code in {200, 201, 204, 403, 404, 409}, (method, path, reply.text)
        return reply.status_code, reply.get_json(silent=True)

    def moderate(self, change_post: Any, change_comment: Any, share: float) -> None:  # noqa: ANN401
        """Hide some posts and comments, or show them again."""
        posts = self._session.execute(select(POSTS.c.id, POSTS.c.author_id)).all()
        said = self._session.execute(select(COMMENTS.c.id, COMMENTS.c.author_id)).all()
        self._session.rollback()
        with self._app.app_context():
            for things, change, name in (
                (posts, change_post, "post_id"),
                (said, change_comment, "comment_id"),
            ):
                for thing_id, author_id in self._chance.sample(things, int(len(things) * share)):
                    with transaction() as own:
                        lock_people(own, [author_id])
                        who = {"author_id": author_id, "now": LONG_AGO} if name == "post_id" else {}
                        change(own, **{name: thing_id}, **who)

    def disagreements(self, viewers: Sequence[UUID | None]) -> list[tuple[str, UUID | None, int, int]]:
        """List what is counted otherwise than it can be paged through; `compared` says how much was."""
        self.compared: Counter[str] = Counter()
        return [
            (path, viewer, told, listed)
            for viewer in viewers
            for path, told, listed in self._looks(viewer)
            if told != listed
        ]

    def _looks(self, viewer: UUID | None) -> Iterator[tuple[str, int, int]]:
        seen: dict[str, Any] = {}
        for person in self.people:
            status, profile = self.call(viewer, "GET", f"/v1/users/{person}")
            for name in ("followers", "following", "posts"):
                path = f"/v1/users/{person}/{name}"
                entries = self._entries(viewer, path)
                if entries is None:
                    assert status == 404 or (profile["is_private"] and name != "posts"), path
                    continue
                assert status == 200, path
                seen |= {entry["id"]: entry for entry in entries} if name == "posts" else {}
                yield self._compared(path, profile[_COUNTS[name]], entries)
        for post_id in self._posts:
            status, post = self.call(viewer, "GET", f"/v1/posts/{post_id}")
            # A post that one sees stands in its author's list, and the other way round, with the same counts.
            assert (status == 200) == (post_id in seen), post_id
            for name in ("likes", "comments"):
                path = f"/v1/posts/{post_id}/{name}"
                entries = self._entries(viewer, path)
                assert (entries is None) == (status == 404), path
                if entries is not None:
                    assert seen[post_id][_COUNTS[name]] == post[_COUNTS[name]]
                    yield self._compared(path, post[_COUNTS[name]], entries)

    def _compared(self, path: str, told: int, entries: Sequence[Mapping[str, Any]]) -> tuple[str, int, int]:
        assert len({entry["id"] for entry in entries}) == len(entries), f"{path} lists an entry twice"
        self.compared[path.rsplit("/", 1)[1]] += len(entries)
        return path, told, len(entries)

    def _entries(self, viewer: UUID | None, path: str) -> list[Mapping[str, Any]] | None:
        """Page through a list, to its end; None where it is refused."""
        entries: list[Mapping[str, Any]] = []
        cursor = ""
        while True:
            status, page = self.call(viewer, "GET", f"{path}?limit={SMALL_PAGE}{cursor}")
            if status != 200:
                return None
            entries += page["data"]
            if page["page"]["next_cursor"] is None:
                return entries
            cursor = f"&cursor={page['page']['next_cursor']}"


_COUNTS = {
    "followers": "follower_count",
    "following": "following_count",
    "posts": "post_count",
    "likes": "like_count",
    "comments": "comment_count",
}
# How often, what, and with which words.
_DEEDS: Sequence[tuple[int, str, str, dict[str, Sequence[Any]]]] = (
    (14, "PUT", "/v1/users/{other}/follow", {}),
    (8, "POST", "/v1/follow-requests/{other}/accept", {}),
    (2, "DELETE", "/v1/users/{other}/follow", {}),
    (1, "DELETE", "/v1/users/me/followers/{other}", {}),
    (2, "PUT", "/v1/users/{other}/block", {}),
    (1, "DELETE", "/v1/users/{other}/block", {}),
    (2, "PUT", "/v1/users/{other}/mute", {}),
    (1, "PATCH", "/v1/users/me", {"is_private": (True, False)}),
    (2, "POST", "/v1/posts", {"caption": ("#snow",), "visibility": VISIBILITIES}),
    (1, "POST", "/v1/posts", {"caption": ("Fog",), "media_ids": ([str(new_id())], [str(new_id())])}),
    (2, "PATCH", "/v1/posts/{post}", {"visibility": VISIBILITIES}),
    (1, "DELETE", "/v1/posts/{post}", {}),
    (40, "PUT", "/v1/posts/{post}/like", {}),
    (3, "DELETE", "/v1/posts/{post}/like", {}),
    (28, "POST", "/v1/posts/{post}/comments", {"text": ("Cold", "Snow!")}),
    (2, "DELETE", "/v1/comments/{said}", {}),
)


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_agree_with_what_each_viewer_can_page_through(app: Flask, session: Session, seed: int) -> None:
    town = Town(app, session, seed)
    town.live()
    # Many at the same moment: the places of entries are told apart by ids alone.
    for table in ("relations", "likes", "comments"):
        session.execute(text(f"UPDATE {table} SET created_at = :at"), {"at": LONG_AGO})  # noqa: S608
    session.commit()
    everybody = [*town.people, None]

    assert town.disagreements(everybody) == []
    assert min(town.compared[name] for name in _COUNTS) > 40, town.compared

    town.moderate(hide_post, hide_comment, 0.3)
    suspended, back, leaving, gone, *rest = town.people
    viewers: list[UUID | None] = [*rest, None]
    for person in (suspended, back):
        suspend(session, person)
    for person in (leaving, gone):
        delete_account(session, person)
    # Hidden at once; what is around them is yet to be counted anew, and is just being.
    with app.app_context():
        for _ in range(2):
            assert town.disagreements(viewers[-2:]) == []
            assert move_next()
            assert erase_next()
    move_all(app)
    erase_all(app)
    assert town.disagreements(viewers) == []

    town.moderate(show_post, show_comment, 0.5)
    reinstate(session, back)
    move_all(app)
    town.people = [person for person in town.people if person not in {suspended, leaving, gone}]
    town.live(DEEDS // 4)
    assert town.disagreements([*town.people, None]) == []
    assert nothing_has_drifted(app)


def nothing_has_drifted(app: Flask) -> bool:
    """Look at all stored counts."""
    walk = Reconciliation(only_looks=True)
    with app.app_context():
        while walk.step():
            pass
    return all(tally.wrong == 0 for tally in walk.tallies.values())

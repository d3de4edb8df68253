"""Every stored count that is wrong is found, put right and counted; right ones are not even written."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select, text

from factories.social_comments import add_comment_noise, comment, mention
from factories.social_news import tell
from factories.social_people import LONG_AGO, add_noise, make_people, make_person, relate
from factories.social_posts import add_post_noise, like, make_post
from igloo_common.ids import new_id
from igloo_social.jobs import counts as counts_job
from igloo_social.jobs.counts import CountsJob
from igloo_social.models.posts import POSTS
from igloo_social.operations import reconciliation
from igloo_social.operations.drift import KINDS
from igloo_social.operations.ranks import rerank
from igloo_social.reconciliation import Reconciliation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from click.testing import Result
    from flask import Flask
    from sqlalchemy import TextClause
    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Drift:
    """How a kind of count is made wrong, in how many rows, and which rows show it."""

    kind: str
    spoil: str
    shown: str
    rows: int = 1
    moves_rank: bool = False

    @property
    def wrong(self) -> dict[str, int]:
        """Say how many rows of which kinds are wrong: a place in explore is made of the stored counts."""
        return {self.kind: self.rows} | ({"ranks": self.rows} if self.moves_rank else {})


_PERSON = "SELECT follower_count, following_count FROM profiles WHERE user_id IN (:author, :fan)"
_POSTS = "SELECT post_count, public_post_count, followers_post_count FROM profiles WHERE user_id = :author"
_POST = "SELECT like_count, comment_count, rank_at, mention_count FROM posts WHERE id = :post"
_TAGS = "SELECT tag, published_at, post_id FROM post_tags WHERE post_id IN (:post, :deleted, :hidden)"
_GROUPS = "SELECT id, actor_count, latest_at FROM notification_groups WHERE recipient_id = :author"
_FACTS = "SELECT id, is_newest FROM notifications WHERE recipient_id = :author"
_COMMENT = "SELECT mention_count FROM comments WHERE id = :said"
DRIFTS = {
    "followers": Drift(
        "followers", "UPDATE profiles SET follower_count = 7 WHERE user_id = :author", _PERSON
    ),
    "followees of one who follows": Drift(
        "followees", "UPDATE profiles SET following_count = 0 WHERE user_id = :fan", _PERSON
    ),
    "followees of one who does not": Drift(
        "followees", "UPDATE profiles SET following_count = 1 WHERE user_id = :author", _PERSON
    ),
    "all posts": Drift(
        "posts", "UPDATE profiles SET post_count = post_count - 1 WHERE user_id = :author", _POSTS
    ),
    "public posts": Drift(
        "posts", "UPDATE profiles SET public_post_count = 9 WHERE user_id = :author", _POSTS
    ),
    "posts for followers": Drift(
        "posts", "UPDATE profiles SET followers_post_count = 0 WHERE user_id = :author", _POSTS
    ),
    "follows merged for no reason": Drift(
        "merged_follows",
        "UPDATE relations SET is_merged = true WHERE from_user = :fan AND relation_type = 'f'",
        "SELECT is_merged FROM relations WHERE from_user = :fan AND relation_type = 'f'",
    ),
    "likes": Drift("likes", "UPDATE posts SET like_count = 0 WHERE id = :post", _POST, moves_rank=True),
    "comments": Drift(
        "comments", "UPDATE posts SET comment_count = 4 WHERE id = :post", _POST, moves_rank=True
    ),
    "comments of all posts": Drift(
        "comments",
        "UPDATE posts SET comment_count = 40 WHERE author_id = :author",
        _POST,
        rows=4,
        moves_rank=True,
    ),
    "a place in explore": Drift("ranks", "UPDATE posts SET rank_at = now() WHERE id = :post", _POST),
    "no place in explore": Drift("ranks", "UPDATE posts SET rank_at = NULL WHERE id = :post", _POST),
    "mentions in a post": Drift(
        "post_mentions", "UPDATE posts SET mention_count = 0 WHERE id = :post", _POST
    ),
    "a tag too few": Drift("tags", "DELETE FROM post_tags WHERE post_id = :post AND tag = 'snow'", _TAGS),
    "a tag too many": Drift(
        "tags",
        "INSERT INTO post_tags SELECT 'fog', published_at, id FROM posts"
        " WHERE id IN (:post, :deleted, :hidden)",
        _TAGS,
        rows=3,
    ),
    "a tag of another time": Drift(
        "tags", "UPDATE post_tags SET published_at = now() WHERE post_id = :post AND tag = 'snow'", _TAGS
    ),
    "mentions in a comment": Drift(
        "comment_mentions", "UPDATE comments SET mention_count = 3 WHERE id = :said", _COMMENT
    ),
    "people of a group": Drift(
        "notification_groups",
        "UPDATE notification_groups SET actor_count = 9 WHERE recipient_id = :author AND kind = 'like'",
        _GROUPS,
    ),
    "the time of a group": Drift(
        "notification_groups",
        "UPDATE notification_groups SET latest_at = now() WHERE recipient_id = :author AND kind = 'like'",
        _GROUPS,
    ),
    "a group without facts": Drift(
        "notification_groups",
        "INSERT INTO notification_groups (id, recipient_id, kind, latest_at, actor_count)"
        " VALUES (gen_random_uuid(), :author, 'follow', now(), 1)",
        _GROUPS,
    ),
    "people shown twice": Drift(
        "notification_groups",
        "UPDATE notifications SET is_newest = true WHERE recipient_id = :author",
        _FACTS,
    ),
    "people not shown": Drift(
        "notification_groups",
        "UPDATE notifications SET is_newest = false WHERE recipient_id = :author AND kind = 'comment'",
        _FACTS,
    ),
}

_TABLES = (
    "profiles",
    "relations",
    "posts",
    "post_tags",
    "comments",
    "notifications",
    "notification_groups",
    "timeline",
    "feed_changes",
)


@pytest.fixture
def town(session: Session) -> Mapping[str, UUID]:
    """Make people around an author with some of everything, all of it counted rightly."""
    author, fan, other = make_people(session, 3)
    relate(session, fan, "f", author)
    add_noise(session, author, fan)
    add_post_noise(session)
    add_comment_noise(session)
    add_merged_noise(session)
    post = make_post(session, author, caption="#snow #ice")
    hidden = make_post(session, author, caption="#fog", state="hidden")
    make_post(session, author, visibility="followers")
    deleted = make_post(session, author, caption="#ice", deleted_at=LONG_AGO)
    for liker in (fan, other):
        like(session, liker, post)
        tell(session, author, actor=liker, post=post)
    said = comment(session, fan, post)
    comment(session, other, post, hidden_by="moderation")
    comment(session, other, post, text="", deleted_at=LONG_AGO)
    mention(session, said, author, "author")
    session.execute(
        text("INSERT INTO post_mentions (post_id, user_id, username) VALUES (:post, :fan, 'fan')"),
        {"post": post, "fan": fan},
    )
    session.execute(text("UPDATE posts SET mention_count = 1 WHERE id = :post"), {"post": post})
    for minute in range(2):
        at = LONG_AGO + timedelta(minutes=minute)
        tell(session, author, actor=fan, kind="comment", post=post, thing=new_id(), at=at)
    tell(session, author, actor=None, kind="post_failed", post=hidden)
    rerank(session, list(session.scalars(select(POSTS.c.id))))
    session.commit()
    return {
        "author": author,
        "fan": fan,
        "other": other,
        "post": post,
        "hidden": hidden,
        "deleted": deleted,
        "said": said,
    }


def add_merged_noise(session: Session) -> None:
    """Add a follow that is rightly merged, and one that the merging lane has not come to."""
    popular = make_person(session, merged_at_read=True, post_count=0)
    for fan in make_people(session, 2):
        relate(session, fan, "f", popular)
    session.execute(
        text("UPDATE relations SET is_merged = true WHERE to_user = :popular AND from_user = :fan"),
        {"popular": popular, "fan": fan},
    )
    # One who is going: whatever they count goes batch by batch.
    make_person(session, deleted_at=LONG_AGO, follower_count=5, post_count=5)


def rows_of(session: Session) -> dict[str, set[tuple[Any, ...]]]:
    """Read which version of each row there is: a write makes another, though it change nothing."""
    session.rollback()
    versions = {table: text(f"SELECT ctid::text, xmin::text FROM {table}") for table in _TABLES}  # noqa: S608
    return {table: {tuple(row) for row in session.execute(read)} for table, read in versions.items()}


def run(app: Flask, *words: str) -> Result:
    """Type the command; it says one line a kind."""
    result = app.test_cli_runner().invoke(args=["counts", "reconcile", *words])
    assert [line.split()[0] for line in result.output.splitlines()] == list(KINDS), result.output
    return result


def numbers(result: Result) -> dict[str, tuple[int, int]]:
    """Take from what the command says how many were wrong, and how many put right, of kinds with any."""
    lines = [line.split() for line in result.output.splitlines()]
    return {line[0]: (int(line[4]), int(line[6])) for line in lines if (line[4], line[6]) != ("0", "0")}


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS.keys())
def test_what_is_wrong_is_found_put_right_and_counted(
    app: Flask, session: Session, town: Mapping[str, UUID], drift: Drift
) -> None:
    shown = text(drift.shown)

    def read() -> list[str]:
        session.rollback()
        return sorted(str(row) for row in session.execute(shown, _used(shown, town)))

    right = read()
    spoil = text(drift.spoil)
    session.execute(spoil, _used(spoil, town))
    session.commit()
    wrong, versions = read(), rows_of(session)
    assert wrong != right

    looked = run(app, "--dry-run")
    assert (looked.exit_code, numbers(looked)) == (1, {kind: (rows, 0) for kind, rows in drift.wrong.items()})
    assert rows_of(session) == versions

    mended = run(app)
    assert (mended.exit_code, numbers(mended)) == (
        0,
        {kind: (rows, rows) for kind, rows in drift.wrong.items()},
    )
    assert read() == right
    again = run(app, "--dry-run")
    assert (again.exit_code, numbers(again)) == (0, {})


def test_what_cannot_be_put_right_at_once_is_told_and_put_right_by_the_next(
    app: Flask, session: Session, town: Mapping[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "FOLLOWS_AT_ONCE", 1)
    relate(session, town["fan"], "f", town["other"])
    session.execute(
        text("UPDATE relations SET is_merged = true WHERE from_user = :fan AND relation_type = 'f'"),
        {"fan": town["fan"]},
    )
    session.commit()

    first, second = run(app), run(app)

    assert (first.exit_code, numbers(first)) == (1, {"merged_follows": (1, 0)})
    assert (second.exit_code, numbers(second)) == (0, {"merged_follows": (1, 1)})


def test_what_is_right_is_not_written(app: Flask, session: Session, town: Mapping[str, UUID]) -> None:
    before = rows_of(session)
    assert all(before[table] for table in ("profiles", "posts", "comments", "notification_groups"))

    result = run(app)

    assert (result.exit_code, numbers(result)) == (0, {})
    assert rows_of(session) == before
    session.execute(text("UPDATE posts SET like_count = 9 WHERE id = :post"), {"post": town["post"]})
    session.commit()
    before = rows_of(session)
    run(app)
    changed = {table for table, rows in rows_of(session).items() if rows != before[table]}
    assert changed == {"posts"}
    assert len(before["posts"] - rows_of(session)["posts"]) == 1


def test_a_walk_looks_at_every_row_once_however_small_its_batches(
    app: Flask, session: Session, town: Mapping[str, UUID]
) -> None:
    session.execute(text("UPDATE posts SET comment_count = comment_count + 1, like_count = like_count + 1"))
    session.execute(text("UPDATE profiles SET follower_count = follower_count + 1"))
    session.commit()
    sizes = {table: len(rows) for table, rows in rows_of(session).items()}

    walk = Reconciliation(at_once=2)
    steps = 1
    with app.app_context():
        while walk.step():
            steps += 1

    assert town
    assert steps >= sum(sizes[table] for table in ("profiles", "posts", "comments")) / 2
    tallies = {kind: (tally.looked_at, tally.wrong, tally.put_right) for kind, tally in walk.tallies.items()}
    people, posts = sizes["profiles"], sizes["posts"]
    assert tallies["followers"] == (people, people - 1, people - 1)  # All but the one who is deleted.
    assert tallies["likes"] == tallies["comments"] == (posts, posts, posts)
    assert tallies["comment_mentions"] == (sizes["comments"], 0, 0)
    assert tallies["notification_groups"] == (sizes["notification_groups"], 0, 0)
    assert numbers(run(app, "--dry-run")) == {}


def test_a_walk_that_fails_goes_on_where_it_was(
    app: Flask, session: Session, town: Mapping[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    session.execute(text("UPDATE profiles SET follower_count = 7 WHERE user_id = :author"), dict(town))
    session.commit()
    walk = Reconciliation(at_once=3)
    with app.app_context():
        walk.step()
        with monkeypatch.context() as patched:
            patched.setattr("igloo_social.reconciliation.wrong_among", _fail)
            with pytest.raises(OSError, match="away"):
                walk.step()
        while walk.step():
            pass

    assert walk.tallies["followers"].looked_at == len(rows_of(session)["profiles"])
    assert walk.tallies["followers"].put_right == 1


def test_the_daily_walk_measures_and_tells_what_was_wrong(
    app: Flask,
    session: Session,
    town: Mapping[str, UUID],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counts_job, "SLICE_SECONDS", 0.0)
    session.execute(text("UPDATE posts SET like_count = 3 WHERE id = :post"), {"post": town["post"]})
    session.commit()
    mended_before = sample("igloo_counts_reconciled_total", kind="likes")
    job = CountsJob()

    with app.app_context(), caplog.at_level(logging.ERROR):
        for _ in range(4):
            job.run()

    assert sample("igloo_counts_wrong", kind="likes") == 1
    assert {sample("igloo_counts_wrong", kind=kind) for kind in KINDS if kind != "likes"} == {0}
    assert sample("igloo_counts_reconciled_total", kind="likes") == mended_before + 1
    assert sample("igloo_counts_reconcile_seconds") > 0
    assert sample("igloo_counts_reconcile_success_timestamp_seconds") > LONG_AGO.timestamp()
    (told,) = [record for record in caplog.records if record.name.startswith("igloo_social")]
    said = (told.levelname, told.__dict__["kind"], told.__dict__["wrong"], told.__dict__["put_right"])
    assert said == ("ERROR", "likes", 1, 1)
    assert told.__dict__["ids"] == [str(town["post"])]


def test_a_walk_is_made_once_a_day_and_sets_the_drift_back(
    app: Flask, session: Session, town: Mapping[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil = text("UPDATE posts SET like_count = 3 WHERE id = :post")
    job = CountsJob()
    with app.app_context():
        job.run()
        session.execute(spoil, {"post": town["post"]})
        session.commit()
        job.run()
        assert sample("igloo_counts_wrong", kind="likes") == 0
        assert numbers(run(app, "--dry-run")) == {"likes": (1, 0)}

        monkeypatch.setattr(counts_job, "WALKED_EVERY_SECONDS", 0.0)
        job.run()
        assert sample("igloo_counts_wrong", kind="likes") == 1
        job.run()
        assert sample("igloo_counts_wrong", kind="likes") == 0


def sample(name: str, **labels: str) -> float:
    """Read a metric."""
    value = REGISTRY.get_sample_value(name, labels)
    assert value is not None
    return value


def _used(statement: TextClause, town: Mapping[str, UUID]) -> dict[str, UUID]:
    return {name: town[name] for name in statement.compile().params}


def _fail(*_: object) -> None:
    raise OSError("The database is away.")

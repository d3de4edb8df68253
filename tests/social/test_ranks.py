"""Places in explore: six hours up for every doubling of engagement, and indexes left alone in between."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from factories.social_people import LONG_AGO, make_person
from factories.social_posts import make_post
from igloo_social.models.posts import POSTS
from igloo_social.operations.likes import like_post, unlike_post
from igloo_social.operations.ranks import rank_at, ranked, rerank

STEP = timedelta(hours=6)


@pytest.mark.parametrize(
    ("likes", "comments", "steps"),
    [
        *[(0, 0, 0), (1, 0, 1), (2, 0, 1), (3, 0, 2), (6, 0, 2), (7, 0, 3)],
        *[(0, 1, 1), (1, 1, 2), (1, 3, 3)],
        *[(2**20 - 2, 0, 19), (2**20 - 1, 0, 20), (2**31 - 1, 2**31 - 1, 32)],
    ],
)
def test_a_post_rises_six_hours_with_every_doubling(
    session: Session, likes: int, comments: int, steps: int
) -> None:
    post_id = make_post(session, make_person(session), like_count=likes, comment_count=comments)

    rerank(session, [post_id])

    expected = LONG_AGO + steps * STEP
    assert rank_of(session, post_id) == expected
    assert session.scalar(select(rank_at()).where(POSTS.c.id == post_id)) == expected
    by_words = session.scalar(
        text(f"SELECT {ranked(likes=f'{likes}::bigint')} FROM posts WHERE id = :id"),  # noqa: S608 - our own
        {"id": post_id},
    )
    assert by_words == expected


def test_a_post_that_is_not_out_has_no_place(session: Session) -> None:
    post_id = make_post(session, make_person(session), state="processing")

    rerank(session, [post_id])

    assert rank_of(session, post_id) is None


def test_most_likes_leave_the_indexes_alone(session: Session) -> None:
    fans = [make_person(session) for _ in range(7)]
    post_id = make_post(session, make_person(session), like_count=8, rank_at=LONG_AGO + 3 * STEP)
    session.commit()
    hot_before = hot_updates(session)

    for fan in fans[:6]:
        like_post(session, post_id=post_id, user_id=fan, now=LONG_AGO)
        session.commit()
    assert rank_of(session, post_id) == LONG_AGO + 3 * STEP
    assert hot_updates(session) - hot_before == 6

    like_post(session, post_id=post_id, user_id=fans[6], now=LONG_AGO)
    assert rank_of(session, post_id) == LONG_AGO + 4 * STEP
    assert hot_updates(session) - hot_before == 6
    unlike_post(session, post_id=post_id, user_id=fans[6])
    assert rank_of(session, post_id) == LONG_AGO + 3 * STEP


def rank_of(session: Session, post_id: object) -> datetime | None:
    session.commit()
    return session.scalar(select(POSTS.c.rank_at).where(POSTS.c.id == post_id))


def hot_updates(session: Session) -> int:
    session.execute(text("SELECT pg_stat_force_next_flush()"))
    session.commit()
    count: int = session.scalars(
        text("SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relid = 'posts'::regclass")
    ).one()
    return count

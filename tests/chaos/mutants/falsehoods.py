"""One falsehood for each way in which a promise can be broken: told to the ledger, the rows or the bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import uuid4

from chaos.model.check_contents import contents_differ
from chaos.model.check_events import events_differ
from chaos.model.check_notifications import notifications_differ
from chaos.model.check_photos import photos_differ
from chaos.model.check_refusals import refusals_unexplained
from chaos.model.check_relations import relations_differ
from chaos.model.check_rows import rows_differ
from chaos.model.check_sessions import sessions_differ
from chaos.model.check_timelines import timelines_differ
from chaos.model.check_views import views_differ
from chaos.model.checker import Check
from chaos.model.facts import Made, Refusal, SignedIn, Token
from chaos.model.ground import Ground
from chaos.model.ledger import Ledger
from chaos.model.places import Places
from chaos.model.registers import Write

FOLLOWS = "a follow is as it was told"
BLOCKS = "a block is as it was told"
LIKES = "a like is as it was told"
POSTS = "a post is there once"
OWN_POSTS = "a post is in its author's list"
COMMENTS = "a comment is there once"
FAMILIES = "refresh families are intact"
TOKENS = "tokens verify after a rotation"
IN_FEEDS = "a post is in every follower's feed"
NOT_IN_FEEDS = "a feed shows nothing else, and nothing twice"
COUNTS = "a count is the length of its list"
VIEWS = "what is shown is what there is"
TOLD = "whom it concerns is told"
NOT_TOLD = "nothing is told that is no more"
TOLD_ONCE = "nobody is told twice"
NOT_OF_BLOCKED = "no news of people who are blocked"
PARTED = "a block parts people"
MARKERS = "what was read stays read"
PHOTOS = "a photo is there"
PHOTOS_READY = "photos of a post are ready"
PHOTOS_ORDERED = "photos of a post are in its author's order"
OBJECTS = "each object has its row, each row its objects"
READ = "an event is applied once by each reader"
ANNOUNCED = "every change is announced"
NUMBERED = "events of a key are numbered without gaps"
NONE_DEAD = "nothing is dead or parked"
REFUSALS = "a refusal has its reason"


@dataclass(frozen=True, kw_only=True)
class Falsehood:
    """What is told, and what the checker has to say to it: these promises, and somewhere these words."""

    name: str
    check: Check
    promises: frozenset[str]
    words: str
    tell: Callable[[Ground], object]
    undo: LiteralString | None = None
    """What makes rows true again that people had to see."""


FALSEHOODS: list[Falsehood] = []


def _false(
    check: Check, promises: str | Sequence[str], words: str
) -> Callable[[Callable[[Ground], object]], Callable[[Ground], object]]:
    """Note a function as a falsehood, by its name."""
    named = frozenset([promises] if isinstance(promises, str) else promises)

    def note(tell: Callable[[Ground], object]) -> Callable[[Ground], object]:
        name = tell.__name__.replace("_", " ")
        FALSEHOODS.append(Falsehood(name=name, check=check, promises=named, words=words, tell=tell))
        return tell

    return note


def told(ledger: Ledger, value: Any) -> Write[Any]:  # noqa: ANN401 - a fact of any kind
    """Return a write that was acknowledged at this moment."""
    write: Write[Any] = Write.begun(value, at=ledger.now())
    write.acknowledge(at=ledger.now())
    return write


def _never_made(ledger: Ledger, *, post: Made | None = None) -> Made:
    made_id = str(uuid4())
    words = f"never said {made_id}"
    return Made(
        author_id=ledger.people[0],
        words=words,
        making=told(ledger, True),
        id=made_id,
        ids_told={made_id},
        post=post,
    )


def _standing(ledger: Ledger) -> Made:
    """Return the first person's newest post."""
    return [
        post for post in ledger.posts if post.author_id == ledger.people[0] and not post.may_be_missing()
    ][-1]


def _comment(ledger: Ledger) -> Made:
    return next(comment for comment in ledger.comments if not comment.may_be_missing())


def _with_photos(ledger: Ledger) -> Made:
    return [post for post in ledger.posts if post.media_ids and not post.may_be_missing()][-1]


@_false(sessions_differ, FAMILIES, "cannot refresh")
def a_session_that_never_was(ground: Ground) -> None:
    stranger = SignedIn(user_id=ground.ledger.people[0], session_id=str(uuid4()), refresh_token="nobody's")
    ground.ledger.sessions.append(stranger)


@_false(sessions_differ, FAMILIES, "was ended unasked: signed_out")
def a_session_that_was_ended_behind_its_owners_back(ground: Ground) -> None:
    next(session for session in ground.ledger.sessions if session.has_ended()).endings.clear()


@_false(sessions_differ, FAMILIES, "has ended and refreshes")
def an_end_of_a_session_that_was_forgotten(ground: Ground) -> None:
    session = next(session for session in ground.ledger.sessions if not session.endings)
    session.endings.append(told(ground.ledger, True))


@_false(sessions_differ, TOKENS, "is refused")
def a_token_that_nobody_signed(ground: Ground) -> None:
    session = next(session for session in ground.ledger.sessions if not session.endings)
    ground.ledger.keep_token(
        Token(session=session, key_id="none", text="none", expires_at=ground.ledger.wall() + 600)
    )


@_false(relations_differ, FOLLOWS, "was acknowledged and is not there")
def a_follow_that_is_not_there(ground: Ground) -> None:
    ground.ledger.follows[_unfollowed(ground.ledger)].append(told(ground.ledger, True))


@_false(relations_differ, FOLLOWS, "is there, and ended")
def a_follow_that_was_ended_and_is_there(ground: Ground) -> None:
    first, second, *_ = ground.ledger.people
    ground.ledger.follows[(first, second)].append(told(ground.ledger, False))


@_false(relations_differ, BLOCKS, "was acknowledged and is not there")
def a_block_that_is_not_there(ground: Ground) -> None:
    blocker, blocked = _parted(ground.ledger)
    ground.ledger.blocks[(blocked, blocker)].append(told(ground.ledger, True))


@_false(relations_differ, BLOCKS, "is there, and ended")
def a_block_that_was_ended_and_is_there(ground: Ground) -> None:
    ground.ledger.blocks[_parted(ground.ledger)].append(told(ground.ledger, False))


@_false(relations_differ, LIKES, "was acknowledged and is not there")
def a_like_that_is_not_there(ground: Ground) -> None:
    post = _standing(ground.ledger)
    ground.ledger.likes[(ground.ledger.people[1], str(post.id))].append(told(ground.ledger, True))


@_false(contents_differ, POSTS, "was acknowledged and is lost")
def a_post_that_was_never_made(ground: Ground) -> None:
    ground.ledger.posts.append(_never_made(ground.ledger))


@_false(contents_differ, POSTS, "was deleted and is there")
def a_post_that_was_deleted_and_is_there(ground: Ground) -> None:
    _standing(ground.ledger).removals.append(told(ground.ledger, False))


@_false(contents_differ, POSTS, "was acknowledged under 2 ids")
def a_post_that_was_told_under_two_ids(ground: Ground) -> None:
    _standing(ground.ledger).ids_told.add(str(uuid4()))


@_false(contents_differ, POSTS, "is there as somebody else's")
def a_post_of_somebody_elses(ground: Ground) -> None:
    _standing(ground.ledger).author_id = ground.ledger.people[1]


@_false(contents_differ, [POSTS, OWN_POSTS], "is there 2 times")
def a_post_that_is_there_twice(ground: Ground) -> None:
    ground.connection.execute(_TWICE, [_standing(ground.ledger).id])


@_false(contents_differ, COMMENTS, "was acknowledged and is lost")
def a_comment_that_was_never_made(ground: Ground) -> None:
    ground.ledger.comments.append(_never_made(ground.ledger, post=_standing(ground.ledger)))


@_false(contents_differ, COMMENTS, "was deleted and is there")
def a_comment_that_was_deleted_and_is_there(ground: Ground) -> None:
    _comment(ground.ledger).removals.append(told(ground.ledger, False))


@_false(timelines_differ, IN_FEEDS, "is missing from the feed of")
def a_follower_without_a_post(ground: Ground) -> None:
    ground.ledger.follows[_unfollowed(ground.ledger)].append(told(ground.ledger, True))


@_false(timelines_differ, NOT_IN_FEEDS, "who is not followed, is in the feed of")
def a_reader_who_does_not_follow(ground: Ground) -> None:
    first, second, *_ = ground.ledger.people
    ground.ledger.follows[(first, second)].append(told(ground.ledger, False))


@_false(timelines_differ, NOT_IN_FEEDS, "was deleted and is in the feed of")
def a_feed_with_a_deleted_post(ground: Ground) -> None:
    _standing(ground.ledger).removals.append(told(ground.ledger, False))


@_false(timelines_differ, IN_FEEDS, "is missing from the stored feed of")
def a_stored_feed_without_a_post(ground: Ground) -> None:
    ground.connection.execute(
        "DELETE FROM social.timeline WHERE post_id = %s AND owner_id = %s",
        [_standing(ground.ledger).id, ground.ledger.people[1]],
    )


@_false(timelines_differ, IN_FEEDS, "is not shown to")
def a_kept_post_that_is_not_shown(ground: Ground) -> None:
    ground.connection.execute(_STRAY, [_unfollowed(ground.ledger)[0], _standing(ground.ledger).id])


@_false(rows_differ, NOT_IN_FEEDS, "who does not follow")
def a_stored_feed_with_a_post_too_many(ground: Ground) -> None:
    ground.connection.execute(_STRAY, [_unfollowed(ground.ledger)[0], _standing(ground.ledger).id])


@_false(rows_differ, PARTED, "and a block stands between them")
def a_block_that_parts_nobody(ground: Ground) -> None:
    first, second, *_ = ground.ledger.people
    ground.connection.execute(
        "INSERT INTO social.relations (from_user, to_user, relation_type, created_at)"
        " VALUES (%s, %s, 'b', now())",
        [first, second],
    )


@_false(views_differ, VIEWS, "blocks them")
def a_block_that_hides_nothing(ground: Ground) -> None:
    for a in ground.ledger.people:
        for b in ground.ledger.people:
            if a != b:
                ground.ledger.blocks[(a, b)].append(told(ground.ledger, True))


@_false(notifications_differ, NOT_OF_BLOCKED, "with whom a block stands")
def news_of_somebody_blocked(ground: Ground) -> None:
    first, second, *_ = ground.ledger.people
    ground.ledger.blocks[(first, second)].append(told(ground.ledger, True))


@_false(notifications_differ, MARKERS, "the marker says")
def a_marker_that_moved_back(ground: Ground) -> None:
    ground.ledger.markers[ground.ledger.people[0]].append(told(ground.ledger, datetime.now(UTC)))


@_false(photos_differ, PHOTOS, "was acknowledged and is lost")
def a_photo_that_was_never_sent(ground: Ground) -> None:
    ground.ledger.uploads[str(uuid4())] = ground.ledger.people[0]


@_false(photos_differ, PHOTOS_ORDERED, "instead of")
def photos_in_another_order(ground: Ground) -> None:
    post = _with_photos(ground.ledger)
    post.media_ids = [*post.media_ids, str(uuid4())]


@_false(photos_differ, [PHOTOS, PHOTOS_READY, OBJECTS], "is failed")
def a_photo_that_failed(ground: Ground) -> None:
    ground.connection.execute(_FAILED, [_with_photos(ground.ledger).media_ids[0]])


@_false(photos_differ, OBJECTS, "belongs to nothing")
def an_object_without_a_row(ground: Ground) -> None:
    ground.places = Bucket(**vars(ground.places), lie=lambda keys: [*keys, "originals/nobody/nothing"])


@_false(photos_differ, OBJECTS, "is missing")
def a_row_without_its_object(ground: Ground) -> None:
    lost = f"renditions/{_with_photos(ground.ledger).media_ids[0]}/"
    ground.places = Bucket(
        **vars(ground.places), lie=lambda keys: [key for key in keys if not key.startswith(lost)]
    )


@_false(events_differ, NONE_DEAD, "3 messages are in the broker's queue of dead letters")
def dead_letters(ground: Ground) -> None:
    ground.places = replace(ground.places, dead_letters=lambda: 3)


@_false(refusals_unexplained, REFUSALS, "like of")
def a_refusal_without_a_reason(ground: Ground) -> None:
    ground.ledger.refusals.append(_refusal(ground.ledger, "like", 404))


@_false(refusals_unexplained, REFUSALS, "post of")
def a_refusal_that_nothing_can_explain(ground: Ground) -> None:
    ground.ledger.refusals.append(_refusal(ground.ledger, "post", 422))


def _refusal(ledger: Ledger, operation: str, status: int) -> Refusal:
    first, second, *_ = ledger.people
    now = ledger.now()
    return Refusal(
        operation=operation,
        actor_id=first,
        person_id=second,
        status=status,
        code="none",
        start=now,
        end=now,
        made=_standing(ledger),
    )


def _unfollowed(ledger: Ledger) -> tuple[str, str]:
    """Return the last person and the first, whom that one has ceased to follow."""
    return ledger.people[-1], ledger.people[0]


def _parted(ledger: Ledger) -> tuple[str, str]:
    """Return the two people between whom a block stands."""
    return ledger.people[2], ledger.people[3]


@dataclass(frozen=True, kw_only=True)
class Bucket(Places):
    """The places of a stack, with other objects in the bucket."""

    lie: Callable[[Sequence[str]], Sequence[str]]

    def objects(self) -> Iterator[str]:
        """Yield what there is, falsified."""
        yield from self.lie([*super().objects()])


_TWICE: LiteralString = """
INSERT INTO social.posts
SELECT (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid()))).* FROM social.posts AS p
WHERE id = %s
"""
_STRAY: LiteralString = """
INSERT INTO social.timeline (owner_id, published_at, post_id, author_id)
SELECT %s, published_at, id, author_id FROM social.posts WHERE id = %s
"""
_FAILED: LiteralString = """
UPDATE media.media_items SET state = 'failed', failure_code = 'unreadable' WHERE id = %s
"""

"""The rows of a town for social's schema, a table after the other, as COPY reads them."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from bench.towns import (
    CELEBRITY,
    FIRST_POST,
    POPULAR,
    REPORTED,
    REVISED,
    REVISIONS,
    SPAN,
    TAGS,
    Town,
    given_name,
    person_id,
    post_id,
    username,
)

FOLLOWEES: Final = 20
FEED_ENTRIES: Final = 20
NEWS: Final = 10
FRIENDS: Final = 5
MENTIONING: Final = 20
"""Every so manieth post names somebody, and so does every so manieth comment."""
NAME: Final = "NAME"
SNAPSHOT: Final = (
    '{"username": "NAME", "display_name": "NAME", "text": "A post of the town", "media_ids": [],'
    ' "visibility": "public", "post_id": null}'
)
MEDIUM: Final = "MEDIUM"
IMAGE: Final = (
    '[{"media_id": "MEDIUM", "width": 2048, "height": 1536, "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",'
    ' "dominant_color": "#a1b2c3", "alt_text": null, "renditions": {'
    '"thumb": {"width": 320, "height": 320, "content_type": "image/webp"},'
    ' "feed": {"width": 1080, "height": 810, "content_type": "image/webp"},'
    ' "full": {"width": 2048, "height": 1536, "content_type": "image/webp"}}}]'
)
KINDS: Final = ("Fox", "Hare", "Auk", "Owl", "Puffin", "Seal", "Tern", "Orca", "Lynx", "Ermine", "Walrus")


def tables(town: Town) -> Iterator[tuple[str, str, Iterator[str]]]:
    """List each table with its columns and its rows, in the order in which they may be written."""
    yield (
        "profiles",
        "user_id username display_name follower_count following_count post_count public_post_count"
        " merged_at_read created_at updated_at",
        _profiles(town),
    )
    yield "relations", "from_user to_user relation_type created_at is_merged", _relations(town)
    yield (
        "posts",
        "id author_id caption visibility state images like_count comment_count tags mention_count created_at"
        " published_at rank_at",
        _posts(town),
    )
    yield "post_tags", "tag published_at post_id", _post_tags(town)
    yield "post_revisions", "post_id number caption visibility written_at replaced_at", _revisions(town)
    yield "timeline", "owner_id published_at post_id author_id", _timeline(town)
    yield "likes", "post_id user_id created_at", _likes(town)
    yield "comments", "id post_id author_id text mention_count created_at", _comments(town)
    yield (
        "notification_groups",
        "id recipient_id kind latest_at actor_count",
        _groups(town),
    )
    yield (
        "notifications",
        "id recipient_id kind actor_id object_id post_id group_id created_at",
        _notifications(town),
    )
    yield "post_mentions", "post_id user_id username", _post_mentions(town)
    yield "comment_mentions", "comment_id user_id username", _comment_mentions(town)
    yield "notification_preferences", "user_id kind delivery", _preferences(town)
    yield "notification_read_markers", "recipient_id read_until", _markers(town)
    yield "devices", "user_id id session_id platform token registered_at", _devices(town)
    yield "dismissed_suggestions", "user_id dismissed_id dismissed_at", _dismissed(town)
    yield "facebook_friends", "user_id friend_id found_at", _friends(town)
    yield (
        "reports",
        "id reporter_id target_kind target_id owner_id reason snapshot created_at",
        _reports(town),
    )


def _followees(town: Town, n: int) -> Iterator[int]:
    """List whom a person follows besides the celebrity: some near, some far, nobody twice."""
    for k in range(1, FOLLOWEES):
        followee = (n + k * k * 31) % town.people + 1
        if followee not in (n, CELEBRITY):
            yield followee


def _profiles(town: Town) -> Iterator[str]:
    followers = [0] * (town.people + 1)
    following = [0] * (town.people + 1)
    for n in range(1, town.people + 1):
        for followee in _followees(town, n):
            followers[followee] += 1
            following[n] += 1
    followers[CELEBRITY] = town.people - 1
    posts = town.posts // town.people
    for n in range(1, town.people + 1):
        follows = following[n] + (n != CELEBRITY)
        yield (
            f"{person_id(n)}\t{username(n)}\t{given_name(n).title()} {KINDS[n % len(KINDS)]}"
            f"\t{followers[n]}\t{follows}\t{posts}\t{posts}\t{n <= POPULAR}\t{FIRST_POST}\t{FIRST_POST}\n"
        )


def _relations(town: Town) -> Iterator[str]:
    for n in range(1, town.people + 1):
        at = FIRST_POST + timedelta(seconds=n)
        if n != CELEBRITY:
            yield f"{person_id(n)}\t{person_id(CELEBRITY)}\tf\t{at}\ttrue\n"
        for followee in _followees(town, n):
            yield f"{person_id(n)}\t{person_id(followee)}\tf\t{at}\t{followee <= POPULAR}\n"


def _posts(town: Town) -> Iterator[str]:
    for n in range(1, town.posts + 1):
        at = town.posted_at(n)
        popular = n == town.popular_post
        likes = town.people - 1 if popular else _like_count(n)
        comments = town.people - 1 if popular else n % 2
        tags = f"{{snow,tag_{n % TAGS}}}" if n % 10 == 0 else "{}"
        yield (
            f"{post_id(n)}\t{person_id(town.author_of(n))}\tPost number {n} of the town\tpublic\tpublished"
            f"\t{IMAGE.replace(MEDIUM, _medium_id(n))}\t{likes}\t{comments}\t{tags}"
            f"\t{int(n % MENTIONING == 0)}\t{at}\t{at}\t{at}\n"
        )


def _post_tags(town: Town) -> Iterator[str]:
    for n in range(10, town.posts + 1, 10):
        at = town.posted_at(n)
        yield f"snow\t{at}\t{post_id(n)}\n"
        yield f"tag_{n % TAGS}\t{at}\t{post_id(n)}\n"


def _revisions(town: Town) -> Iterator[str]:
    for n in range(REVISED, town.posts + 1, REVISED):
        at = town.posted_at(n)
        for number in range(1, REVISIONS + 1):
            until = at + timedelta(hours=number)
            yield f"{post_id(n)}\t{number}\tAs it was {number}\tpublic\t{at}\t{until}\n"


def _timeline(town: Town) -> Iterator[str]:
    stride = town.posts // FEED_ENTRIES
    for owner in range(1, town.people + 1):
        for k in range(FEED_ENTRIES):
            n = k * stride + owner * 7 % stride + 1
            yield (f"{person_id(owner)}\t{town.posted_at(n)}\t{post_id(n)}\t{person_id(town.author_of(n))}\n")


def _like_count(n: int) -> int:
    return n % 4


def _likes(town: Town) -> Iterator[str]:
    for n in range(1, town.posts + 1):
        if n == town.popular_post:
            fans: Iterable[int] = range(2, town.people + 1)
        else:
            fans = ((town.author_of(n) + k * 97) % town.people + 1 for k in range(1, _like_count(n) + 1))
        for fan in fans:
            yield f"{post_id(n)}\t{person_id(fan)}\t{town.posted_at(n) + timedelta(seconds=fan)}\n"


def _comments(town: Town) -> Iterator[str]:
    number = 0
    for n in range(1, town.posts + 1):
        popular = n == town.popular_post
        writers: Iterable[int] = range(2, town.people + 1) if popular else range(2, 2 + n % 2)
        for writer in writers:
            number += 1
            names_somebody = number % MENTIONING == 0 and number < town.posts // 2
            yield (
                f"{_comment_id(number)}\t{post_id(n)}\t{person_id(writer)}\tSo much snow!"
                f"\t{int(names_somebody)}\t{town.posted_at(n) + timedelta(seconds=writer)}\n"
            )


def _groups(town: Town) -> Iterator[str]:
    for recipient in range(1, town.people + 1):
        for k in range(NEWS):
            at = town.posted_at(_news_post(town, recipient, k))
            yield f"{_news_id(recipient, k)}\t{person_id(recipient)}\tlike\t{at}\t1\n"


def _notifications(town: Town) -> Iterator[str]:
    for recipient in range(1, town.people + 1):
        actor = person_id(recipient % town.people + 1)
        for k in range(NEWS):
            n = _news_post(town, recipient, k)
            news = _news_id(recipient, k)
            yield (
                f"{news}\t{person_id(recipient)}\tlike\t{actor}\t{post_id(n)}\t{post_id(n)}\t{news}"
                f"\t{town.posted_at(n)}\n"
            )


def _post_mentions(town: Town) -> Iterator[str]:
    for n in range(MENTIONING, town.posts + 1, MENTIONING):
        person = town.author_of(n * 3)
        yield f"{post_id(n)}\t{person_id(person)}\t{username(person)}\n"


def _comment_mentions(town: Town) -> Iterator[str]:
    for number in range(MENTIONING, town.posts // 2, MENTIONING):
        person = town.author_of(number * 3)
        yield f"{_comment_id(number)}\t{person_id(person)}\t{username(person)}\n"


def _preferences(town: Town) -> Iterator[str]:
    for n in range(1, town.people + 1):
        yield f"{person_id(n)}\tlike\tlist\n"


def _markers(town: Town) -> Iterator[str]:
    for n in range(1, town.people + 1):
        yield f"{person_id(n)}\t{FIRST_POST + SPAN / 2}\n"


def _devices(town: Town) -> Iterator[str]:
    for n in range(1, town.people + 1):
        device = f"01970000-0000-7000-8000-{n:012x}"
        yield f"{person_id(n)}\t{device}\t{device}\tfcm\ttoken {n}\t{FIRST_POST}\n"


def _dismissed(town: Town) -> Iterator[str]:
    for n in range(1, town.people + 1):
        yield f"{person_id(n)}\t{person_id(n % town.people + 1)}\t{FIRST_POST}\n"


def _friends(town: Town) -> Iterator[str]:
    for n in range(1, town.people + 1):
        for k in range(1, FRIENDS + 1):
            friend = (n + k * 1009) % town.people + 1
            yield f"{person_id(n)}\t{person_id(friend)}\t{FIRST_POST + timedelta(seconds=n + k)}\n"


def _reports(town: Town) -> Iterator[str]:
    for n in range(REPORTED, town.posts + 1, REPORTED):
        at = town.posted_at(n) + timedelta(days=1)
        reporter, owner = (town.author_of(n) + 7) % town.people + 1, town.author_of(n)
        yield (
            f"01950000-0000-7000-8000-{n:012x}\t{person_id(reporter)}\tpost\t{post_id(n)}\t{person_id(owner)}"
            f"\tspam\t{SNAPSHOT.replace(NAME, username(owner))}\t{at}\n"
        )


def _news_post(town: Town, recipient: int, k: int) -> int:
    return k * town.people + recipient


def _news_id(recipient: int, k: int) -> str:
    return f"01940000-0000-7000-8000-{recipient * NEWS + k:012x}"


def _comment_id(number: int) -> str:
    return f"01930000-0000-7000-8000-{number:012x}"


def _medium_id(n: int) -> str:
    return f"01920000-0000-7000-8000-{n:012x}"

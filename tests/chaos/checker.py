"""Holds the healed stack against the ledger: what was acknowledged is there once, or was taken back."""

from collections import Counter
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from chaos.clients import Person
from chaos.ledger import Ledger, Told
from igloo_local.phone import Json, Phone, Refused
from igloo_social.operations.timeline import BACKFILL_SIZE

NOT_FOUND = 404


def violations(people: list[Person], ledger: Ledger) -> list[str]:
    """Return one sentence for each promise that the stack has broken."""
    found: list[str] = []
    for person in people:
        found += posts_lost_or_doubled(person)
        found += follows_that_differ(person)
        found += likes_that_differ(person)
        found += feed_that_differs(person, ledger)
        found += notifications_doubled(person)
    return found


def every(phone: Phone, path: str, **query: str) -> Iterator[Json]:
    """Yield all rows of a paged route."""
    cursor: dict[str, str] = {}
    while True:
        page = phone.call("GET", f"{path}?{urlencode({**query, **cursor, 'limit': '100'})}")
        yield from page["data"]
        if page["page"]["next_cursor"] is None:
            return
        cursor = {"cursor": page["page"]["next_cursor"]}


def posts_lost_or_doubled(person: Person) -> list[str]:
    """Check the author's own list: each acknowledged post once, no deleted one, no caption twice."""
    posts = list(every(person.phone, f"/v1/users/{person.ledger.user_id}/posts"))
    seen = Counter(post["id"] for post in posts)
    captions = Counter(post["caption"] for post in posts)
    me = person.ledger.user_id
    return [
        *(
            f"post {i} of {me} was acknowledged and is lost"
            for i in person.ledger.standing_posts()
            if not seen[i]
        ),
        *(
            f"post {i} of {me} was deleted and is there"
            for i, t in person.ledger.posts.items()
            if t == "no" and seen[i]
        ),
        *(f"post {i} of {me} is listed {n} times" for i, n in seen.items() if n > 1),
        *(f"one request of {me} made {n} posts: {c}" for c, n in captions.items() if n > 1),
    ]


def follows_that_differ(person: Person) -> list[str]:
    """Check the list of followees and its count against what the person was told."""
    me = person.ledger.user_id
    following = [row["id"] for row in every(person.phone, f"/v1/users/{me}/following")]
    count = person.phone.call("GET", f"/v1/users/{me}")["following_count"]
    told = person.ledger.follows
    return [
        *(
            f"{me} was told to follow {u}, the list has not"
            for u, t in told.items()
            if t == "yes" and u not in following
        ),
        *(
            f"{me} unfollowed {u}, the list still has it"
            for u, t in told.items()
            if t == "no" and u in following
        ),
        *([] if count == len(following) else [f"{me} follows {len(following)}, the count says {count}"]),
    ]


def likes_that_differ(person: Person) -> list[str]:
    """Check each liked or unliked post; a post that has gone since says nothing."""
    found = []
    for post_id, told in person.ledger.likes.items():
        try:
            post = person.phone.call("GET", f"/v1/posts/{post_id}")
        except Refused as refusal:
            if refusal.status != NOT_FOUND:
                raise
            continue
        likers = [row["id"] for row in every(person.phone, f"/v1/posts/{post_id}/likes")]
        if told != "unknown" and post["liked"] != (told == "yes"):
            found.append(
                f"{person.ledger.user_id} was told liked={told} for {post_id}, it says {post['liked']}"
            )
        if post["like_count"] != len(likers) or len(set(likers)) != len(likers):
            found.append(f"post {post_id} counts {post['like_count']} likes and lists {len(likers)}")
    return found


def feed_that_differs(person: Person, ledger: Ledger) -> list[str]:
    """Check that the feed holds each standing post of each followee once, and none of people not followed."""
    me = person.ledger.user_id
    seen = Counter(post["id"] for post in every(person.phone, "/v1/feed"))
    found = [f"post {i} is {n} times in the feed of {me}" for i, n in seen.items() if n > 1]
    for author, told in [*person.ledger.follows.items(), (me, "yes")]:
        posts = ledger.people[author].posts
        if told == "yes":
            lost = (i for i in brought_by_a_follow(posts) if not seen[i])
            found += (f"post {i} of {author} is missing from the feed of {me}" for i in lost)
        unwanted = (i for i, stands in posts.items() if (told == "no" or stands == "no") and seen[i])
        found += (f"post {i} of {author} should not be in the feed of {me}" for i in unwanted)
    return found


def brought_by_a_follow(posts: Mapping[str, Told]) -> list[str]:
    """Return the standing posts that are in a follower's feed whenever the follow was made.

    A follow brings the author's newest posts and no more. Each one deleted since may have let an older one
    move up that was never brought.
    """
    standing = sorted((i for i, told in posts.items() if told == "yes"), reverse=True)
    return standing[: max(0, BACKFILL_SIZE - (len(posts) - len(standing)))]


def notifications_doubled(person: Person) -> list[str]:
    """Check that no notification came twice."""
    rows = every(person.phone, "/v1/notifications")
    seen = Counter((row["kind"], (row["actor"] or {}).get("id"), row["post_id"]) for row in rows)
    return [f"{person.ledger.user_id} was notified {n} times of {what}" for what, n in seen.items() if n > 1]

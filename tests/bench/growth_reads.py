"""What is read in towns of both sizes: each read with who asks, and for what."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from bench.growth_readers import Readers
from bench.scenarios import PAGE
from bench.town_rows import KINDS
from bench.towns import CELEBRITY, REVISED, TAGS, Town, given_name, person_id, post_id
from igloo_local.phone import Phone

Asked = Iterator[tuple[Phone, str]]
STEP: Final = 7919
"""Prime to the size of any town: steps of it come to all of a town, in no order."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """One read: its name in the report, and the phones that ask for which paths, one after the other."""

    name: str
    asked: Callable[[Readers, Town], Asked]


def _same(name: str, path: str) -> Read:
    return Read(name=name, asked=lambda readers, _: itertools.repeat((readers.reader, path)))


def _numbers(most: int) -> Iterator[int]:
    return (n * STEP % most + 1 for n in itertools.count(1))


def _people(name: str, path: str) -> Read:
    """Ask about people all over the town."""
    return Read(
        name=name,
        asked=lambda readers, town: (
            (readers.reader, path.format(person_id(n))) for n in _numbers(town.people)
        ),
    )


def _posts(name: str, path: str, *, every: int = 1) -> Read:
    return Read(
        name=name,
        asked=lambda readers, town: (
            (readers.reader, path.format(post_id(n * every))) for n in _numbers(town.posts // every)
        ),
    )


def _popular_post(name: str, path: str) -> Read:
    return Read(
        name=name,
        asked=lambda readers, town: itertools.repeat(
            (readers.reader, path.format(post_id(town.popular_post)))
        ),
    )


def _names(name: str, typed: Callable[[str], str]) -> Read:
    """Search for people all over the town by what somebody types of their names."""
    return Read(
        name=name,
        asked=lambda readers, town: (
            (readers.reader, f"/v1/users?q={quote(typed(given_name(n)))}") for n in _numbers(town.people)
        ),
    )


def _misspelt(name: str) -> str:
    return f"{name[:2]}x{name[3:]}"


def _relationships(readers: Readers, town: Town) -> Asked:
    people = "&".join(f"user_id={person_id(n * 13 % town.people + 1)}" for n in range(1, 101))
    return itertools.repeat((readers.reader, f"/v1/relationships?{people}"))


def _changes(readers: Readers, _: Town) -> Asked:
    return itertools.repeat((readers.reader, f"/v1/feed/changes?since={quote(readers.changes_since)}"))


_CELEBRITY: Final = f"/v1/users/{person_id(CELEBRITY)}"

READS: Final = (
    _same("home feed", f"/v1/feed?limit={PAGE}"),
    Read(
        name="home feed with 20 popular people merged into it",
        asked=lambda readers, _: itertools.repeat((readers.fan, f"/v1/feed?limit={PAGE}")),
    ),
    Read(name="changes of the feed: 20 new posts and 20 changed", asked=_changes),
    _people("profile with relationship", "/v1/users/{}"),
    _same("the celebrity's profile", _CELEBRITY),
    _people("a person's posts", "/v1/users/{}/posts"),
    _same("the celebrity's followers", f"{_CELEBRITY}/followers"),
    _same("the celebrity's followers whom one follows", f"{_CELEBRITY}/followers?familiar=true"),
    _posts("post", "/v1/posts/{}"),
    _posts("revisions of a post", "/v1/posts/{}/revisions", every=REVISED),
    _popular_post("likers of the post that everybody likes", "/v1/posts/{}/likes"),
    _popular_post("comments where everybody comments", "/v1/posts/{}/comments"),
    _same("page of a tag on every tenth post", "/v1/tags/snow/posts"),
    _same("page of a rare tag", f"/v1/tags/tag_{TAGS // 2}/posts"),
    _same("explore", "/v1/explore"),
    _names("search by the beginning of a username", lambda name: name[:4]),
    _same("search by a word that every eleventh has", f"/v1/users?q={KINDS[0]}"),
    _names("search by a misspelt name", _misspelt),
    _same("suggestions", "/v1/users/me/suggestions"),
    Read(name="relationships with 100 people", asked=_relationships),
    _same("bookmarks", "/v1/users/me/bookmarks"),
    _same("notifications", "/v1/notifications"),
    _same("unread count of 500", "/v1/notifications/unread-count"),
    Read(
        name="queue of reports",
        asked=lambda readers, _: itertools.repeat((readers.moderator, "/v1/moderation/reports")),
    ),
)

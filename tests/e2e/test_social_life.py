"""People talk under posts, keep feeds on their phones, and report what breaks the rules: on real parts."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from e2e.conftest import Town
from igloo_local.phone import Json, Phone, Refused, facebook_token, wait_until
from igloo_local.settings import inherited_environment

pytestmark = pytest.mark.e2e

PATIENCE_SECONDS = 60.0


@dataclass
class KeptFeed:
    """A feed as a phone keeps it: read once, and then changed as it is told."""

    phone: Phone
    posts: dict[str, Json] = field(default_factory=dict)
    since: str = ""

    def __post_init__(self) -> None:
        page = self.phone.call("GET", "/v1/feed")
        self.posts = {post["id"]: post for post in page["data"]}
        self.since = page["page"]["changes_since"]

    def catch_up(self) -> dict[str, str]:
        """Ask for changes until there are no more, and return the captions by post."""
        while True:
            changes = self.phone.call("GET", f"/v1/feed/changes?since={self.since}")
            gone, authors = set(changes["removed_post_ids"]), set(changes["removed_author_ids"])
            kept = {key: one for key, one in self.posts.items() if one["author"]["id"] not in authors}
            self.posts = {key: one for key, one in kept.items() if key not in gone}
            self.posts |= {post["id"]: post for post in changes["posts"]}
            self.since = changes["next_since"]
            if not changes["has_more"]:
                return {key: post["caption"] for key, post in self.posts.items()}


def operate(town: Town, *words: str) -> None:
    """Run one of auth's own commands as an operator does."""
    environment = town.stack.parts.services["auth"].environment
    subprocess.run(  # noqa: S603 - fixed words
        [sys.executable, "-m", "flask", "--app", "igloo_auth.app", *words],
        env={**inherited_environment(), **environment},
        check=True,
        capture_output=True,
    )


def status_of(phone: Phone, path: str) -> int:
    """Ask for something, and return the status alone."""
    try:
        phone.call("GET", path)
    except Refused as refusal:
        return refusal.status
    return 200


def test_a_phone_keeps_its_feed_without_reading_it_again(town: Town) -> None:
    writer, reader = town.person("Ptarmigan"), town.person("Ermine")
    reader.relate("PUT", writer.user_id, "follow")
    first = writer.post("눈이 온다 #겨울")
    wait_until(reader.feed, bool, what="the first post in the feed")
    kept = KeptFeed(reader)

    second = writer.post(f"For @{username(reader)} #겨울")
    writer.call("PATCH", f"/v1/posts/{first['id']}", json={"caption": "눈이 그쳤다 #겨울"})
    expected = {first["id"]: "눈이 그쳤다 #겨울", second["id"]: second["caption"]}
    wait_until(kept.catch_up, lambda captions: captions == expected, what="both changes on the phone")
    writer.call("DELETE", f"/v1/posts/{second['id']}")
    wait_until(kept.catch_up, lambda captions: captions.keys() == {first["id"]}, what="the deletion")
    reader.relate("DELETE", writer.user_id, "follow")

    wait_until(kept.catch_up, lambda captions: captions == {}, what="an empty feed")
    assert [post["id"] for post in reader.call("GET", "/v1/tags/겨울/posts")["data"]][:1] == [first["id"]]
    revisions = reader.call("GET", f"/v1/posts/{first['id']}/revisions")["data"]
    assert [revision["caption"] for revision in revisions] == ["눈이 온다 #겨울"]


def test_what_several_people_do_is_told_as_one(town: Town) -> None:
    author, first, second = town.person("Narwhal"), town.person("Bowhead"), town.person("Minke")
    post = author.post("Breathing hole, morning")
    for number, phone in enumerate((first, second)):
        phone.call("PUT", f"/v1/posts/{post['id']}/like")
        phone.call("POST", f"/v1/posts/{post['id']}/comments", json={"text": f"So round! {number}"})

    told = {entry["kind"]: entry for entry in author.call("GET", "/v1/notifications")["data"]}

    assert set(told) == {"like", "comment"}
    assert {entry["actor_count"] for entry in told.values()} == {2}
    assert author.call("GET", "/v1/notifications/unread-count") == {"unread_count": 2}
    seen = author.call("GET", f"/v1/posts/{post['id']}")
    assert (seen["like_count"], seen["comment_count"]) == (2, 2)
    second.relate("PUT", first.user_id, "block")
    [comment] = second.call("GET", f"/v1/posts/{post['id']}/comments")["data"]
    assert comment["author"]["id"] == str(second.user_id)
    assert second.call("GET", f"/v1/posts/{post['id']}")["comment_count"] == 1


def test_a_moderator_suspends_and_reinstates_through_all_services(town: Town) -> None:
    addresses = town.stack.addresses
    facebook = facebook_token(addresses.facebook, addresses.facebook_app_id, "Skua")
    offender = Phone(gateway=town.gateway)
    offender.sign_in(facebook)
    witness, moderator = town.person("Eider"), town.person("Raven")
    operate(town, "accounts", "appoint-moderator", str(moderator.user_id))
    moderator.refresh()
    witness.relate("PUT", offender.user_id, "follow")
    post = offender.post("Stolen eggs for sale")
    report = witness.call(
        "POST", "/v1/reports", json={"target_kind": "post", "target_id": post["id"], "reason": "illegal"}
    )
    [listed] = moderator.call("GET", "/v1/moderation/reports")["data"]
    assert (listed["id"], listed["reason"]) == (report["id"], "illegal")

    resolve(moderator, report["id"], "resolve", resolution="suspend_account", note="Sells eggs.")

    assert status_of(witness, f"/v1/users/{offender.user_id}") == 404
    assert status_of(witness, f"/v1/posts/{post['id']}") == 404
    wait_until(
        lambda: status_of(offender, "/v1/users/me"),
        lambda status: status == 401,
        what="the suspended person's session is refused",
        timeout_seconds=PATIENCE_SECONDS,
    )
    with pytest.raises(Refused) as refusal:
        offender.sign_in(facebook)
    assert refusal.value.code == "account_suspended"
    assert witness.call("GET", "/v1/users/me")["following_count"] == 0

    resolve(moderator, report["id"], "reopen", note="They were his own.")

    assert wait_until(
        lambda: signed_in_again(offender, facebook),
        lambda user_id: user_id == offender.user_id,
        what="the reinstated person is let in",
        timeout_seconds=PATIENCE_SECONDS,
    )
    wait_until(
        lambda: witness.call("GET", "/v1/users/me")["following_count"],
        lambda count: count == 1,
        what="the follow is back",
        timeout_seconds=PATIENCE_SECONDS,
    )
    assert status_of(witness, f"/v1/posts/{post['id']}") == 200
    actions = [action["action"] for action in moderator.call("GET", "/v1/moderation/actions")["data"]]
    assert actions[:2] == ["reopen", "suspend_account"], "the newest first"


def username(phone: Phone) -> str:
    """Return how others name a person."""
    name: str = phone.call("GET", "/v1/users/me")["username"]
    return name


def resolve(moderator: Phone, report_id: str, how: str, **body: str) -> None:
    """Decide about a report, or take the decision back."""
    moderator.call("POST", f"/v1/moderation/reports/{report_id}/{how}", json=body)


def signed_in_again(phone: Phone, facebook: str) -> UUID | None:
    """Try to sign in; None while that is refused."""
    try:
        phone.sign_in(facebook)
    except Refused:
        return None
    return phone.user_id

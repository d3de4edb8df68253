"""What people do with igloo: each deed is one or a few requests, chosen by the person's own chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import uuid4

from chaos.model import photos
from chaos.model.asking import S3, Errand
from chaos.model.facts import Made
from chaos.model.ledger import Ledger
from chaos.model.person import Person
from chaos.model.registers import Write
from igloo_local.phone import Json

MOST_PHOTOS = 3
NEWEST = 200
FULL_UPLOADS = 0.7
"""Of the posts with photos, how many send these straight to S3; the others send a form."""


class Deeds:
    """One person's repertoire; `all` are the deeds with how often each is done, compared to the others."""

    def __init__(self, person: Person, *, photo_share: float) -> None:
        self._me = person
        self._ledger: Ledger = person.ledger
        self._chance = person.random
        self._photo_share = photo_share
        self._changes_since: str | None = None
        self.all: Sequence[tuple[int, Callable[[], None]]] = (
            (10, self.post),
            (9, self.follow),
            (3, self.unfollow),
            (2, self.block),
            (3, self.unblock),
            (9, self.like),
            (3, self.unlike),
            (6, self.comment),
            (2, self.delete_comment),
            (2, self.delete_post),
            (6, self.read_feed),
            (3, self.read_changes),
            (3, self.read_profile),
            (4, self.read_notifications),
            (2, person.refresh),
            (1, person.sign_in),
            (1, person.sign_out),
        )

    def do_something(self) -> None:
        """Do one deed."""
        weights = [weight for weight, _ in self.all]
        self._chance.choices([deed for _, deed in self.all], weights)[0]()

    def post(self) -> None:
        """Post words, or words and photos."""
        media_ids = self._bring_photos() if self._chance.random() < self._photo_share else []
        post = self._new_made(f"snow {uuid4()}", media_ids=media_ids)
        self._ledger.posts.append(post)
        body = {"caption": post.words, "media_ids": media_ids}
        answer = self._me.ask("post", "POST /v1/posts", body=body, key=str(uuid4()), made=post)
        if answer is not None:
            post.told(str(answer["id"]), at=self._ledger.now())

    def follow(self, other: str | None = None) -> None:
        """Follow somebody, or the one who is named."""
        self._relate("follow", "PUT", "follow", value=True, other=other)

    def unfollow(self, other: str | None = None) -> None:
        """No longer follow somebody, or the one who is named."""
        self._relate("unfollow", "DELETE", "follow", value=False, other=other)

    def block(self, other: str | None = None) -> None:
        """Block somebody, or the one who is named."""
        self._relate("block", "PUT", "block", value=True, other=other)

    def unblock(self) -> None:
        """Take a block back, if there may be one."""
        blocked = [
            other
            for (me, other), writes in list(self._ledger.blocks.items())
            if me == self._me.user_id and writes and writes[-1].value
        ]
        if blocked:
            self._relate("unblock", "DELETE", "block", value=False, other=self._chance.choice(blocked))

    def like(self) -> None:
        """Like a post of somebody else's."""
        self._mark("like", "PUT", value=True)

    def unlike(self) -> None:
        """Take a like back, or one that was never given."""
        self._mark("unlike", "DELETE", value=False)

    def comment(self) -> None:
        """Say something under a post, also one's own."""
        post = self._some_post()
        if post is None:
            return
        comment = self._new_made(f"brr {uuid4()}", post=post)
        self._ledger.comments.append(comment)
        request = f"POST /v1/posts/{post.id}/comments"
        answer = self._me.ask(
            "comment",
            request,
            body={"text": comment.words},
            key=str(uuid4()),
            made=comment,
            about=post,
            person_id=post.author_id,
        )
        if answer is not None:
            comment.told(str(answer["id"]), at=self._ledger.now())

    def delete_comment(self) -> None:
        """Delete one of one's own comments."""
        self._delete("delete comment", "comments", self._ledger.comments)

    def delete_post(self) -> None:
        """Delete one of one's own posts."""
        self._delete("delete post", "posts", self._ledger.posts)

    def read_feed(self) -> None:
        """Read the first page of the feed, and remember whose posts are out."""
        page = self._me.ask("feed", "GET /v1/feed?limit=50")
        if page is not None:
            self._changes_since = page["page"]["changes_since"]
            self._note_published(page["data"])

    def read_changes(self) -> None:
        """Read what is new in the feed."""
        if self._changes_since is None:
            self.read_feed()
            return
        since, self._changes_since = self._changes_since, None
        changes = self._me.ask("changes", f"GET /v1/feed/changes?since={since}")
        if changes is not None:
            self._changes_since = changes["next_since"]
            self._note_published(changes["posts"])

    def read_profile(self) -> None:
        """Look at somebody."""
        other = self._somebody()
        if other is not None:
            self._me.ask("profile", f"GET /v1/users/{other}", person_id=other)

    def read_notifications(self) -> None:
        """Read the news, and now and then mark them read."""
        page = self._me.ask("notifications", "GET /v1/notifications?limit=50")
        if page and page["data"] and self._chance.random() < 0.5:
            self._mark_read(page["data"][0]["created_at"])

    def _mark_read(self, until: str) -> None:
        writes = [(self._ledger.markers[self._me.user_id], datetime.fromisoformat(until))]
        self._me.ask(
            "mark read", "PUT /v1/notifications/read-marker", body={"read_until": until}, writes=writes
        )

    def _relate(
        self, operation: str, method: str, relation: str, *, value: bool, other: str | None = None
    ) -> None:
        other = other or self._somebody()
        if other is None:
            return
        facts = self._ledger.follows if relation == "follow" else self._ledger.blocks
        self._me.ask(
            operation,
            f"{method} /v1/users/{other}/{relation}",
            writes=[(facts[(self._me.user_id, other)], value)],
            person_id=other,
        )

    def _mark(self, operation: str, method: str, *, value: bool) -> None:
        post = self._some_post(of_others=True)
        if post is not None:
            self._me.ask(
                operation,
                f"{method} /v1/posts/{post.id}/like",
                writes=[(self._ledger.likes[(self._me.user_id, str(post.id))], value)],
                about=post,
                person_id=post.author_id,
            )

    def _delete(self, operation: str, kind: str, among: Sequence[Made]) -> None:
        own = [
            made
            for made in among[-NEWEST:]
            if made.author_id == self._me.user_id and made.id is not None and not made.removals
        ]
        if own:
            made = self._chance.choice(own)
            self._me.ask(
                operation,
                f"DELETE /v1/{kind}/{made.id}",
                writes=[(made.removals, False)],
                about=made,
                person_id=made.post.author_id if made.post else None,
            )

    def _bring_photos(self) -> list[str]:
        """Upload some photos; none when igloo or S3 does not take all of them."""
        taken = [photos.draw(self._chance) for _ in range(self._chance.randint(1, MOST_PHOTOS))]
        if self._chance.random() > FULL_UPLOADS:
            errand = Errand(operation="upload form", actor_id=self._me.user_id, session=self._me.session)
            key = str(uuid4())
            ids = self._me.send(errand, lambda: photos.send_form(self._me.phone, taken, key=key)) or []
        else:
            ids = self._upload(taken)
        self._ledger.uploads.update(dict.fromkeys(ids, self._me.user_id))
        return ids

    def _upload(self, taken: Sequence[bytes]) -> list[str]:
        """Ask for targets, send each photo to S3, complete each, as the mobile app does."""
        asked = self._me.ask("uploads", "POST /v1/uploads", body={"files": photos.wishes(taken)})
        if asked is None:
            return []
        for upload, photo in zip(asked["data"], taken, strict=True):
            if not self._send_and_complete(upload, photo):
                return []
        return [str(upload["media_id"]) for upload in asked["data"]]

    def _send_and_complete(self, upload: Json, photo: bytes) -> bool:
        def send() -> bool:
            self._me.phone.send_to_s3(upload["target"], photo)
            return True

        if not self._me.send(Errand(operation=S3, actor_id=self._me.user_id), send):
            return False
        return self._me.ask("complete", f"POST /v1/uploads/{upload['id']}/complete") is not None

    def _new_made(self, words: str, *, media_ids: Sequence[str] = (), post: Made | None = None) -> Made:
        making: Write[bool] = Write.begun(True, at=self._ledger.now())
        return Made(author_id=self._me.user_id, words=words, making=making, media_ids=media_ids, post=post)

    def _note_published(self, posts: Sequence[Json]) -> None:
        now = self._ledger.now()
        for post in posts:
            if post["state"] == "published":
                self._ledger.seen_published.setdefault(post["id"], now)

    def _somebody(self) -> str | None:
        others = [user_id for user_id in self._ledger.people if user_id != self._me.user_id]
        return self._chance.choice(others) if others else None

    def _some_post(self, *, of_others: bool = False) -> Made | None:
        """Choose a post that was acknowledged, of the newest ones; it may have been deleted since."""
        known = [
            post
            for post in self._ledger.posts[-NEWEST:]
            if post.id is not None
            and not (of_others and post.author_id == self._me.user_id)
            and (not post.media_ids or post.id in self._ledger.seen_published)
        ]
        return self._chance.choice(known) if known else None


def think(person: Person, mean_seconds: float, wait: Callable[[float], object]) -> None:
    """Pause as people do: mostly shortly, at times for long."""
    wait(min(person.random.expovariate(1.0 / mean_seconds), 5 * mean_seconds) if mean_seconds else 0.0)

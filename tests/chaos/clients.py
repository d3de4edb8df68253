"""People who use igloo while it is being broken, and write down what they were told."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import requests

from chaos.ledger import Ledger, PersonLedger, Told
from igloo_local.phone import Json, Phone, Refused

TRIES = 6
PAUSE_SECONDS = 0.25
SERVER_ERROR = 500


@dataclass(kw_only=True)
class Person:
    """One signed-in person: the phone, the ledger, and the Facebook token to sign in with again."""

    phone: Phone
    ledger: PersonLedger
    facebook_access_token: str


class Client(threading.Thread):
    """Works as one person until told to stop: follows, unfollows, posts, likes, deletes, reads, refreshes."""

    def __init__(self, person: Person, everyone: Ledger, *, seed: int, stop: threading.Event) -> None:
        super().__init__(daemon=True, name=f"client-{seed}")
        self._me = person
        self._everyone = everyone
        self._random = random.Random(seed)  # noqa: S311 - a repeatable run, not a secret
        self._stop_asked = stop
        self.failure: Exception | None = None

    def run(self) -> None:
        """Do one thing after another, in a seeded random order, until told to stop."""
        work: list[tuple[int, Callable[[], None]]] = [
            (5, self._post),
            (4, self._follow),
            (2, self._unfollow),
            (4, self._like),
            (2, self._unlike),
            (1, self._delete),
            (3, self._read_feed),
            (1, self._refresh),
        ]
        weights, actions = [weight for weight, _ in work], [action for _, action in work]
        try:
            while not self._stop_asked.is_set():
                self._random.choices(actions, weights)[0]()
        except Exception as error:  # noqa: BLE001 - reported by the run as a violation of its own
            self.failure = error

    def _post(self) -> None:
        body = {"caption": f"snow {uuid4()}"}
        headers = {"Idempotency-Key": str(uuid4())}
        answer = self._ask(
            "post", lambda: self._me.phone.call("POST", "/v1/posts", json=body, headers=headers)
        )
        if answer is not None:
            self._me.ledger.posts[str(answer["id"])] = "yes"

    def _delete(self) -> None:
        standing = sorted(self._me.ledger.standing_posts())
        if standing:
            post_id = self._random.choice(standing)
            self._me.ledger.posts[post_id] = "unknown"
            self._settle("delete", f"DELETE /v1/posts/{post_id}", self._me.ledger.posts, post_id, "no")

    def _follow(self) -> None:
        self._relate("follow", "PUT", "yes")

    def _unfollow(self) -> None:
        self._relate("unfollow", "DELETE", "no")

    def _relate(self, operation: str, method: str, told: Told) -> None:
        others = sorted(set(self._everyone.people) - {self._me.ledger.user_id})
        other = self._random.choice(others)
        self._settle(operation, f"{method} /v1/users/{other}/follow", self._me.ledger.follows, other, told)

    def _like(self) -> None:
        self._mark("like", "PUT", "yes")

    def _unlike(self) -> None:
        self._mark("unlike", "DELETE", "no")

    def _mark(self, operation: str, method: str, told: Told) -> None:
        posts = self._everyone.posts_of_others(self._me.ledger.user_id)
        if posts:
            post_id = self._random.choice(posts)
            self._settle(
                operation, f"{method} /v1/posts/{post_id}/like", self._me.ledger.likes, post_id, told
            )

    def _settle(self, operation: str, request: str, facts: dict[str, Told], key: str, told: Told) -> None:
        """Ask for a change that may be asked for twice, and write down what is known of it afterwards."""
        facts[key] = "unknown"
        method, path = request.split(" ", 1)
        if self._ask(operation, lambda: self._me.phone.call(method, path) or {}) is not None:
            facts[key] = told

    def _read_feed(self) -> None:
        self._ask("feed", lambda: {"data": self._me.phone.feed()})

    def _refresh(self) -> None:
        self._ask("refresh", self._me.phone.refresh)

    def _ask(self, operation: str, send: Callable[[], Json]) -> Json | None:
        """Send until there is an answer; None when it was refused, or when no answer came after all tries."""
        for _ in range(TRIES):
            try:
                answer = send()
            except Refused as refusal:
                if refusal.status < SERVER_ERROR:
                    self._everyone.count(operation, str(refusal.status))
                    return None
            except requests.RequestException:
                self._me.phone.http.close()
            else:
                self._everyone.count(operation, "acknowledged")
                return answer
            self._stop_asked.wait(PAUSE_SECONDS)
        self._everyone.count(operation, "unanswered")
        return None

"""Two people of the nemesis's own: a post of one that reaches the other's feed says that the stack works."""

import contextlib
import time
from uuid import uuid4

import requests

from igloo_local.phone import Phone, Refused, facebook_token

_PAUSE_SECONDS = 0.1
_CALL_SECONDS = 5.0
_UNAUTHORIZED = 401


class Canary:
    """Signs in at its first use; a call that fails is simply made again until the bound."""

    def __init__(self, *, gateway: str, facebook: str, facebook_app_id: str) -> None:
        self._gateway = gateway
        self._facebook = facebook
        self._app_id = facebook_app_id
        self._people: tuple[Phone, Phone] | None = None

    def sign_in(self) -> None:
        """Make both people, and have one follow the other.

        Raises:
            Refused, requests.RequestException: the stack is not well to begin with.
        """
        author, follower = self._person("Canary Auk"), self._person("Canary Tern")
        author.call("GET", "/v1/users/me")
        follower.call("GET", "/v1/users/me")
        follower.relate("PUT", author.user_id, "follow")
        self._people = author, follower

    def sings(self, *, within_seconds: float) -> bool:
        """Tell whether a new post of the author reaches the follower's feed in time."""
        deadline = time.monotonic() + within_seconds
        body, headers = {"caption": f"canary {uuid4()}", "media_ids": []}, {"Idempotency-Key": str(uuid4())}
        post_id = None
        while time.monotonic() < deadline:
            with contextlib.suppress(Refused, requests.RequestException):
                author, follower = self._signed_in()
                post_id = post_id or author.call("POST", "/v1/posts", json=body, headers=headers)["id"]
                if post_id in {post["id"] for post in follower.feed()}:
                    return True
            time.sleep(_PAUSE_SECONDS)
        return False

    def _signed_in(self) -> tuple[Phone, Phone]:
        if self._people is None:
            self.sign_in()
        assert self._people is not None
        for person in self._people:
            try:
                person.call("GET", "/v1/users/me")
            except Refused as refusal:
                if refusal.status != _UNAUTHORIZED:
                    raise
                self._renew(person)
        return self._people

    def _person(self, name: str) -> Phone:
        phone = Phone(gateway=self._gateway)
        phone.sign_in(facebook_token(self._facebook, self._app_id, name))
        return phone

    def _renew(self, person: Phone) -> None:
        """Refresh; a refresh whose answer was lost may have used the token up, so begin anew then."""
        try:
            person.refresh()
        except Refused:
            self._people = None
            raise

"""People with photos and posts in a running stack, offered to the demo client as its demo people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import requests

from factories.photos import jpeg
from igloo_local.facebook.signing import appsecret_proof
from igloo_local.files import write_atomically
from igloo_local.parts_list import DEMO_FOLDER
from igloo_local.phone import REQUEST_TIMEOUT_SECONDS, Json, Phone, facebook_token, wait_until
from igloo_local.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who can be chosen in the demo client, with a phone of their own as well."""

    display_name: str
    username: str
    facebook_access_token: str
    phone: Phone

    def publish(self, caption: str, *, photos: int = 1) -> Json:
        """Post so many photos, and return the post once it is out."""
        pictures = [jpeg(640, 480, seed=index + 1) for index in range(photos)]
        post = self.phone.post(caption, self.phone.upload(pictures) if photos else ())
        return wait_until(
            lambda: self.read(post["id"]), lambda seen: seen["state"] == "published", what="the post is out"
        )

    def read(self, post_id: str) -> Json:
        """Return a post as this person sees it."""
        post: Json = self.phone.call("GET", f"/v1/posts/{post_id}")
        return post

    def follow(self, *others: Person) -> None:
        """Follow others."""
        for other in others:
            self.phone.relate("PUT", other.phone.user_id, "follow")

    def wait_for_feed(self, *post_ids: str) -> None:
        """Wait until all of these posts are in the feed."""
        wait_until(
            lambda: {post["id"] for post in self.phone.feed()},
            lambda seen: seen >= set(post_ids),
            what=f"the feed of {self.display_name} has {len(post_ids)} posts",
        )


class Town:
    """A running stack whose demo people are chosen by each test."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.gateway = stack.addresses.gateway
        self.s3 = stack.addresses.s3
        self.facebook = stack.addresses.facebook

    def people(self, *names: str) -> list[Person]:
        """Make people, and let the demo client offer them and nobody else."""
        made = [self._person(name) for name in names]
        self.offer(made)
        return made

    def offer(self, people: Sequence[Person]) -> None:
        """Write the file that the demo client reads its people from."""
        described = [
            {
                "username": one.username,
                "display_name": one.display_name,
                "facebook_access_token": one.facebook_access_token,
            }
            for one in people
        ]
        path = self.stack.folder / DEMO_FOLDER / "demo.json"
        write_atomically(path, json.dumps({"people": described}))

    def remove_app(self, person: Person) -> None:
        """Remove igloo in a person's settings at Facebook, which Facebook tells igloo."""
        answer = self._facebook_post(f"/stand-in/people/{_facebook_id(person)}/deauthorize")
        assert answer == {"success": True}

    def befriend(self, one: Person, other: Person) -> None:
        """Make two people friends at Facebook; igloo learns it when one of them signs in again."""
        token, part = one.facebook_access_token, self.stack.parts.facebook
        assert part is not None
        proof = appsecret_proof(token, part.app[1])
        path = f"/{_facebook_id(one)}/friends/{_facebook_id(other)}"
        self._facebook_post(path, access_token=token, appsecret_proof=proof)

    def _facebook_post(self, path: str, **fields: str) -> Json:
        answer = requests.post(self.facebook + path, data=fields, timeout=REQUEST_TIMEOUT_SECONDS)
        answer.raise_for_status()
        said: Json = answer.json()
        return said

    def _person(self, name: str) -> Person:
        addresses = self.stack.addresses
        token = facebook_token(addresses.facebook, addresses.facebook_app_id, name)
        phone = Phone(gateway=self.gateway)
        phone.sign_in(token)
        # The profile gets its name from auth's event; until then it is an anonymous one.
        profile = wait_until(
            lambda: phone.call("GET", "/v1/users/me"),
            lambda seen: seen["display_name"] == name,
            what=f"social knows {name}",
        )
        username = profile["username"]
        return Person(display_name=name, username=username, facebook_access_token=token, phone=phone)


def _facebook_id(person: Person) -> str:
    account: Json = person.phone.call("GET", "/v1/account")
    return str(account["facebook_user_id"])

"""A phone: the one client that seed, end-to-end tests, bench and fault runs drive igloo with."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID, uuid4

import requests

Json = dict[str, Any]
T = TypeVar("T")

REQUEST_TIMEOUT_SECONDS = 15.0


class Refused(Exception):
    """A request that was answered with something other than success."""

    def __init__(self, response: requests.Response) -> None:
        self.status = response.status_code
        self.problem: Json = _problem(response)
        self.code = self.problem.get("code")
        self.retry_after_seconds = _seconds(response.headers.get("Retry-After"))
        super().__init__(f"{response.request.method} {response.url}: {self.status} {response.text[:300]}")


@dataclass(kw_only=True)
class Phone:
    """One person's app: holds the tokens, talks to the gateway, and sends photos straight to S3."""

    gateway: str
    access_token: str | None = None
    refresh_token: str | None = None
    user_id: UUID | None = None
    http: requests.Session = field(default_factory=requests.Session, repr=False)

    def call(self, method: str, path: str, *, json: object = None, headers: Json | None = None) -> Any:  # noqa: ANN401 - whatever JSON the route answers
        """Send one request through the gateway and return its JSON (None for an empty body).

        Raises:
            Refused: for any status of 400 or more.
        """
        sent = {
            **({"Authorization": f"Bearer {self.access_token}"} if self.access_token else {}),
            **(headers or {}),
        }
        response = self.http.request(
            method, self.gateway + path, json=json, headers=sent, timeout=REQUEST_TIMEOUT_SECONDS
        )
        if response.status_code >= requests.codes.bad_request:
            raise Refused(response)
        return response.json() if response.content else None

    def sign_in(self, facebook_access_token: str) -> Json:
        """Exchange a Facebook SDK token for igloo's own tokens and keep them."""
        return self._grant("facebook_access_token", facebook_access_token=facebook_access_token)

    def refresh(self) -> Json:
        """Rotate the refresh token."""
        return self._grant("refresh_token", refresh_token=self.refresh_token)

    def _grant(self, grant_type: str, **fields: str | None) -> Json:
        response = self.http.post(
            f"{self.gateway}/v1/auth/token",
            data={"grant_type": grant_type, **fields},
            timeout=REQUEST_TIMEOUT_SECONDS,
        )
        if response.status_code >= requests.codes.bad_request:
            raise Refused(response)
        granted: Json = response.json()
        self.access_token, self.refresh_token = granted["access_token"], granted["refresh_token"]
        self.user_id = UUID(granted["user_id"])
        return granted

    def upload(self, photos: Sequence[bytes], *, content_type: str = "image/jpeg") -> list[str]:
        """Ask for all targets at once, send each photo to S3, complete each; return media ids in order."""
        files = [
            {"content_type": content_type, "size_bytes": len(photo), "client_id": str(uuid4())}
            for photo in photos
        ]
        targets = self.call("POST", "/v1/uploads", json={"files": files})["data"]
        for upload, photo in zip(targets, photos, strict=True):
            self.send_to_s3(upload["target"], photo)
            self.call("POST", f"/v1/uploads/{upload['id']}/complete")
        return [upload["media_id"] for upload in targets]

    def send_to_s3(self, target: Json, photo: bytes) -> None:
        """Send one photo to the presigned POST target that igloo gave for it.

        Raises:
            Refused: when S3 refuses, for example because the photo is larger than the policy allows.
        """
        response = requests.request(
            target["method"],
            target["url"],
            data=target["fields"],
            files={"file": photo},
            timeout=REQUEST_TIMEOUT_SECONDS,
        )
        if response.status_code >= requests.codes.bad_request:
            raise Refused(response)

    def post(self, caption: str, media_ids: Sequence[str] = (), **fields: str) -> Json:
        """Publish a post under a fresh Idempotency-Key."""
        body = {"caption": caption, "media_ids": list(media_ids), **fields}
        post: Json = self.call("POST", "/v1/posts", json=body, headers={"Idempotency-Key": str(uuid4())})
        return post

    def feed(self, *, limit: int = 20) -> list[Json]:
        """Return the first page of the home feed."""
        posts: list[Json] = self.call("GET", f"/v1/feed?limit={limit}")["data"]
        return posts

    def relate(self, method: str, user_id: object, relation: str) -> Json:
        """PUT or DELETE a follow or a block."""
        relationship: Json = self.call(method, f"/v1/users/{user_id}/{relation}")
        return relationship


def facebook_token(facebook: str, app_id: str, name: str) -> str:
    """Make a person at the Facebook stand-in and return the token that its SDK would hold."""
    response = requests.post(
        f"{facebook}/{app_id}/accounts/test-users", data={"name": name}, timeout=REQUEST_TIMEOUT_SECONDS
    )
    response.raise_for_status()
    token: str = response.json()["access_token"]
    return token


def wait_until(
    read: Callable[[], T],
    accepted: Callable[[T], bool],
    *,
    what: str,
    timeout_seconds: float = 30.0,
    pause_seconds: float = 0.05,
) -> T:
    """Read until the answer is accepted and return it.

    Raises:
        TimeoutError: naming what was awaited and what was read last, once the bound has passed.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        seen = read()
        if accepted(seen):
            return seen
        if time.monotonic() > deadline:
            message = f"{what}: not within {timeout_seconds:g} s; last seen: {seen!r:.500}"
            raise TimeoutError(message)
        time.sleep(pause_seconds)


def _seconds(header: str | None) -> float | None:
    """Read a Retry-After that names seconds, as all of igloo's do."""
    return float(header) if header is not None and header.isdecimal() else None


def _problem(response: requests.Response) -> Json:
    if "json" not in response.headers.get("Content-Type", ""):
        return {}
    body = response.json()
    return body if isinstance(body, dict) else {}

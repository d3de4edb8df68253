"""People who read and write without a pause over connections kept open, and repeat nothing that failed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import requests

from igloo_local.addresses import read_addresses
from igloo_local.phone import Json, Phone, Refused, facebook_token

# What is limited in an hour or a minute is not what is looked at here.
UNLIMITED = {
    "IGLOO_TOKENS_PER_ADDRESS": "100000",
    "IGLOO_REFRESHES_PER_SESSION": "100000",
    "IGLOO_UPLOADS_PER_HOUR": "1000000",
    "IGLOO_OPEN_UPLOADS": "100000",
}
_FILE = {"content_type": "image/jpeg", "size_bytes": 1000}


class SteadyPerson(threading.Thread):
    """One person at a phone that holds on to its connection; `answers` counts what was said, by route.

    None of the writes has an Idempotency-Key: what was sent may not be sent again by anybody.
    """

    def __init__(self, where: Mapping[str, Any], name: str, *, pause_seconds: float) -> None:
        super().__init__(name=name, daemon=True)
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self.comments: set[str] = set()
        self.uploads: set[str] = set()
        self._pause_seconds = pause_seconds
        self._stop_asked = threading.Event()
        self._phone = Phone(gateway=where["gateway"])
        self._phone.sign_in(facebook_token(where["facebook"], where["facebook_app_id"], name))
        self._post = self._phone.post(f"{name} counts what is said")["id"]

    def run(self) -> None:
        """Go through all of it, again and again."""
        steps = [self._refresh, self._read_feed, self._comment, self._read_uploads, self._upload]
        while not self._stop_asked.is_set():
            for step in steps:
                try:
                    step()
                except (Refused, requests.RequestException) as failure:
                    self.failures.append(f"{step.__name__}: {failure!r:.400}")
                self.answers[step.__name__] += 1
                self._stop_asked.wait(self._pause_seconds)

    def stop(self) -> None:
        """Finish the round and end."""
        self._stop_asked.set()
        self.join()

    def listed_comments(self) -> list[str]:
        """Return the ids of all comments under the own post."""
        return self._all_of(f"/v1/posts/{self._post}/comments?")

    def listed_uploads(self) -> list[str]:
        """Return the ids of all own uploads."""
        return self._all_of("/v1/uploads?state=pending&")

    def _refresh(self) -> None:
        self._phone.refresh()

    def _read_feed(self) -> None:
        self._phone.feed()

    def _comment(self) -> None:
        said = self._phone.call("POST", f"/v1/posts/{self._post}/comments", json={"text": f"snow {uuid4()}"})
        self.comments.add(said["id"])

    def _read_uploads(self) -> None:
        self._phone.call("GET", "/v1/uploads?limit=1")

    def _upload(self) -> None:
        told = self._phone.call("POST", "/v1/uploads", json={"files": [_FILE]})
        self.uploads.add(told["data"][0]["id"])

    def _all_of(self, path: str) -> list[str]:
        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            after = f"&cursor={cursor}" if cursor else ""
            answer: Json = self._phone.call("GET", f"{path}limit=100{after}")
            found += [one["id"] for one in answer["data"]]
            cursor = answer["page"]["next_cursor"]
        return found


class SteadyPeople:
    """Several of them, from `with` until its end; `folder` is that of a running stack."""

    def __init__(self, folder: Path, names: Sequence[str], *, pause_seconds: float = 0.03) -> None:
        where = read_addresses(folder)
        self._people = [SteadyPerson(where, name, pause_seconds=pause_seconds) for name in names]

    def __enter__(self) -> Self:
        for person in self._people:
            person.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for person in self._people:
            person.stop()

    @property
    def answers(self) -> int:
        """How many requests have been answered or have failed."""
        return sum(person.answers.total() for person in self._people)

    @property
    def failures(self) -> list[str]:
        """What was answered with an error, or not at all."""
        return [failure for person in self._people for failure in person.failures]

    def lost(self) -> set[str]:
        """Return the ids that were acknowledged and are not there now."""
        return {
            one
            for person in self._people
            for one in (person.comments - {*person.listed_comments()})
            | (person.uploads - {*person.listed_uploads()})
        }

    def doubled(self) -> int:
        """Return how many more there are than were acknowledged."""
        there = sum(len(one.listed_comments()) + len(one.listed_uploads()) for one in self._people)
        return there - sum(len(one.comments) + len(one.uploads) for one in self._people)

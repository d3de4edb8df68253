"""Signing keys change under a running auth and a running verifier, and no request notices."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import jwt
import pytest
import requests

from auth.facebook_server import FacebookServer
from factories.databases import DatabaseUrls
from factories.environment import service_environ
from factories.polling import wait_until
from factories.tokens import token_for
from igloo_common.ids import new_id
from igloo_local.ports import free_port

PHONES = 3
TIMES = 15
UNLIMITED = "1000000"


@contextmanager
def gunicorn(service: str, environ: Mapping[str, str], *, port: int, folder: Path) -> Iterator[str]:
    """Run a service's web process with two workers; its log is a file that nobody has to empty."""
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "--config", "python:igloo_common.gunicorn_config"]
    more = {"IGLOO_WEB_BIND": f"127.0.0.1:{port}", "IGLOO_WEB_WORKERS": "2", "IGLOO_THREADS": "4"}
    log = folder / f"{service}.log"
    with (
        log.open("wb") as written,
        subprocess.Popen(  # noqa: S603 - ours
            [*command, f"igloo_{service}.wsgi:app"], env={**environ, **more}, stderr=written
        ) as process,
    ):
        try:
            wait_until(lambda: answers(f"{url}/readyz"), f"{service} answers", seconds=60)
            yield url
        finally:
            process.terminate()
    assert process.returncode == 0, log.read_text()


def answers(url: str) -> bool:
    """Tell whether somebody serves there."""
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def kid_of(token: str) -> str:
    """Return the id of the key that signed a token."""
    return str(jwt.get_unverified_header(token)["kid"])


@dataclass(kw_only=True)
class Igloo:
    """A running auth, and a running social that knows auth's keys by its JWKS alone."""

    auth: str
    social: str
    environ: Mapping[str, str]
    facebook: FacebookServer

    def keys(self, *words: str) -> str:
        """Type `flask keys …` beside the running processes."""
        command = [sys.executable, "-m", "flask", "--app", "igloo_auth.app", "keys", *words]
        done = subprocess.run(  # noqa: S603 - ours
            command, env=dict(self.environ), capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def kids(self) -> list[str]:
        """Return the ids that the commands show, in the order of the document."""
        return [line.split()[0] for line in self.keys("list").splitlines()[1:]]

    def published(self) -> list[str]:
        """Ask whichever process of auth answers for its JWKS."""
        document = requests.get(f"{self.auth}/.well-known/jwks.json", timeout=10).json()
        return [key["kid"] for key in document["keys"]]

    def phone(self, name: str) -> WirePhone:
        """Sign somebody in."""
        proof = self.facebook.token(self.facebook.person(name))
        phone = WirePhone(igloo=self)
        phone.ask_token(grant_type="facebook_access_token", facebook_access_token=proof)
        return phone


@dataclass(kw_only=True)
class WirePhone:
    """A phone that uses its tokens over real connections."""

    igloo: Igloo
    http: requests.Session = field(default_factory=requests.Session)
    access_token: str = ""
    refresh_token: str = ""
    kids: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def ask_token(self, **parameters: str) -> None:
        """Get tokens, and note what went wrong."""
        answer = self.http.post(f"{self.igloo.auth}/v1/auth/token", data=parameters, timeout=20)
        if answer.status_code != 200:
            self.failures.append(f"{answer.status_code} {answer.text}")
            return
        granted = answer.json()
        self.access_token, self.refresh_token = granted["access_token"], granted["refresh_token"]

    def refresh(self) -> None:
        """Exchange the refresh token."""
        self.ask_token(grant_type="refresh_token", refresh_token=self.refresh_token)

    def read(self, access_token: str | None = None) -> int:
        """Read one's own profile from social."""
        return self.http.get(
            f"{self.igloo.social}/v1/users/me",
            headers={"Authorization": f"Bearer {access_token or self.access_token}"},
            timeout=20,
        ).status_code

    def live(self, done: Callable[[], bool]) -> None:
        """Refresh and read, again and again, with each new token and with the first one."""
        first = self.access_token
        while not done():
            self.refresh()
            for token in (self.access_token, first):
                if (status := self.read(token)) != 200:
                    self.failures.append(f"{status} for a token of {kid_of(token)}")
            self.kids[kid_of(self.access_token)] += 1


@pytest.fixture
def igloo(
    environ: dict[str, str],
    database_urls: Mapping[str, DatabaseUrls],
    facebook: FacebookServer,
    tmp_path: Path,
) -> Iterator[Igloo]:
    """Run both services."""
    auth_port, social_port = free_port(), free_port()
    urls = database_urls["social"]
    auth_environ = {
        **environ,
        "IGLOO_TOKENS_PER_ADDRESS": UNLIMITED,
        "IGLOO_REFRESHES_PER_SESSION": UNLIMITED,
    }
    social_environ = service_environ(
        "social",
        database_url=urls.service,
        migration_database_url=urls.migration,
        jwks_url=f"http://127.0.0.1:{auth_port}/.well-known/jwks.json",
        log_level="WARNING",
    )
    with ExitStack() as running:
        auth = running.enter_context(gunicorn("auth", auth_environ, port=auth_port, folder=tmp_path))
        social = running.enter_context(gunicorn("social", social_environ, port=social_port, folder=tmp_path))
        yield Igloo(auth=auth, social=social, environ=auth_environ, facebook=facebook)


def spray(igloo: Igloo, done: Callable[[], bool]) -> set[int]:
    """Send tokens of keys that do not exist, each with another id; return how they were refused."""
    refusals = set()
    with requests.Session() as http:
        while not done():
            forged = token_for(new_id(), headers={"kid": f"made-up-{new_id()}"})
            headers = {"Authorization": f"Bearer {forged}"}
            refusals.add(http.get(f"{igloo.social}/v1/users/me", headers=headers, timeout=20).status_code)
    return refusals


@pytest.mark.timeout(300)
def test_no_request_fails_across_a_rotation(igloo: Igloo) -> None:
    phones = [igloo.phone(name) for name in ("Snow Hare", "Puffin", "Arctic Fox")]
    [old] = igloo.kids()
    enough = threading.Event()
    with ThreadPoolExecutor(PHONES + 1) as pool:
        lives = [pool.submit(phone.live, enough.is_set) for phone in phones]
        sprayed = pool.submit(spray, igloo, enough.is_set)
        try:
            wait_until(
                lambda: all(phone.kids[old] >= TIMES for phone in phones), "all use the old key", seconds=60
            )
            igloo.keys("rotate", "--after", "6")
            [_, new] = igloo.kids()
            wait_until(
                lambda: all(phone.kids[new] >= TIMES for phone in phones), "all use the new key", seconds=60
            )
        finally:
            enough.set()
        for life in lives:
            life.result(timeout=60)

    assert [phone.failures for phone in phones] == [[]] * PHONES
    assert [kid_of(phone.access_token) for phone in phones] == [new] * PHONES
    assert sprayed.result(timeout=60) <= {401, 503}
    # Whichever worker answers: each of them follows the document by itself.
    assert [igloo.published() for _ in range(20)] == [[old, new]] * 20


def test_a_revoked_key_is_refused_where_its_tokens_were_remembered_and_the_phone_goes_on(
    igloo: Igloo,
) -> None:
    phone = igloo.phone("Snow Hare")
    [seen_by_others] = igloo.kids()
    before = phone.access_token
    assert phone.read() == 200

    igloo.keys("revoke", seen_by_others)

    def goes_on() -> bool:
        phone.refresh()
        return kid_of(phone.access_token) != seen_by_others and phone.read() == 200

    wait_until(goes_on, "the phone has a token of the new key and is let in", seconds=60)
    # Each process of social learns of it when it meets the new key.
    wait_until(
        lambda: phone.read() == 200 and {phone.read(before) for _ in range(10)} == {401},
        "the old token is refused by every process",
        seconds=60,
    )
    assert phone.failures == []

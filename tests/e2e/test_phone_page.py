"""docs/from-your-phone.md is true: its requests work, and its Swift and Kotlin say what the requests say."""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from e2e.conftest import Town

PAGE = (Path(__file__).parents[2] / "docs" / "from-your-phone.md").read_text()
TIMEOUT_SECONDS = 15


@dataclass(frozen=True)
class Example:
    """One request of the page, with the code that stands beside it."""

    status: int
    method: str
    target: str
    headers: dict[str, str]
    body: str
    swift: str
    kotlin: str

    @property
    def parameters(self) -> dict[str, str]:
        """What is sent, by name: the query's parameters or the form's."""
        return dict(parse_qsl(self.body or urlsplit(self.target).query))


def examples() -> list[Example]:
    """Read the page's requests, each with the Swift and the Kotlin that follow it."""
    blocks = re.findall(r"```http (\d+)\n(.*?)```\n```swift\n(.*?)```\n```kotlin\n(.*?)```", PAGE, re.DOTALL)
    return [_example(int(status), text, swift, kotlin) for status, text, swift, kotlin in blocks]


def _example(status: int, text: str, swift: str, kotlin: str) -> Example:
    head, _, body = text.strip().partition("\n\n")
    request_line, *header_lines = head.splitlines()
    method, target = request_line.split(" ", 1)
    headers = dict(line.split(": ", 1) for line in header_lines)
    return Example(status, method, target, headers, body.strip(), swift, kotlin)


EXAMPLES = examples()


def title(example: Example) -> str:
    """Name an example for the report of the tests."""
    return f"{example.method} {example.target[:60]} {example.parameters.get('grant_type', '')}"


def test_every_request_of_the_page_has_its_swift_and_its_kotlin() -> None:
    assert PAGE.count("```http ") == len(EXAMPLES) > 12


@pytest.mark.parametrize("example", EXAMPLES, ids=title)
@pytest.mark.parametrize("language", ["swift", "kotlin"])
def test_the_code_beside_a_request_says_the_same(example: Example, language: str) -> None:
    code = getattr(example, language)
    path = re.sub(r"\{\w+\}", "", urlsplit(example.target).path).rstrip("/")

    assert path in code
    assert re.search(rf'"{example.method}"|\b{example.method} address', code)
    for name, value in example.parameters.items():
        if name != "except":
            assert f'"{name}"' in code
        if not value.startswith("{") and name not in ("device_name", "platform"):
            assert value in code


class Walk:
    """One person going down the page, with every value met so far."""

    def __init__(self, town: Town) -> None:
        self.gateway = town.gateway
        self.facebook = town.stack.addresses.facebook
        self.http = requests.Session()
        made = requests.post(
            f"{self.facebook}/{town.stack.addresses.facebook_app_id}/accounts/test-users",
            data={"name": "Snow Hare"},
            timeout=TIMEOUT_SECONDS,
        ).json()
        self.person_id = made["id"]
        verifier = secrets.token_urlsafe(32)
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        self.values = {
            "facebook_access_token": made["access_token"],
            "state": secrets.token_urlsafe(8),
            "code_verifier": verifier,
            "code_challenge": challenge,
        }

    def take(self, example: Example) -> requests.Response:
        """Send a request of the page with the values that it stands for, and keep what the answer says."""
        response = self.http.request(
            example.method,
            self.gateway + self._filled(example.target),
            headers={name: self._filled(value) for name, value in example.headers.items()},
            data=self._filled(example.body) or None,
            allow_redirects=False,
            timeout=TIMEOUT_SECONDS,
        )
        self._keep(example, response)
        return response

    def _filled(self, text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: self.values[found[1]], text)

    def _keep(self, example: Example, response: requests.Response) -> None:
        said = response.json() if "json" in response.headers.get("Content-Type", "") else {}
        for name in ("access_token", "refresh_token", "confirmation_code"):
            if name in said:
                self.values[name] = said[name]
        if example.parameters.get("grant_type") == "facebook_id_token":
            self.values["signed_out_refresh_token"] = self.values["refresh_token"]
        if "nonce" in said:
            self.values["facebook_id_token"] = self._limited_login(said["nonce"])
        if example.target == "/v1/account/exports":
            self.values["export_id"] = said["id"]
        if example.target.startswith("/v1/auth/facebook/authorize"):
            self.values["code"] = self._through_facebook(response.headers["Location"])

    def _limited_login(self, nonce: str) -> str:
        url = f"{self.facebook}/stand-in/people/{self.person_id}/id-tokens"
        answer = requests.post(url, data={"nonce": nonce}, timeout=TIMEOUT_SECONDS)
        return str(answer.json()["id_token"])

    def _through_facebook(self, dialog: str) -> str:
        """Choose the person in Facebook's dialog, and come back to the app with a code."""
        at_facebook = self.http.get(
            f"{dialog}&person_id={self.person_id}", allow_redirects=False, timeout=TIMEOUT_SECONDS
        )
        back = self.http.get(at_facebook.headers["Location"], allow_redirects=False, timeout=TIMEOUT_SECONDS)
        address = urlsplit(back.headers["Location"])
        said = parse_qs(address.query)
        assert (address.scheme, address.path) == ("com.example.igloo", "/signed-in")
        assert (said["state"], said["iss"]) == ([self.values["state"]], [self.gateway])
        return said["code"][0]


@pytest.mark.e2e
def test_the_requests_of_the_page_work_in_the_order_of_the_page(town: Town) -> None:
    walk = Walk(town)

    for example in EXAMPLES:
        response = walk.take(example)
        assert response.status_code == example.status, f"{title(example)}: {response.text}"

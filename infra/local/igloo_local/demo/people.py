"""The demo people at the Facebook stand-in and in igloo: made once, signed in anew at every start."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import requests

from igloo_local.demo.cast import CHARACTERS, Character
from igloo_local.files import write_atomically, write_secret
from igloo_local.parts_list import DEMO_FOLDER
from igloo_local.phone import Phone, Refused

_TIMEOUT_SECONDS = 10
_THREADS = 4


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a running stack is, and the app at its Facebook."""

    folder: Path
    gateway: str
    facebook: str
    app_id: str
    app_secret: str = field(repr=False)

    @property
    def state_folder(self) -> Path:
        """Where the demo remembers what it has made; not the folder that the gateway serves."""
        return self.folder / "seed"


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A demo person with a phone in hand."""

    character: Character
    facebook_access_token: str
    phone: Phone = field(repr=False)

    def described(self) -> dict[str, str]:
        """Return what `stack.json` says about a person."""
        return {
            "id": str(self.phone.user_id),
            "username": self.character.username,
            "display_name": self.character.display_name,
            "facebook_access_token": self.facebook_access_token,
            "access_token": str(self.phone.access_token),
            "refresh_token": str(self.phone.refresh_token),
        }


def sign_in_everybody(place: Place) -> list[SignedIn]:
    """Sign every demo person in, making those who do not exist yet; write `demo.json` for the demo client."""
    known = _read(place.state_folder / "people.json")
    with ThreadPoolExecutor(_THREADS) as pool:
        everybody = [*pool.map(lambda character: _sign_in(place, character, known), CHARACTERS)]
    tokens = {one.character.username: one.facebook_access_token for one in everybody}
    write_secret(place.state_folder / "people.json", json.dumps(tokens, indent=2))
    _write_for_demo_client(place, everybody)
    return everybody


def sign_in_one(place: Place, username: str) -> SignedIn | None:
    """Sign one demo person in; None when nobody is called that."""
    known = _read(place.state_folder / "people.json")
    character = next((one for one in CHARACTERS if one.username == username), None)
    if character is not None and username in known:
        return _sign_in(place, character, known)
    everybody = sign_in_everybody(place) if character is not None else []
    return next((one for one in everybody if one.character is character), None)


def _sign_in(place: Place, character: Character, known: dict[str, str]) -> SignedIn:
    phone = Phone(gateway=place.gateway)
    token = known.get(character.username) or _create_at_facebook(place, character)
    try:
        phone.sign_in(token)
    except Refused as refusal:
        if refusal.status >= requests.codes.server_error:
            raise
        # The stand-in has forgotten this person, or the token has expired.
        token = _create_at_facebook(place, character)
        phone.sign_in(token)
    _complete_profile(phone, character)
    return SignedIn(character=character, facebook_access_token=token, phone=phone)


def _create_at_facebook(place: Place, character: Character) -> str:
    answer = requests.post(
        f"{place.facebook}/v25.0/{place.app_id}/accounts/test-users",
        data={
            "name": character.display_name,
            "installed": "true",
            "access_token": f"{place.app_id}|{place.app_secret}",
        },
        timeout=_TIMEOUT_SECONDS,
    )
    answer.raise_for_status()
    token: str = answer.json()["access_token"]
    return token


def _complete_profile(phone: Phone, character: Character) -> None:
    """Give the person their username and biography, unless they have them or somebody else took the name."""
    wanted = {"username": character.username, "bio": character.bio}
    profile = phone.call("GET", "/v1/users/me")
    if all(profile[name] == value for name, value in wanted.items()):
        return
    try:
        phone.call("PATCH", "/v1/users/me", json=wanted)
    except Refused as refusal:
        if refusal.status != requests.codes.conflict:
            raise


def _write_for_demo_client(place: Place, everybody: list[SignedIn]) -> None:
    people = [
        {
            "username": one.character.username,
            "display_name": one.character.display_name,
            "facebook_access_token": one.facebook_access_token,
        }
        for one in everybody
    ]
    content = {"facebook": place.facebook, "facebook_app_id": place.app_id, "people": people}
    write_atomically(place.folder / DEMO_FOLDER / "demo.json", json.dumps(content, indent=2))


def _read(path: Path) -> dict[str, str]:
    try:
        content: dict[str, str] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return content

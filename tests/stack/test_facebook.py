"""The stand-in answers as Facebook's documents say that Facebook does."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from igloo_local.facebook.signing import ISSUER, challenge_of, signed_request
from igloo_local.parts.facebook import Facebook

Json = dict[str, Any]
BACK = "http://127.0.0.1:9/callback?from=facebook"


def proof(facebook: Facebook, token: str) -> str:
    return hmac.digest(facebook.app[1].encode(), token.encode(), hashlib.sha256).hex()


def get(facebook: Facebook, path: str, **query: str) -> Json:
    answer: Json = requests.get(facebook.url + path, params=query, timeout=5).json()
    return answer


def debug(facebook: Facebook, token: str) -> Json:
    answer = get(facebook, "/v25.0/debug_token", input_token=token, access_token="|".join(facebook.app))
    found: Json = answer["data"]
    return found


def me(facebook: Facebook, token: str, **query: str) -> Json:
    return get(
        facebook, "/v25.0/me", access_token=token, **{"appsecret_proof": proof(facebook, token), **query}
    )


def test_a_new_person_has_a_token_that_is_valid_for_the_app(facebook: Facebook) -> None:
    person = facebook.create_person("Narwhal")

    found = debug(facebook, person["access_token"])

    assert found["is_valid"] is True
    assert (found["app_id"], found["user_id"]) == (facebook.app[0], person["id"])
    assert me(facebook, person["access_token"], fields="id,name")["name"] == "Narwhal"


def test_a_call_for_a_person_needs_the_proof_of_the_app_secret(facebook: Facebook) -> None:
    token = facebook.create_person("Puffin")["access_token"]

    missing = get(facebook, "/me", access_token=token)
    wrong = get(facebook, "/me", access_token=token, appsecret_proof="0" * 64)

    assert missing["error"]["code"] == wrong["error"]["code"] == 100
    assert wrong["error"]["message"] == "Invalid appsecret_proof provided in the API argument"
    assert wrong["error"]["type"] == "GraphMethodException"


def test_a_token_of_another_app_does_not_pass_for_ours(facebook: Facebook) -> None:
    other_id, other_secret = facebook.other_app
    person = requests.post(
        f"{facebook.url}/{other_id}/accounts/test-users",
        data={"access_token": f"{other_id}|{other_secret}"},
        timeout=5,
    ).json()

    found = debug(facebook, person["access_token"])

    assert found["is_valid"] is False
    assert "did not match the Viewing App" in found["error"]["message"]


def test_an_expired_and_an_unknown_token_are_told_apart(facebook: Facebook) -> None:
    person = facebook.create_person("Walrus")
    expired = requests.post(
        f"{facebook.url}/stand-in/people/{person['id']}/tokens", data={"expires_in": "-5"}, timeout=5
    ).json()["access_token"]

    assert debug(facebook, expired)["error"]["subcode"] == 463
    assert "subcode" not in debug(facebook, "made-up")["error"]


def test_a_wrong_app_token_is_refused_in_graphs_shape(facebook: Facebook) -> None:
    answer = requests.get(
        f"{facebook.url}/debug_token",
        params={"input_token": "x", "access_token": f"{facebook.app[0]}|wrong"},
        timeout=5,
    )

    assert answer.status_code == 400
    assert set(answer.json()["error"]) >= {"message", "type", "code", "fbtrace_id"}
    assert answer.json()["error"]["code"] == 190


def test_removing_the_app_ends_the_persons_tokens(facebook: Facebook) -> None:
    token = facebook.create_person("Lemming")["access_token"]

    requests.delete(
        f"{facebook.url}/me/permissions",
        params={"access_token": token, "appsecret_proof": proof(facebook, token)},
        timeout=20,
    ).raise_for_status()

    assert debug(facebook, token)["error"]["subcode"] == 458
    assert me(facebook, token)["error"]["code"] == 190


def test_friends_see_each_other_and_nobody_else(facebook: Facebook) -> None:
    one, two, stranger = (facebook.create_person(name) for name in ("Beluga", "Seal", "Owl"))
    token = one["access_token"]
    signed = {"access_token": token, "appsecret_proof": proof(facebook, token)}
    requests.post(
        f"{facebook.url}/{one['id']}/friends/{two['id']}", data=signed, timeout=5
    ).raise_for_status()

    assert [friend["id"] for friend in get(facebook, "/me/friends", **signed)["data"]] == [two["id"]]
    assert get(facebook, f"/{two['id']}", **signed)["name"] == "Seal"
    assert get(facebook, f"/{stranger['id']}", **signed)["error"]["error_subcode"] == 33


def authorize(facebook: Facebook, person_id: str, **query: str) -> dict[str, list[str]]:
    asked = {
        "client_id": facebook.app[0],
        "redirect_uri": BACK,
        "state": "s",
        "person_id": person_id,
        **query,
    }
    answer = requests.get(
        f"{facebook.url}/v25.0/dialog/oauth", params=asked, allow_redirects=False, timeout=5
    )
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(BACK)
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def redeem(facebook: Facebook, code: str, **query: str) -> Json:
    client = {"client_id": facebook.app[0], "client_secret": facebook.app[1]}
    asked = {**client, "redirect_uri": BACK, "code": code, **query}
    return get(facebook, "/v25.0/oauth/access_token", **asked)


def test_the_dialogs_code_is_exchanged_once(facebook: Facebook) -> None:
    person = facebook.create_person("Caribou")
    back = authorize(facebook, person["id"])

    first = redeem(facebook, back["code"][0])
    second = redeem(facebook, back["code"][0])

    assert back["state"] == ["s"]
    assert debug(facebook, first["access_token"])["user_id"] == person["id"]
    assert second["error"]["error_subcode"] == 36009


def test_a_code_is_bound_to_its_redirect_and_its_verifier(facebook: Facebook) -> None:
    person = facebook.create_person("Musk Ox")
    challenge = {"code_challenge": challenge_of("v" * 43), "code_challenge_method": "S256"}
    code = authorize(facebook, person["id"], **challenge)["code"][0]

    assert redeem(facebook, code, redirect_uri="http://127.0.0.1:9/other")["error"]["error_subcode"] == 36008
    assert "error" in redeem(facebook, code)
    assert "error" in redeem(facebook, code, code_verifier="w" * 43)
    assert redeem(facebook, code, client_secret="wrong", code_verifier="v" * 43)["error"]["code"] == 1
    assert "access_token" in redeem(facebook, code, code_verifier="v" * 43)


def test_the_dialog_offers_the_people_and_a_way_out(facebook: Facebook) -> None:
    facebook.create_person("Ptarmigan <b>")
    asked = {"client_id": facebook.app[0], "redirect_uri": BACK}

    page = requests.get(f"{facebook.url}/dialog/oauth", params=asked, timeout=5).text

    assert "Ptarmigan &lt;b&gt;" in page
    assert "error=access_denied" in page


def test_limited_login_gives_an_id_token_that_the_published_keys_verify(facebook: Facebook) -> None:
    person = facebook.create_person("Snowy Owl")
    token = requests.post(
        f"{facebook.url}/stand-in/people/{person['id']}/id-tokens", data={"nonce": "n-1"}, timeout=5
    ).json()["id_token"]
    keys = jwt.PyJWKSet.from_dict(get(facebook, "/.well-known/oauth/openid/jwks/"))

    claims = jwt.decode(
        token,
        keys[jwt.get_unverified_header(token)["kid"]],
        algorithms=["RS256"],
        audience=facebook.app[0],
        issuer=ISSUER,
    )

    assert (claims["sub"], claims["nonce"]) == (person["id"], "n-1")


def test_people_and_keys_survive_a_restart(facebook: Facebook) -> None:
    token = facebook.create_person("Kittiwake")["access_token"]
    keys = get(facebook, "/.well-known/oauth/openid/jwks/")

    facebook.stop()
    facebook.start()

    assert debug(facebook, token)["is_valid"] is True
    assert get(facebook, "/.well-known/oauth/openid/jwks/") == keys


def test_a_signed_request_can_be_checked_with_the_secret_alone() -> None:
    signature, _, payload = signed_request("42", "secret").partition(".")

    expected = hmac.digest(b"secret", payload.encode(), hashlib.sha256)
    assert jwt.utils.base64url_decode(signature) == expected
    assert b'"user_id": "42"' in jwt.utils.base64url_decode(payload)


@pytest.mark.parametrize("path", ["/no/such/thing", "/v25.0/me/feed"])
def test_an_unknown_address_is_graphs_unsupported_request(facebook: Facebook, path: str) -> None:
    answer = requests.get(facebook.url + path, timeout=5)

    assert answer.status_code == 400
    assert answer.json()["error"]["error_subcode"] == 33

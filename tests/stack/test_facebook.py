"""The stand-in answers as Facebook's documents say that Facebook does."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from igloo_local.facebook.id_tokens import ISSUER
from igloo_local.facebook.signing import challenge_of, signed_request
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

    answer = get(
        facebook,
        "/v25.0/debug_token",
        input_token=person["access_token"],
        access_token="|".join(facebook.app),
    )

    assert "data" not in answer
    assert answer["error"]["code"] == 100
    assert "input_token did not match the Viewing App" in answer["error"]["message"]


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


def control(facebook: Facebook, path: str, /, **parameters: str) -> Json:
    answer = requests.post(f"{facebook.url}/stand-in{path}", data=parameters, timeout=5)
    answer.raise_for_status()
    found: Json = answer.json()
    return found


def signed(facebook: Facebook, token: str) -> dict[str, str]:
    return {"access_token": token, "appsecret_proof": proof(facebook, token)}


def befriend(facebook: Facebook, person: dict[str, str], friends: list[dict[str, str]]) -> None:
    for friend in friends:
        requests.post(
            f"{facebook.url}/{person['id']}/friends/{friend['id']}",
            data=signed(facebook, person["access_token"]),
            timeout=5,
        ).raise_for_status()


def test_a_page_of_friends_says_where_the_next_one_begins_and_the_last_one_does_not(
    facebook: Facebook,
) -> None:
    person, *friends = (facebook.create_person(name) for name in ("Beluga", "Auk", "Seal", "Tern"))
    befriend(facebook, person, friends)
    asked = {**signed(facebook, person["access_token"]), "limit": "2"}

    first = get(facebook, "/me/friends", **asked)
    second = get(facebook, "/me/friends", **asked, after=first["paging"]["cursors"]["after"])

    assert [entry["name"] for entry in first["data"] + second["data"]] == ["Auk", "Seal", "Tern"]
    assert "after=" in first["paging"]["next"]
    assert "next" not in second["paging"]


def test_who_does_not_share_friends_sees_none_and_is_seen_by_none(facebook: Facebook) -> None:
    one, two = (facebook.create_person(name) for name in ("Eider", "Gull"))
    befriend(facebook, one, [two])

    control(facebook, f"/people/{two['id']}/permissions", permissions="email")

    assert debug(facebook, two["access_token"])["scopes"] == ["email", "public_profile"]
    assert get(facebook, "/me/friends", **signed(facebook, one["access_token"]))["data"] == []
    assert get(facebook, "/me/friends", **signed(facebook, two["access_token"]))["data"] == []


def test_the_dialog_grants_what_was_asked_for_and_no_more(facebook: Facebook) -> None:
    person = facebook.create_person("Orca")

    for scope, expected in (("", ["public_profile"]), ("user_friends", ["public_profile", "user_friends"])):
        code = authorize(facebook, person["id"], **({"scope": scope} if scope else {}))["code"][0]
        assert debug(facebook, redeem(facebook, code)["access_token"])["scopes"] == expected


@pytest.mark.parametrize(("path", "version"), [("/v24.0/debug_token", "v24.0"), ("/debug_token", "v25.0")])
def test_every_answer_names_the_version_that_gave_it(facebook: Facebook, path: str, version: str) -> None:
    answer = requests.get(facebook.url + path, timeout=5)

    assert answer.headers["facebook-api-version"] == version


def test_a_new_key_signs_and_the_one_before_is_published_for_as_long_as_wanted(facebook: Facebook) -> None:
    def published() -> list[str]:
        return [key["kid"] for key in get(facebook, "/.well-known/oauth/openid/jwks/")["keys"]]

    before = published()[0]

    rotated = control(facebook, "/keys/rotate")
    assert published() == rotated["published"] == [rotated["kid"], before]

    withdrawn = control(facebook, "/keys/rotate", keep_seconds="0")
    assert rotated["kid"] not in published()
    assert published()[0] == withdrawn["kid"]


def test_an_id_token_can_be_had_with_a_fault(facebook: Facebook) -> None:
    person = facebook.create_person("Fulmar")
    path = f"/people/{person['id']}/id-tokens"

    token = control(facebook, path, nonce="n", claims='{"aud": "5", "nonce": null}', header='{"kid": "../x"}')
    unsigned = control(facebook, path, nonce="n", signature="none")

    claims = jwt.decode(token["id_token"], options={"verify_signature": False})
    assert (claims["aud"], "nonce" in claims) == ("5", False)
    assert jwt.get_unverified_header(token["id_token"])["kid"] == "../x"
    assert jwt.get_unverified_header(unsigned["id_token"])["alg"] == "none"
    assert unsigned["id_token"].endswith(".")


def test_the_next_calls_of_a_path_go_wrong_when_that_is_wanted(facebook: Facebook) -> None:
    token = facebook.create_person("Skua")["access_token"]

    control(facebook, "/faults", path="/v25.0/me", kind="html", times="2")

    def kind() -> str:
        answer = requests.get(f"{facebook.url}/v25.0/me", params=signed(facebook, token), timeout=5)
        return answer.headers["Content-Type"].partition(";")[0]

    assert [kind() for _ in range(3)] == ["text/html", "text/html", "application/json"]
    control(facebook, "/faults", path="/me", kind="500")
    requests.delete(f"{facebook.url}/stand-in/faults", timeout=5).raise_for_status()
    assert kind() == "application/json"

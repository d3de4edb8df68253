from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from factories.sample_service import sample_app
from factories.tokens import StaticKeys, bearer
from igloo_common import access
from igloo_common.ids import new_id
from igloo_common.keys import Key, KeysUnavailable
from igloo_common.web import Blueprint, json_response


def test_a_caller_is_known_by_the_token(client: FlaskClient) -> None:
    user = new_id()

    assert client.get("/v1/me", headers=bearer(user)).json == {"user_id": str(user)}


def test_without_a_token_the_challenge_names_no_error(client: FlaskClient) -> None:
    reply = client.get("/v1/me")

    assert reply.status_code == 401
    assert reply.json is not None
    assert reply.json["code"] == "authentication_required"
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="igloo"'


@pytest.mark.parametrize(
    "header", ["Bearer nonsense", "Bearer", "Bearer ", "Basic dTpw", "nonsense", "Bearer a b", "Bearer \xff"]
)
@pytest.mark.parametrize("path", ["/v1/me", "/v1/notes"])
def test_a_bad_token_is_refused_even_where_none_is_needed(
    client: FlaskClient, path: str, header: str
) -> None:
    reply = client.get(path, headers={"Authorization": header})

    assert reply.status_code == 401
    assert reply.json is not None
    assert reply.json["code"] == "invalid_token"
    assert reply.headers["WWW-Authenticate"].startswith('Bearer realm="igloo", error="invalid_token"')


def test_an_expired_token_has_a_code_of_its_own(client: FlaskClient) -> None:
    reply = client.get("/v1/me", headers=bearer(new_id(), ttl_seconds=-1))

    assert (reply.status_code, (reply.json or {})["code"]) == (401, "token_expired")


def test_where_a_token_is_optional_none_is_fine(client: FlaskClient) -> None:
    assert client.get("/v1/notes").status_code == 200
    assert client.get("/v1/notes", headers=bearer(new_id())).status_code == 200


def test_who_may_call_is_asked_before_the_body_is_read(client: FlaskClient) -> None:
    assert client.post("/v1/notes", data=b"{").status_code == 401


def test_a_scope_is_asked_for(client: FlaskClient) -> None:
    refused = client.get("/v1/moderation", headers=bearer(new_id(), scopes="moderators"))
    taken = client.get("/v1/moderation", headers=bearer(new_id(), scopes="user moderator"))

    assert taken.status_code == 200
    assert (refused.status_code, (refused.json or {})["code"]) == (403, "insufficient_scope")
    assert 'scope="moderator"' in refused.headers["WWW-Authenticate"]
    assert client.get("/v1/moderation").status_code == 401


def test_keys_that_cannot_be_fetched_sign_nobody_out() -> None:
    class NoKeys(StaticKeys):
        def key(self, kid: str) -> Key | None:
            raise KeysUnavailable(f"{kid} cannot be fetched.")

    reply = sample_app(keys=NoKeys()).test_client().get("/v1/me", headers=bearer(new_id()))

    assert (reply.status_code, (reply.json or {})["code"]) == (503, "keys_unavailable")


def test_a_view_that_does_not_say_who_may_call_is_not_registered() -> None:
    blueprint = Blueprint("silent", __name__)

    with pytest.raises(TypeError, match="access"):

        @blueprint.route("/v1/silent", methods=["GET"])
        def silent() -> object:
            return json_response({})


def test_every_operation_of_a_service_says_who_may_call(app: Flask) -> None:
    access.assert_every_operation_has_access(app)

"""The discovery document says what exists, in the words that other people's libraries read."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

# Without one of these AppAuth, for iOS as for Android, refuses the document (OIDServiceDiscovery.m,
# AuthorizationServiceDiscovery.java), whether or not an id token is wanted.
ASKED_BY_APPAUTH = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
)


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    """Read the document."""
    return client.get("/.well-known/openid-configuration").json or {}


def test_every_endpoint_that_is_announced_is_there(client: FlaskClient, document: dict[str, Any]) -> None:
    assert document["issuer"] == "http://igloo.test"
    for name, method in (
        ("authorization_endpoint", "GET"),
        ("token_endpoint", "POST"),
        ("revocation_endpoint", "POST"),
        ("jwks_uri", "GET"),
    ):
        address = urlsplit(document[name])
        assert f"{address.scheme}://{address.netloc}" == "http://igloo.test"
        assert client.open(address.path, method=method).status_code in (200, 400), name


def test_the_grants_that_are_announced_are_the_ones_that_are_served(
    client: FlaskClient, document: dict[str, Any]
) -> None:
    for grant in [*document["grant_types_supported"], "password"]:
        problem = client.post("/v1/auth/token", data={"grant_type": grant}).json or {}
        served = problem["code"] != "unsupported_grant_type"
        assert served == (grant in document["grant_types_supported"]), grant


def test_the_code_flow_with_proof_keys_is_the_one_that_is_announced(document: dict[str, Any]) -> None:
    assert "authorization_code" in document["grant_types_supported"]
    assert document["response_types_supported"] == ["code"]
    assert document["response_modes_supported"] == ["query"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["token_endpoint_auth_methods_supported"] == ["none"]
    assert document["revocation_endpoint_auth_methods_supported"] == ["none"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["scopes_supported"] == ["user"]


@pytest.mark.parametrize("name", ASKED_BY_APPAUTH)
def test_what_a_library_for_openid_connect_asks_for_is_there(document: dict[str, Any], name: str) -> None:
    assert document[name]


def test_no_list_is_empty_as_such_are_to_be_left_out(document: dict[str, Any]) -> None:
    assert [name for name, value in document.items() if value == []] == []

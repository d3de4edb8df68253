"""The discovery document says what exists."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask.testing import FlaskClient


def test_every_endpoint_that_is_announced_is_there(client: FlaskClient) -> None:
    document = client.get("/.well-known/openid-configuration").json or {}

    assert document["issuer"] == "http://igloo.test"
    for name, method in (
        ("token_endpoint", "POST"),
        ("revocation_endpoint", "POST"),
        ("jwks_uri", "GET"),
    ):
        address = urlsplit(document[name])
        assert f"{address.scheme}://{address.netloc}" == "http://igloo.test"
        assert client.open(address.path, method=method).status_code in (200, 400), name


def test_the_grants_that_are_announced_are_the_ones_that_are_served(client: FlaskClient) -> None:
    document = client.get("/.well-known/openid-configuration").json or {}

    for grant in [*document["grant_types_supported"], "authorization_code"]:
        problem = client.post("/v1/auth/token", data={"grant_type": grant}).json or {}
        served = problem["code"] != "unsupported_grant_type"
        assert served == (grant in document["grant_types_supported"]), grant


def test_nothing_is_announced_that_is_not_there_yet(client: FlaskClient) -> None:
    document = client.get("/.well-known/openid-configuration").json or {}

    assert "authorization_endpoint" not in document
    assert document["response_types_supported"] == []
    assert document["token_endpoint_auth_methods_supported"] == ["none"]

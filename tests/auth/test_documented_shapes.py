"""The bytes that are sent have the documented shape: nothing missing, nothing undocumented."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema

from auth.facebook_server import FacebookServer
from auth.phones import Phone
from igloo_auth.schemas.accounts import AccountSchema
from igloo_auth.schemas.discovery import ConfigurationSchema, KeySetSchema
from igloo_auth.schemas.security_events import SecurityEventPageSchema
from igloo_auth.schemas.sessions import SessionPageSchema
from igloo_auth.schemas.token import TokenSchema

DOCUMENTED: dict[str, type[Schema]] = {
    "/.well-known/jwks.json": KeySetSchema,
    "/.well-known/openid-configuration": ConfigurationSchema,
    "/v1/account": AccountSchema,
    "/v1/auth/sessions?state=all": SessionPageSchema,
    "/v1/account/security-events": SecurityEventPageSchema,
}
# Marshmallow's URL wants a top-level domain, and the tests' addresses have none.
TEST_ADDRESS = ["Not a valid URL."]


@pytest.mark.parametrize(("path", "schema"), DOCUMENTED.items())
def test_what_is_read_has_its_documented_shape(phone: Phone, path: str, schema: type[Schema]) -> None:
    answer = phone.get(path)

    assert answer.status_code == 200
    wrong = schema().validate(answer.json or {})
    assert {name: messages for name, messages in wrong.items() if messages != TEST_ADDRESS} == {}


def test_tokens_have_their_documented_shape(phone: Phone) -> None:
    assert TokenSchema().validate(phone.granted) == {}


def test_a_revoked_session_has_the_documented_shape_too(
    client: FlaskClient, facebook: FacebookServer
) -> None:
    person = facebook.person()
    mine, lost = (Phone.signed_in(client, facebook.token(person)) for _ in range(2))
    mine.delete(f"/v1/auth/sessions/{lost.session_id}")

    page = mine.get("/v1/auth/sessions?state=ended").json or {}

    assert [entry["revoked_reason"] for entry in page["data"]] == ["revoked_by_owner"]
    assert SessionPageSchema().validate(page) == {}

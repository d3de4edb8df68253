"""The shapes of the token and revocation requests (RFC 6749, RFC 7009) and of their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, fields, post_load, pre_load, validate

from igloo_auth.operations.authorization_codes import AUTHORIZATION_CODE
from igloo_auth.policies.proof_keys import VERIFIER_PATTERN
from igloo_common.text_fields import CleanedName

FACEBOOK_ACCESS_TOKEN: Final = "facebook_access_token"  # noqa: S105 - the name of a grant
FACEBOOK_ID_TOKEN: Final = "facebook_id_token"  # noqa: S105 - the name of a grant
REFRESH_TOKEN: Final = "refresh_token"  # noqa: S105 - the name of a grant

MAXIMUM_TOKEN_CHARACTERS: Final = 4096
# An id token may carry the ids of some thousands of friends.
MAXIMUM_ID_TOKEN_CHARACTERS: Final = 128 * 1024
MAXIMUM_NAME_CHARACTERS: Final = 100


@dataclass(frozen=True, kw_only=True)
class FacebookTokenGrant:
    """A person signs in with the user token that Facebook's SDK gave to the app."""

    facebook_access_token: str
    device_name: str | None
    platform: str | None


@dataclass(frozen=True, kw_only=True)
class AuthorizationCodeGrant:
    """An app trades the code that a browser brought it."""

    code: str
    redirect_uri: str | None
    client_id: str
    code_verifier: str
    device_name: str | None
    platform: str | None


@dataclass(frozen=True, kw_only=True)
class IdTokenGrant:
    """A person signs in with the id token that Facebook's SDK gave to the app by Limited Login."""

    facebook_id_token: str
    device_name: str | None
    platform: str | None


@dataclass(frozen=True, kw_only=True)
class RefreshTokenGrant:
    """A signed-in device asks for a fresh access token."""

    refresh_token: str


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """A client is done with a token."""

    token: str


def _token(description: str, *, longest: int = MAXIMUM_TOKEN_CHARACTERS) -> fields.String:
    return fields.String(
        required=True,
        validate=validate.Length(min=1, max=longest),
        metadata={"description": description},
    )


def _name(description: str, example: str) -> CleanedName:
    return CleanedName(
        longest=MAXIMUM_NAME_CHARACTERS,
        load_default=None,
        metadata={"description": description, "example": example},
    )


class OAuthRequestSchema(Schema):
    """A request of OAuth: what it does not know, it ignores (RFC 6749 section 3.2)."""

    class Meta:
        """Options of every OAuth request."""

        unknown = EXCLUDE

    @pre_load
    def _drop_empty(self, parameters: Mapping[str, Any], **_: object) -> dict[str, Any]:
        """Take a parameter without a value for one that was not sent (RFC 6749 section 3.1)."""
        return {name: value for name, value in parameters.items() if value not in ("", None)}


class GrantTypeSchema(OAuthRequestSchema):
    """What every grant request begins with."""

    grant_type = fields.String(required=True)


class FacebookTokenGrantSchema(OAuthRequestSchema):
    """Sign in with a user token of the Facebook SDK."""

    grant_type = fields.Constant(FACEBOOK_ACCESS_TOKEN, required=True)
    facebook_access_token = _token("The user access token that the Facebook SDK returned, for this app.")
    device_name = _name("How the person knows the device; shown in the list of sessions.", "Hare's phone")
    platform = _name("What the app runs on.", "ios")

    @post_load
    def _grant(self, values: dict[str, Any], **_: object) -> FacebookTokenGrant:
        del values["grant_type"]
        return FacebookTokenGrant(**values)


class AuthorizationCodeGrantSchema(OAuthRequestSchema):
    """Trade the code that came to the client's redirect URI."""

    grant_type = fields.Constant(AUTHORIZATION_CODE, required=True)
    code = _token("The code, good for a minute and once.")
    redirect_uri = fields.String(
        load_default=None,
        metadata={
            "description": "The one that the code came to; may be left out by a client that has one alone.",
            "example": "com.example.igloo:/signed-in",
        },
    )
    client_id = fields.String(required=True, metadata={"example": "igloo-phone"})
    code_verifier = fields.String(
        required=True,
        validate=validate.Regexp(VERIFIER_PATTERN, error="Must be 43 to 128 letters, digits and -._~."),
        metadata={"description": "What the challenge of the authorization request was made of (RFC 7636)."},
    )
    device_name = _name("How the person knows the device; shown in the list of sessions.", "Hare's phone")
    platform = _name("What the app runs on.", "ios")

    @post_load
    def _grant(self, values: dict[str, Any], **_: object) -> AuthorizationCodeGrant:
        del values["grant_type"]
        return AuthorizationCodeGrant(**values)


class IdTokenGrantSchema(OAuthRequestSchema):
    """Sign in with an id token of the Facebook SDK's Limited Login."""

    grant_type = fields.Constant(FACEBOOK_ID_TOKEN, required=True)
    facebook_id_token = _token(
        "The id token that the Facebook SDK returned, with a nonce of `POST /v1/auth/nonces`.",
        longest=MAXIMUM_ID_TOKEN_CHARACTERS,
    )
    device_name = _name("How the person knows the device; shown in the list of sessions.", "Hare's phone")
    platform = _name("What the app runs on.", "ios")

    @post_load
    def _grant(self, values: dict[str, Any], **_: object) -> IdTokenGrant:
        del values["grant_type"]
        return IdTokenGrant(**values)


class RefreshTokenGrantSchema(OAuthRequestSchema):
    """Exchange a refresh token for its successor and a fresh access token."""

    grant_type = fields.Constant(REFRESH_TOKEN, required=True)
    refresh_token = _token("The newest refresh token of the session.")

    @post_load
    def _grant(self, values: dict[str, Any], **_: object) -> RefreshTokenGrant:
        del values["grant_type"]
        return RefreshTokenGrant(**values)


class RevocationSchema(OAuthRequestSchema):
    """End the session that a token belongs to (RFC 7009)."""

    token = _token("A refresh token, or an access token that has not expired.")
    token_type_hint = fields.String(
        metadata={"description": "Accepted and not needed: the two kinds are told apart without it."}
    )

    @post_load
    def _revocation(self, values: dict[str, Any], **_: object) -> Revocation:
        return Revocation(token=values["token"])


class TokenSchema(Schema):
    """The tokens of a session (RFC 6749 section 5.1) and whose they are."""

    access_token = fields.String(required=True)
    token_type = fields.Constant("Bearer", required=True)
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds."})
    refresh_token = fields.String(
        required=True, metadata={"description": "Replaces the one before it: keep this one."}
    )
    refresh_expires_in = fields.Integer(required=True, metadata={"description": "Seconds."})
    scope = fields.String(required=True, metadata={"description": "Separated by spaces."})
    user_id = fields.UUID(required=True)
    session_id = fields.UUID(required=True)

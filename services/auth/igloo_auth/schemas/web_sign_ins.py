"""The shapes of the authorization request (RFC 6749 section 4.1.1) and of what Facebook sends back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from marshmallow import fields, post_load, validate

from igloo_auth.policies.proof_keys import CHALLENGE_PATTERN, S256
from igloo_auth.schemas.token import OAuthRequestSchema

MAXIMUM_STATE_CHARACTERS: Final = 1024
RESPONSE_TYPE: Final = "code"
RESPONSE_MODE: Final = "query"


@dataclass(frozen=True, kw_only=True)
class FacebookAnswer:
    """What a browser brings back from Facebook: a code, or the word for why there is none."""

    code: str | None
    error: str | None


class AddressSchema(OAuthRequestSchema):
    """Who asks, and where the answer goes: while one of them is not good, nothing is sent anywhere."""

    client_id = fields.String(required=True, metadata={"example": "igloo-phone"})
    redirect_uri = fields.String(
        load_default=None,
        metadata={
            "description": "One of the client's registered addresses, exactly; may be left out by a client "
            "that has one. A registered `http://127.0.0.1/…` or `http://[::1]/…` goes with any port.",
            "example": "com.example.igloo:/signed-in",
        },
    )


class AuthorizationSchema(AddressSchema):
    """A request to sign somebody in; other parameters, `scope` among them, are accepted and ignored."""

    response_type = fields.String(required=True, metadata={"enum": [RESPONSE_TYPE]})
    response_mode = fields.String(
        load_default=RESPONSE_MODE, validate=validate.OneOf([RESPONSE_MODE]), metadata={"default": "query"}
    )
    state = fields.String(
        load_default=None,
        validate=[
            validate.Length(max=MAXIMUM_STATE_CHARACTERS),
            validate.Regexp(r"^[^\x00-\x1f\x7f]*(?!\n)$", error="Must not contain control characters."),
        ],
        metadata={"description": "Comes back as it was sent, so that the client recognises its own request."},
    )
    code_challenge = fields.String(
        required=True,
        validate=validate.Regexp(
            CHALLENGE_PATTERN, error="Must be the SHA-256 of the verifier, in 43 characters of base64url."
        ),
        metadata={"example": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},
    )
    # Left out it would mean `plain` (RFC 7636 section 4.3), which is not taken.
    code_challenge_method = fields.String(required=True, validate=validate.OneOf([S256]))


class CallbackSchema(OAuthRequestSchema):
    """How Facebook's dialog ended; only Facebook makes this address."""

    state = fields.String(load_default="")
    code = fields.String(load_default=None)
    error = fields.String(load_default=None)

    @post_load
    def _answer(self, values: dict[str, Any], **_: object) -> tuple[str, FacebookAnswer]:
        return values["state"], FacebookAnswer(code=values["code"], error=values["error"])

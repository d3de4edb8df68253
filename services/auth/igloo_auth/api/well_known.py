"""Documents under /.well-known: how others verify what we sign, and where our endpoints are."""

from __future__ import annotations

import hashlib

from flask import Response, request

from igloo_auth.api.grants import GRANTORS
from igloo_auth.policies.proof_keys import S256
from igloo_auth.policies.scopes import SIGNED_IN_SCOPES
from igloo_auth.schemas.discovery import ConfigurationSchema, KeySetSchema
from igloo_auth.schemas.web_sign_ins import RESPONSE_MODE, RESPONSE_TYPE
from igloo_auth.settings import Settings
from igloo_auth.tokens.signing_keys import KEY_SET_SECONDS, SigningKeys
from igloo_common import access
from igloo_common.web import Blueprint, json_response, provided

CACHED_FOR_5_MINUTES = {"Cache-Control": f"public, max-age={KEY_SET_SECONDS}"}

blp = Blueprint("well_known", __name__, description="What clients configure themselves by.")


@blp.route("/.well-known/jwks.json", methods=["GET"])
@access.public
@blp.response(200, KeySetSchema)
@blp.alt_response(304, description="It is as the client has it")
def read_signing_keys() -> Response:
    """Read the public keys that verify access tokens.

    May be cached for five minutes; the ETag is for If-None-Match. A new key is published for longer than that
    before it signs anything. For a key id that is in no cached copy, ask again.
    """
    response = json_response(provided(SigningKeys).public_document(), headers=CACHED_FOR_5_MINUTES)
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    response.make_conditional(request)
    return response


@blp.route("/.well-known/openid-configuration", methods=["GET"])
@access.public
@blp.response(200, ConfigurationSchema)
def read_configuration() -> Response:
    """Read where the endpoints are and what they accept (RFC 8414).

    Igloo issues access and refresh tokens and no id_token, whatever `scope` asks for. Two members are about
    id tokens all the same, as libraries made for OpenID Connect read no document without them.
    """
    common = provided(Settings).common
    document = {
        "issuer": common.issuer,
        "authorization_endpoint": f"{common.public_url}/v1/auth/facebook/authorize",
        "token_endpoint": f"{common.public_url}/v1/auth/token",
        "revocation_endpoint": f"{common.public_url}/v1/auth/revoke",
        "jwks_uri": f"{common.public_url}/.well-known/jwks.json",
        "grant_types_supported": sorted(GRANTORS),
        "response_types_supported": [RESPONSE_TYPE],
        "response_modes_supported": [RESPONSE_MODE],
        "code_challenge_methods_supported": [S256],
        # Every answer says who gives it (RFC 9207).
        "authorization_response_iss_parameter_supported": True,
        # Left out, it would mean that they are read (OpenID Connect Discovery section 3).
        "request_uri_parameter_supported": False,
        "scopes_supported": sorted(SIGNED_IN_SCOPES),
        # The clients are phones: they keep no secret, so none is asked for.
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        # A person is the same `sub` to every client; access tokens, which are JWTs, are signed so.
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "service_documentation": f"{common.public_url}/docs",
    }
    return json_response(document, headers=CACHED_FOR_5_MINUTES)

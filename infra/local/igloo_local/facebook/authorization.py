"""Who calls Graph: app access tokens, user access tokens, and the proof of the app secret."""

import hmac
import time
from collections.abc import Mapping

from flask import request

from igloo_local.facebook.errors import GraphError, ProofInvalid, TokenMissing, TokenUnknown
from igloo_local.facebook.people import People, Token
from igloo_local.facebook.signing import appsecret_proof


class Authorization:
    """Checks what a call carries against the apps and tokens that exist."""

    def __init__(self, apps: Mapping[str, str], people: People) -> None:
        self._apps = apps
        self._people = people

    def calling_app(self) -> str:
        """Return the id of the app whose access token (`id|secret`) the call carries."""
        text = _access_token()
        app_id, _, secret = text.partition("|")
        if not hmac.compare_digest(self._apps.get(app_id, "").encode() or b"-", secret.encode()):
            raise TokenUnknown
        self._check_proof(text, app_id, required=False)
        return app_id

    def calling_user(self) -> Token:
        """Return the valid user token that the call carries, with its proof."""
        text = _access_token()
        token = self.valid(text)
        self._check_proof(text, token.app_id, required=True)
        return token

    def require_app(self, app_id: str) -> str:
        """Return the secret of an app that exists."""
        known = self._apps.get(app_id)
        if known is None:
            raise GraphError("Error validating application. Cannot get application info.", code=101)
        return known

    def secret_of(self, app_id: str, secret: str) -> str:
        """Return the app's secret if the caller knows it."""
        known = self.require_app(app_id)
        if not hmac.compare_digest(known.encode(), secret.encode()):
            raise GraphError("Error validating client secret.", code=1)
        return known

    def valid(self, text: str) -> Token:
        """Return a user token that still works, or say why it does not."""
        token = self._people.token(text)
        if token is None:
            raise TokenUnknown
        if token.revoked:
            raise GraphError(
                f"Error validating access token: The user has not authorized application {token.app_id}.",
                code=190,
                subcode=458,
            )
        if token.expires_at <= time.time():
            raise GraphError("Error validating access token: Session has expired.", code=190, subcode=463)
        return token

    def _check_proof(self, text: str, app_id: str, *, required: bool) -> None:
        """Check appsecret_proof; our app has "Require App Secret" switched on, as igloo's real one should."""
        proof = request.values.get("appsecret_proof")
        if proof is None and required:
            raise ProofInvalid("API calls from the server require an appsecret_proof argument")
        if proof is not None and not hmac.compare_digest(proof, appsecret_proof(text, self._apps[app_id])):
            raise ProofInvalid("Invalid appsecret_proof provided in the API argument")


def carries_token() -> bool:
    """Tell whether the call carries any access token, good or bad."""
    return bool(request.values.get("access_token") or request.headers.get("Authorization"))


def _access_token() -> str:
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    text = request.values.get("access_token") or (bearer if scheme in ("Bearer", "OAuth") else "")
    if not text:
        raise TokenMissing
    return text

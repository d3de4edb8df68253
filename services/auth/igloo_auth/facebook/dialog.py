"""Facebook's login dialog: where a browser is sent, and the user token that its answer is good for.

https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow
"""

from __future__ import annotations

import hmac
import logging
from base64 import urlsafe_b64encode
from typing import Final

import requests
from oauthlib.oauth2 import OAuth2Error
from requests_oauthlib import OAuth2Session
from requests_oauthlib.compliance_fixes import facebook_compliance_fix

from igloo_auth.facebook.answers import read_answer
from igloo_auth.facebook.failures import FacebookFailed, TemporaryFailure
from igloo_auth.facebook.transport import as_temporary, bound_session
from igloo_auth.operations.grants import GrantRefused
from igloo_auth.policies.proof_keys import S256, challenge_of
from igloo_auth.settings import FacebookSettings

log = logging.getLogger(__name__)

# Separated by a comma, as the dialog's page documents it; OAuth itself separates by spaces.
SCOPE: Final = "public_profile,user_friends"
CALLBACK_PATH: Final = "/v1/auth/facebook/callback"
_TIMEOUT_SECONDS: Final = (2.0, 4.0)
_VERIFIER_PURPOSE: Final = b"igloo facebook proof key v1"
_EXCHANGE_PATH: Final = "/oauth/access_token"
# https://developers.facebook.com/docs/graph-api/guides/error-handling/
_INVALID_PARAMETER: Final = 100
# Graph answers code 1 both to a wrong app secret, for good, and to whatever went wrong on its side.
_WRONG_SECRET: Final = "validating client secret"  # noqa: S105 - a part of an error's message

# At DEBUG both write down what they send and get: codes, tokens and the app secret.
for _library in ("requests_oauthlib", "oauthlib"):
    logging.getLogger(_library).setLevel(logging.INFO)


class FacebookCodeRefused(GrantRefused):
    """Facebook did not give this code, to us, for this sign-in, just now."""


class FacebookDialog:
    """Our half of Facebook's authorization code flow, with a proof key of our own."""

    def __init__(self, settings: FacebookSettings, *, public_url: str, secret_key: str) -> None:
        self._settings = settings
        self._callback = f"{public_url}{CALLBACK_PATH}"
        self._proof_key = hmac.digest(secret_key.encode(), _VERIFIER_PURPOSE, "sha256")

    def address(self, *, state: str) -> str:
        """Return where to send a browser; Facebook sends it back to our callback with the same state."""
        with OAuth2Session(self._settings.app_id, redirect_uri=self._callback, scope=SCOPE) as dialog:
            address, _ = dialog.authorization_url(
                f"{self._settings.web_url}/{self._settings.graph_version}/dialog/oauth",
                state=state,
                code_challenge=challenge_of(self._verifier(state)),
                code_challenge_method=S256,
            )
        return str(address)

    def user_token(self, *, code: str, state: str) -> str:
        """Trade the code that came back for a user token: once, as the attempt alone may have spent the code.

        Takes up to six seconds: never call it inside a transaction. Whose token it is and whether it was made
        for our app is for `FacebookGraph.identify` to find out.

        Raises:
            FacebookCodeRefused: When the code is not good.
            FacebookUnavailable: When Facebook cannot be reached or does not answer in time.
            FacebookFailed: When its answer makes no sense, or it refuses our app.
        """
        try:
            return self._exchange(code, verifier=self._verifier(state))
        except TemporaryFailure as failure:
            cause = failure
        except requests.RequestException as error:
            cause = as_temporary(error)
        except (OAuth2Error, ValueError, TypeError, AttributeError) as error:
            # oauthlib takes the types of what it reads for granted, so that nonsense ends in any of these.
            # Their texts may quote the answer, with a token in it: none is chained.
            cause = TemporaryFailure(type(error).__name__, is_nonsense=True)
        log.warning("facebook failed", extra={"path": _EXCHANGE_PATH, "cause": str(cause)})
        raise cause.as_refusal()

    def _exchange(self, code: str, *, verifier: str) -> str:
        with OAuth2Session(self._settings.app_id, redirect_uri=self._callback) as facebook:
            bound_session(facebook, connections=1)
            facebook_compliance_fix(facebook)
            facebook.register_compliance_hook("access_token_response", _refuse)
            answer = facebook.fetch_token(
                f"{self._settings.graph_url}/{self._settings.graph_version}{_EXCHANGE_PATH}",
                code=code,
                include_client_id=True,
                client_secret=self._settings.app_secret,
                code_verifier=verifier,
                timeout=_TIMEOUT_SECONDS,
            )
        user_token = answer["access_token"]
        if not isinstance(user_token, str):
            raise TypeError("a token is a text")
        return user_token

    def _verifier(self, state: str) -> str:
        """Derive the proof key of a sign-in: neither the state nor our database is enough to know it."""
        digest = hmac.digest(self._proof_key, state.encode(), "sha256")
        return urlsafe_b64encode(digest).decode().rstrip("=")


def _refuse(response: requests.Response) -> requests.Response:
    """Understand the errors that Graph words in its own way, before oauthlib looks for OAuth's."""
    error = _graph_error(response)
    if error.get("code") == _INVALID_PARAMETER:
        raise FacebookCodeRefused("Facebook does not take this code.")
    if _WRONG_SECRET in str(error.get("message")):
        log.error("facebook refused our app's call", extra={"path": _EXCHANGE_PATH, "graph_code": 1})
        raise FacebookFailed("Facebook does not know our app by this secret.")
    if not _is_form(response):
        read_answer(response, path=_EXCHANGE_PATH)
    return response


def _is_form(response: requests.Response) -> bool:
    """Tell whether the answer may be that of an old version of Graph, which the compliance fix reads."""
    kind = response.headers.get("Content-Type", "")
    return response.status_code == requests.codes.ok and kind.startswith("text/plain")


def _graph_error(response: requests.Response) -> dict[str, object]:
    try:
        answer = response.json()
    except requests.JSONDecodeError:
        return {}
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}

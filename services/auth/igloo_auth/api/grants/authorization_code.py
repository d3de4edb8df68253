"""The grant for a code that came to an app through a browser."""

from __future__ import annotations

from igloo_auth.api.callers import caller_network
from igloo_auth.operations.authorization_codes import Redemption, redeem_authorization_code
from igloo_auth.operations.grants import Grant, GrantRefused
from igloo_auth.operations.sessions import Device
from igloo_auth.policies.redirects import chosen_redirect
from igloo_auth.schemas.token import AuthorizationCodeGrant
from igloo_auth.settings import Settings
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.web import provided


def grant_by_authorization_code(request: AuthorizationCodeGrant) -> Grant:
    """Sign in the person who came back through the browser."""
    settings = provided(Settings)
    registered = settings.oauth_clients.get(request.client_id, ())
    redemption = Redemption(
        code=request.code,
        client_id=request.client_id,
        redirect_uri=chosen_redirect(request.redirect_uri, registered=registered),
        code_verifier=request.code_verifier,
    )
    with transaction() as session:
        outcome = redeem_authorization_code(
            session,
            redemption=redemption,
            device=Device(
                name=request.device_name or None, platform=request.platform or None, network=caller_network()
            ),
            lifetimes=settings.lifetimes,
            now=utc_now(),
        )
    # A reuse is refused only here, with the end of its session committed.
    if isinstance(outcome, GrantRefused):
        raise outcome
    return outcome

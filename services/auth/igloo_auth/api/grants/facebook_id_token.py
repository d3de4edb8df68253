"""The grant for an id token of Limited Login."""

from __future__ import annotations

from igloo_auth.api.callers import caller_network
from igloo_auth.api.limits import charge_sign_in
from igloo_auth.facebook.limited_login import LimitedLogin
from igloo_auth.operations.accounts import find_or_create_account
from igloo_auth.operations.friend_lookups import announce_friends
from igloo_auth.operations.grants import Grant
from igloo_auth.operations.nonces import spend_nonce
from igloo_auth.operations.sessions import Device
from igloo_auth.operations.sign_ins import sign_in
from igloo_auth.schemas.token import FACEBOOK_ID_TOKEN, IdTokenGrant
from igloo_auth.settings import Settings
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.web import provided


def grant_by_id_token(request: IdTokenGrant) -> Grant:
    """Sign a person in; the same transaction uses the nonce up, so that a refusal leaves it as it was."""
    found = provided(LimitedLogin).verify(request.facebook_id_token, now=utc_now())
    charge_sign_in(found.person.facebook_user_id)
    device = Device(
        name=request.device_name or None, platform=request.platform or None, network=caller_network()
    )
    settings, now = provided(Settings), utc_now()
    with transaction() as session:
        spend_nonce(session, nonce=found.nonce, secret_key=settings.common.secret_key, now=now)
        account_id = find_or_create_account(session, person=found.person, now=now)
        grant = sign_in(
            session,
            account_id=account_id,
            device=device,
            grant_type=FACEBOOK_ID_TOKEN,
            lifetimes=settings.lifetimes,
            now=now,
        )
        if found.friends is not None:
            announce_friends(session, account_id=account_id, facebook_user_ids=found.friends, now=now)
        return grant

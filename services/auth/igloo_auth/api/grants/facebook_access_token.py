"""The grant for a user token of the classic Facebook SDK."""

from __future__ import annotations

from igloo_auth.api.callers import caller_network
from igloo_auth.api.friend_lookups import look_up_friends
from igloo_auth.api.limits import charge_sign_in
from igloo_auth.facebook.graph import FacebookGraph
from igloo_auth.facebook.seats import FacebookSeats
from igloo_auth.operations.accounts import find_or_create_account
from igloo_auth.operations.grants import Grant
from igloo_auth.operations.sessions import Device
from igloo_auth.operations.sign_ins import sign_in
from igloo_auth.schemas.token import FACEBOOK_ACCESS_TOKEN, FacebookTokenGrant
from igloo_auth.settings import Settings
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.web import provided


def grant_by_facebook_token(request: FacebookTokenGrant) -> Grant:
    """Sign a person in; Facebook is asked first, the transaction opened after."""
    user_token = request.facebook_access_token
    with provided(FacebookSeats).taken():
        holder = provided(FacebookGraph).identify(user_token)
    charge_sign_in(holder.facebook_user_id)
    device = Device(
        name=request.device_name or None, platform=request.platform or None, network=caller_network()
    )
    now = utc_now()
    with transaction() as session:
        account_id = find_or_create_account(session, person=holder, now=now)
        grant = sign_in(
            session,
            account_id=account_id,
            device=device,
            grant_type=FACEBOOK_ACCESS_TOKEN,
            lifetimes=provided(Settings).lifetimes,
            now=now,
        )
        look_up_friends(session, account_id=account_id, holder=holder, user_token=user_token, now=now)
        return grant

"""The routes of the auth service, a noun a file."""

from igloo_auth.api import (
    account_exports,
    accounts,
    data_deletions,
    facebook_callbacks,
    nonces,
    revocation,
    security_events,
    sessions,
    token,
    web_sign_ins,
    well_known,
)

BLUEPRINTS = (
    well_known.blp,
    nonces.blp,
    token.blp,
    revocation.blp,
    web_sign_ins.blp,
    sessions.blp,
    accounts.blp,
    security_events.blp,
    account_exports.blp,
    facebook_callbacks.blp,
    data_deletions.blp,
)

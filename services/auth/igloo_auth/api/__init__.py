"""The routes of the auth service, a noun a file."""

from igloo_auth.api import accounts, nonces, revocation, sessions, token, web_sign_ins, well_known

BLUEPRINTS = (
    well_known.blp,
    nonces.blp,
    token.blp,
    revocation.blp,
    web_sign_ins.blp,
    sessions.blp,
    accounts.blp,
)

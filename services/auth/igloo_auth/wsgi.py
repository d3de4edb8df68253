"""The web process: `gunicorn --config python:igloo_common.gunicorn_config igloo_auth.wsgi:app`."""

from igloo_auth.app import create_app
from igloo_auth.tokens.signing_keys import SigningKeys
from igloo_common.settings import load_or_exit
from igloo_common.web import provided

app = create_app()
with app.app_context():
    # A process that cannot sign would answer every sign-in with an error: it does not start.
    load_or_exit(provided(SigningKeys).load)

"""The web process: `gunicorn --config python:igloo_common.gunicorn_config igloo_social.wsgi:app`."""

from igloo_social.app import create_app

app = create_app()

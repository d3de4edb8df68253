"""The web process: `gunicorn --config python:igloo_common.gunicorn_config igloo_media.wsgi:app`."""

from igloo_media.app import create_app

app = create_app()

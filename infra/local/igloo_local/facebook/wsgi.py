"""The entry of the stand-in's web process."""

from igloo_local.facebook.app import create_app

app = create_app()

"""The lane that erases, and somebody whom no deletion concerns."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.facebook_server import FacebookServer
from auth.phones import Phone
from igloo_auth.jobs.erasure import ErasureLane
from igloo_common.object_store import ObjectStore
from igloo_common.web import provided

Erase = Callable[[], bool]


@pytest.fixture
def erase(app: Flask) -> Erase:
    """Return a step of the worker's lane."""

    def step() -> bool:
        with app.app_context():
            return ErasureLane(provided(ObjectStore)).step()

    return step


@pytest.fixture
def noise(client: FlaskClient, facebook: FacebookServer) -> Phone:
    """Sign in somebody whom none of it concerns."""
    return Phone.signed_in(client, facebook.token(facebook.person("Puffin")), device_name="Puffin's phone")

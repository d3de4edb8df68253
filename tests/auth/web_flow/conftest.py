"""A browser in which somebody signs in."""

from __future__ import annotations

import pytest
from flask import Flask

from auth.browsers import Browser


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Open a browser."""
    return Browser(client=app.test_client())

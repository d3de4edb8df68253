"""Somebody whose exports are looked at, and somebody else."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from auth.export_room import ExportRoom
from auth.facebook_server import FacebookServer
from auth.phones import Phone
from igloo_common.object_store import ObjectStore


@pytest.fixture
def environ(environ: dict[str, str], s3_environ: dict[str, str]) -> dict[str, str]:
    """Give the service a real S3."""
    return {**environ, **s3_environ}


@pytest.fixture
def room(app: Flask, store: ObjectStore, session: Session) -> ExportRoom:
    """Give a room for exports."""
    return ExportRoom(app=app, store=store, session=session)


@pytest.fixture
def noise(client: FlaskClient, facebook: FacebookServer, room: ExportRoom) -> Phone:
    """Sign in somebody else, who has an export under way as well."""
    phone = Phone.signed_in(client, facebook.token(facebook.person("Puffin")), device_name="Puffin's phone")
    room.put_parts(room.ask(phone))
    return phone

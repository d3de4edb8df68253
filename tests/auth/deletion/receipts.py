"""What tests ask for and look at of a deletion."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from auth.outboxes import published
from auth.phones import Phone


def deleted(phone: Phone) -> dict[str, Any]:
    """Delete a phone's account and return the receipt."""
    answer = phone.delete("/v1/account")
    assert answer.status_code == 202, answer.text
    return answer.json or {}


def deletion_event(session: Session) -> dict[str, Any]:
    [event] = published(session, "auth.account.deleted.v1")
    return event.data


def status(client: FlaskClient, receipt: dict[str, Any]) -> dict[str, Any]:
    """Read the receipt from where it says that it stays."""
    answer = client.get(str(receipt["status_url"]).removeprefix("http://igloo.test"))
    assert answer.status_code == 200, answer.text
    return answer.json or {}

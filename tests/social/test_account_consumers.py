from datetime import timedelta
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from igloo_common.clock import utc_now
from igloo_common.consumers import Delivery
from igloo_common.denylist import Denylist
from igloo_common.ids import new_id
from igloo_social.consumers import consumers
from igloo_social.db import db


def deliver(session: Session, event_type: str, key: str, **fields: object) -> None:
    subscription = consumers.subscriptions[event_type]
    delivery = Delivery(
        id=new_id(), type=event_type, key=key, sequence=1, time=utc_now(), data=subscription.view(**fields)
    )
    subscription.handler(session, delivery, utc_now())
    session.commit()


def test_a_created_account_becomes_a_person(client: FlaskClient, session: Session) -> None:
    account_id: UUID = new_id()

    deliver(
        session,
        "auth.account.created.v1",
        f"account:{account_id}",
        account_id=account_id,
        display_name="Snow Hare",
        picture_url=None,
    )

    assert client.get(f"/v1/users/{account_id}").get_json()["display_name"] == "Snow Hare"


def test_a_revoked_session_is_denied(app: Flask, session: Session) -> None:
    session_id = new_id()

    deliver(
        session,
        "auth.session.revoked.v1",
        f"session:{session_id}",
        session_id=session_id,
        denied_until=utc_now() + timedelta(minutes=10),
    )

    with app.app_context():
        denylist = Denylist(db.engine)
    assert denylist.denies(session_id)
    assert not denylist.denies(new_id())

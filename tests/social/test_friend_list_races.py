"""Lists of Facebook friends that arrive side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from factories.social_people import LONG_AGO, make_people
from factories.social_posts import deliver
from igloo_common.database import transaction

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.orm import Session


def test_lists_of_many_friends_at_once_end_as_the_last_of_each_says(app: Flask, session: Session) -> None:
    people = make_people(session, 6)
    session.commit()

    def tell(number: int) -> None:
        with app.app_context():
            for day in range(12):
                friends = [person for person in people if person != people[number]] if day == 11 else []
                with transaction() as telling:
                    deliver(
                        telling,
                        "auth.friends.found.v1",
                        account_id=people[number],
                        friend_ids=friends,
                        found_at=LONG_AGO + timedelta(days=day),
                    )

    with ThreadPoolExecutor(len(people)) as pool:
        for future in [pool.submit(tell, number) for number in range(len(people))]:
            future.result(timeout=60)

    assert session.scalar(text("SELECT count(*) FROM facebook_friends")) == 6 * 5

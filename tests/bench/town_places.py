"""Somebody in a town who asks for the largest things in it: where hot statements are looked at."""

from uuid import UUID

import psycopg

from bench.growth_readers import follow_popular, give_changes, give_history
from bench.towns import CELEBRITY, REVISED, Town, given_name, person_id, post_id
from factories.hot_statements import Place

_VIEWER = UUID("01960000-0000-7000-8000-000000000001")
_FAN = UUID("01960000-0000-7000-8000-000000000002")
_JOIN = """
INSERT INTO profiles (user_id, username, display_name, created_at, updated_at)
VALUES (%(id)s, %(name)s, %(name)s, now(), now()) ON CONFLICT DO NOTHING
"""


def place_in(connection: psycopg.Connection, town: Town) -> Place:
    """Have a viewer and a fan live in a town that is built, unless they do, and tell what they ask for."""
    for user_id, name in ((_VIEWER, "the_viewer"), (_FAN, "the_fan")):
        if connection.execute(_JOIN, {"id": user_id, "name": name}).rowcount:
            give_history(connection, user_id, town)
            give_changes(connection, user_id, town)
            if user_id == _FAN:
                follow_popular(connection, user_id)
    connection.execute("VACUUM ANALYZE")
    return Place(
        viewer_id=_VIEWER,
        fan_id=_FAN,
        celebrity_id=UUID(person_id(CELEBRITY)),
        people=[UUID(person_id(n * 13 % town.people + 1)) for n in range(1, 101)],
        post_id=UUID(post_id(town.posts // 2)),
        edited_post_id=UUID(post_id(REVISED)),
        popular_post_id=UUID(post_id(town.popular_post)),
        tag="snow",
        typed=given_name(town.people // 2)[:4],
        misspelt=f"{given_name(town.people // 2)[:3]}x{given_name(town.people // 2)[4:]}",
        published_after=town.posted_at(town.posts * 9 // 10),
    )

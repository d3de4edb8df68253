"""Rows that nobody is shown as they are, and that have to agree with each other all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString

from chaos.model.facts import Violation
from chaos.model.ground import Ground, broken

_SHOWN: Final = 20
# What each person is to be told: follows, and likes and comments of posts that stand. A follow has no object,
# and of two NULL values nothing says that they are the same.
_FACTS: Final[LiteralString] = """
    SELECT to_user AS recipient, 'follow' AS kind, from_user AS actor, '-' AS object
    FROM social.relations WHERE relation_type = 'f'
    UNION ALL
    SELECT p.author_id, 'like', l.user_id, p.id::text FROM social.likes AS l
    JOIN social.posts AS p ON p.id = l.post_id AND p.deleted_at IS NULL AND p.author_id <> l.user_id
    UNION ALL
    SELECT p.author_id, 'comment', c.author_id, c.id::text FROM social.comments AS c
    JOIN social.posts AS p ON p.id = c.post_id AND p.deleted_at IS NULL AND p.author_id <> c.author_id
    WHERE c.deleted_at IS NULL AND c.hidden_by IS NULL
"""
_NEWS: Final[LiteralString] = """
    SELECT recipient_id AS recipient, kind, actor_id AS actor, coalesce(object_id::text, '-') AS object
    FROM social.notifications WHERE kind IN ('follow', 'like', 'comment')
"""
_NAMED: Final[LiteralString] = "'the ' || kind || ' of ' || actor || ' (' || object || ')'"

_QUERIES: Final[Sequence[tuple[str, LiteralString]]] = (
    (
        "whom it concerns is told",
        f"""
        SELECT recipient || ' was never told of ' || {_NAMED} AS sentence
        FROM (({_FACTS}) EXCEPT ({_NEWS})) AS untold
        """,  # noqa: S608 - words of our own
    ),
    (
        "nothing is told that is no more",
        f"""
        SELECT recipient || ' was told of ' || {_NAMED} || ', which is no more' AS sentence
        FROM (({_NEWS}) EXCEPT ({_FACTS})) AS ended
        """,  # noqa: S608 - words of our own
    ),
    (
        "a feed shows nothing else, and nothing twice",
        """
        SELECT 'post ' || t.post_id || ' of ' || t.author_id || ' is kept for ' || t.owner_id
            || ', who does not follow' AS sentence
        FROM social.timeline AS t JOIN social.posts AS p ON p.id = t.post_id AND p.deleted_at IS NULL
        WHERE t.owner_id <> t.author_id AND NOT EXISTS (
            SELECT FROM social.relations AS r WHERE r.relation_type = 'f'
            AND r.from_user = t.owner_id AND r.to_user = t.author_id
        )
        UNION ALL
        SELECT 'post ' || post_id || ' is kept ' || count(*) || ' times for ' || owner_id
        FROM social.timeline GROUP BY owner_id, post_id HAVING count(*) > 1
        """,
    ),
    (
        "a block parts people",
        """
        SELECT f.from_user || ' follows ' || f.to_user || ', and a block stands between them' AS sentence
        FROM social.relations AS b JOIN social.relations AS f ON f.relation_type IN ('f', 'r')
            AND (f.from_user, f.to_user) IN ((b.from_user, b.to_user), (b.to_user, b.from_user))
        WHERE b.relation_type = 'b'
        """,
    ),
    (
        "refresh families are intact",
        """
        SELECT 'session ' || session_id || ' has ' || count(*) FILTER (WHERE rotated_at IS NULL)
            || ' tokens that were not exchanged, instead of one' AS sentence
        FROM auth.refresh_tokens GROUP BY session_id HAVING count(*) FILTER (WHERE rotated_at IS NULL) <> 1
        """,
    ),
    (
        "every change is announced",
        """
        SELECT 'the end of post ' || id || ' was never announced' AS sentence FROM social.posts AS p
        WHERE deleted_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM social.outbox AS o
            WHERE o.type = 'social.post.deleted.v1' AND o.aggregate_key = 'post:' || p.id
        )
        UNION ALL
        SELECT 'photo ' || id || ' is ' || state || ', which was never announced' FROM media.media_items AS i
        WHERE state IN ('ready', 'failed') AND NOT EXISTS (
            SELECT FROM media.outbox AS o
            WHERE o.type = 'media.item.' || i.state || '.v1' AND o.aggregate_key = 'media:' || i.id
        )
        UNION ALL
        SELECT 'the end of session ' || id || ' was never announced' FROM auth.sessions AS s
        WHERE revoked_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM auth.outbox AS o
            WHERE o.type = 'auth.session.revoked.v1' AND o.aggregate_key = 'session:' || s.id
        )
        UNION ALL
        SELECT 'account ' || id || ' was never announced' FROM auth.accounts AS a WHERE NOT EXISTS (
            SELECT FROM auth.outbox AS o
            WHERE o.type = 'auth.account.created.v1' AND o.aggregate_key = 'account:' || a.id
        )
        """,
    ),
    (
        "events of a key are numbered without gaps",
        """
        SELECT aggregate_key || ' of ' || service || ' ends with event ' || coalesce(highest, 0) || ', and '
            || sequence || ' were numbered' AS sentence
        FROM (
            SELECT 'auth' AS service, * FROM auth.event_sequences
            UNION ALL SELECT 'social', * FROM social.event_sequences
            UNION ALL SELECT 'media', * FROM media.event_sequences
        ) AS numbered LEFT JOIN (
            SELECT 'auth' AS service, aggregate_key, max(sequence) AS highest FROM auth.outbox GROUP BY 2
            UNION ALL SELECT 'social', aggregate_key, max(sequence) FROM social.outbox GROUP BY 2
            UNION ALL SELECT 'media', aggregate_key, max(sequence) FROM media.outbox GROUP BY 2
        ) AS said USING (service, aggregate_key)
        WHERE highest IS DISTINCT FROM sequence
        """,
    ),
    (
        "a count is the length of its list",
        """
        SELECT 'people in news ' || g.id || ' of ' || g.recipient_id || ': ' || g.actor_count || ' stored, '
            || count(DISTINCT n.actor_id) || ' counted' AS sentence
        FROM social.notification_groups AS g JOIN social.notifications AS n ON n.group_id = g.id
        WHERE n.actor_id IS NOT NULL GROUP BY g.id HAVING g.actor_count <> count(DISTINCT n.actor_id)
        UNION ALL
        SELECT 'bytes of ' || owner_id || ': ' || stored_bytes || ' stored, ' || counted || ' counted'
        FROM media.owner_usage JOIN LATERAL (
            SELECT coalesce(sum(r.size_bytes), 0) AS counted FROM media.media_items AS i
            JOIN media.renditions AS r ON r.media_id = i.id
            WHERE i.owner_id = owner_usage.owner_id AND i.state = 'ready'
        ) AS listed ON true
        WHERE stored_bytes <> counted
        """,
    ),
)


def rows_differ(ground: Ground) -> Sequence[Violation]:
    """Ask the database for what does not agree; each answer is a sentence."""
    return [
        violation
        for promise, query in _QUERIES
        for violation in broken(promise, [row["sentence"] for row in ground.rows(query)][:_SHOWN])
    ]

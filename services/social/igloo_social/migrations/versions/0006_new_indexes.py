"""Indexes of the new columns, built beside the work of the day, and checks validated likewise."""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_LISTED = "state = 'published' AND visibility <> 'private' AND deleted_at IS NULL"
_PUBLIC = "state = 'published' AND visibility = 'public' AND deleted_at IS NULL"
_INDEXES = (
    (
        "ix_account_tasks_leaving",
        "account_tasks (account_id) WHERE kind IN ('erasure', 'suspension') AND due_at IS NOT NULL",
    ),
    ("ix_notifications_group_id_paged", "notifications (group_id, created_at, id) WHERE is_newest"),
    ("ix_notifications_group_id_actor_id_paged", "notifications (group_id, actor_id, created_at, id)"),
    ("ix_notifications_object_id_worded", "notifications (object_id) WHERE kind IN ('comment', 'mention')"),
    ("ix_notifications_ungrouped", "notifications (id) WHERE group_id IS NULL"),
    ("ix_notifications_post_id", "notifications (post_id)"),
    ("ix_posts_author_id_published", f"posts (author_id, published_at, id) WHERE {_LISTED}"),
    ("ix_posts_explore", f"posts (rank_at, id) WHERE {_PUBLIC}"),
    ("ix_profiles_merged_at_read", "profiles (user_id) WHERE merged_at_read"),
    ("ix_relations_expires_at", "relations (expires_at) WHERE expires_at IS NOT NULL"),
    ("ix_relations_requests", "relations (to_user) WHERE relation_type = 'r'"),
    ("ix_relations_merged", "relations (from_user, to_user) WHERE is_merged"),
    (
        "ix_relations_fanned_out",
        "relations (to_user, created_at, from_user) WHERE relation_type = 'f' AND NOT is_merged",
    ),
)
# People from before are found as those who come now. A batch locks its people, so that nobody's name changes
# between what is read and what is written.
_MAKE_FINDABLE = """
WITH person AS (
    SELECT user_id, username, display_name FROM profiles
    WHERE user_id > :after AND deleted_at IS NULL AND suspended_at IS NULL
    ORDER BY user_id LIMIT 1000 FOR NO KEY UPDATE
), written AS (
    INSERT INTO search_names (user_id, place, name)
    SELECT person.user_id, found.place, found.name
    FROM person, search_names_of(person.username, person.display_name) AS found
    ON CONFLICT DO NOTHING
)
SELECT user_id FROM person ORDER BY user_id DESC LIMIT 1
"""
_UNVALIDATED = (
    ("notifications", "fk_notifications_group_id_notification_groups"),
    ("account_tasks", "ck_account_tasks_kind_known"),
    ("posts", "ck_posts_state_known"),
    ("posts", "ck_posts_published_when"),
    ("profiles", "ck_profiles_public_post_count_not_negative"),
    ("profiles", "ck_profiles_followers_post_count_not_negative"),
    ("relations", "ck_relations_only_mutes_expire"),
    ("relations", "ck_relations_only_follows_are_merged"),
)


def upgrade() -> None:
    # Outside of a transaction; nothing here minds being run again after a build that failed.
    with op.get_context().autocommit_block():
        for name, what in _INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            # squawk takes everything to be in a transaction.
            op.execute(
                sa.text(
                    "-- squawk-ignore ban-concurrent-index-creation-in-transaction\n"
                    f"CREATE INDEX CONCURRENTLY {name} ON {what}"
                )
            )
        for name in ("ix_account_tasks_being_erased", "ix_notifications_object_id"):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        for table, name in _UNVALIDATED:
            # squawk takes everything to be in a transaction.
            validate = f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"
            op.execute(sa.text(f"-- squawk-ignore constraint-missing-not-valid\n{validate}"))
        _make_people_findable()


def _make_people_findable() -> None:
    if op.get_context().as_sql:
        return  # Written as SQL, to be read by linters: there is no database to go through batch by batch.
    last: object = UUID(int=0)
    while last is not None:
        last = op.get_bind().scalar(sa.text(_MAKE_FINDABLE), {"after": last})


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name, _what in _INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_account_tasks_being_erased")
        op.execute(
            sa.text(
                "-- squawk-ignore ban-concurrent-index-creation-in-transaction\n"
                "CREATE INDEX CONCURRENTLY ix_account_tasks_being_erased ON account_tasks (account_id)"
                " WHERE kind = 'erasure' AND due_at IS NOT NULL"
            )
        )
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_notifications_object_id")
        op.execute(
            sa.text(
                "-- squawk-ignore ban-concurrent-index-creation-in-transaction\n"
                "CREATE INDEX CONCURRENTLY ix_notifications_object_id ON notifications (object_id)"
            )
        )

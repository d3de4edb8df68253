"""The indexes of what each person has open and of whose turn it is, built beside the work of the day, and checks validated likewise."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Outside of a transaction; nothing here minds being run again after a build that failed.
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_media_items_open")
        # squawk takes everything to be in a transaction.
        op.execute(
            sa.text(
                "-- squawk-ignore ban-concurrent-index-creation-in-transaction\n"
                "CREATE INDEX CONCURRENTLY ix_media_items_open ON media_items (owner_id)"
                " WHERE state IN ('pending', 'uploaded', 'processing')"
            )
        )
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_media_items_turn")
        op.execute(
            sa.text(
                "-- squawk-ignore ban-concurrent-index-creation-in-transaction\n"
                "CREATE INDEX CONCURRENTLY ix_media_items_turn ON media_items (turn_at NULLS FIRST, id)"
                " WHERE state IN ('uploaded', 'processing')"
            )
        )
        op.execute(
            sa.text(
                "-- squawk-ignore constraint-missing-not-valid\n"
                "ALTER TABLE media_items VALIDATE CONSTRAINT ck_media_items_focal_point_whole"
            )
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_media_items_turn")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_media_items_open")

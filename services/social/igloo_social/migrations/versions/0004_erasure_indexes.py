"""What erasing a person looks up: posts deleted before, and media by owner and by post."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_posts_author_id_deleted", "posts (author_id) WHERE deleted_at IS NOT NULL"),
    ("ix_media_items_owner_id", "media_items (owner_id)"),
    ("ix_media_items_post_id", "media_items (post_id) WHERE post_id IS NOT NULL"),
)


def upgrade() -> None:
    # Posts and media are written to all day: the indexes are built beside that, and so outside of a transaction.
    # Nothing else is in this migration, so that it can be run again after a build that failed.
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


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name, _what in _INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")

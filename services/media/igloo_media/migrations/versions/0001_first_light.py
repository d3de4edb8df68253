"""Media items, renditions and object removals; the common tables at version 1."""

import sqlalchemy as sa
from alembic import op
from igloo_common.migrations import create_common_tables, drop_common_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that waits for a lock makes every later query wait behind it: rather fail and try again.
    op.execute("SET lock_timeout = '5s'")
    create_common_tables(op)
    op.create_table(
        "media_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("alt_text", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_detail", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("blurhash", sa.Text(), nullable=True),
        sa.Column("dominant_color", sa.Text(), nullable=True),
        sa.Column("post_id", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_media_items"),
        sa.CheckConstraint(
            "state IN ('pending', 'uploaded', 'processing', 'ready', 'failed', 'expired', 'deleted')",
            name="ck_media_items_state_known",
        ),
        sa.CheckConstraint(
            "state NOT IN ('pending', 'uploaded', 'processing') OR due_at IS NOT NULL",
            name="ck_media_items_unfinished_is_due",
        ),
        sa.CheckConstraint(
            "state <> 'processing' OR claim_id IS NOT NULL", name="ck_media_items_processing_is_claimed"
        ),
        sa.CheckConstraint(
            "state <> 'failed' OR failure_code IS NOT NULL", name="ck_media_items_failed_says_why"
        ),
        sa.CheckConstraint(
            "state <> 'ready' OR (width IS NOT NULL AND height IS NOT NULL AND blurhash IS NOT NULL"
            " AND dominant_color IS NOT NULL)",
            name="ck_media_items_ready_is_whole",
        ),
    )
    op.create_index(
        "uq_media_items_client",
        "media_items",
        ["owner_id", "client_id"],
        unique=True,
        postgresql_where=sa.text("client_id IS NOT NULL AND state NOT IN ('expired', 'deleted')"),
    )
    op.create_index("ix_media_items_owner", "media_items", ["owner_id", "created_at", "id"])
    op.create_index(
        "ix_media_items_due", "media_items", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.create_index(
        "ix_media_items_finished",
        "media_items",
        ["finished_at"],
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_index(
        "ix_media_items_unattached",
        "media_items",
        ["finished_at"],
        postgresql_where=sa.text("state IN ('ready', 'failed') AND post_id IS NULL"),
    )
    op.create_index(
        "ix_media_items_closed",
        "media_items",
        ["closed_at"],
        postgresql_where=sa.text("closed_at IS NOT NULL"),
    )
    op.create_table(
        "renditions",
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("media_id", "name", name="pk_renditions"),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media_items.id"], name="fk_renditions_media_id_media_items", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "object_removals",
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("object_key", "due_at", name="pk_object_removals"),
    )
    op.create_index("ix_object_removals_due", "object_removals", ["due_at"])


def downgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    for table in ("object_removals", "renditions", "media_items"):
        op.drop_table(table)
    drop_common_tables(op)

"""Focal points, receipts, versions of renditions, uploads in parts, quotas, takedowns and purges."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("abandoned_parts", "cache_purges", "owner_usage", "takedowns", "thumb_tasks")
ITEM_COLUMNS = (
    "content_sha256",
    "multipart_id",
    "focal_x",
    "focal_y",
    "frames",
    "receipt",
    "thumb_version",
    "turn_at",
    "withheld_at",
)


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _extend_tables()
    op.create_table(
        "abandoned_parts",
        sa.Column("multipart_id", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("multipart_id", name="pk_abandoned_parts"),
    )
    op.create_index("ix_abandoned_parts_due", "abandoned_parts", ["due_at"])
    op.create_table(
        "cache_purges",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_last", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("path", "due_at", name="pk_cache_purges"),
    )
    op.create_index("ix_cache_purges_due", "cache_purges", ["due_at"])
    op.create_table(
        "owner_usage",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("photos", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", name="pk_owner_usage"),
    )
    op.create_table(
        "takedowns",
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("post_id", "sha256", name="pk_takedowns"),
    )
    op.create_index("ix_takedowns_sha256", "takedowns", ["sha256"])
    op.create_table(
        "thumb_tasks",
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media_items.id"], name="fk_thumb_tasks_media_id_media_items", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("media_id", name="pk_thumb_tasks"),
    )
    op.create_index("ix_thumb_tasks_due_at", "thumb_tasks", ["due_at"])


def _extend_tables() -> None:
    op.add_column("media_items", sa.Column("content_sha256", sa.LargeBinary(), nullable=True))
    op.add_column("media_items", sa.Column("multipart_id", sa.Text(), nullable=True))
    op.add_column("media_items", sa.Column("focal_x", sa.Float(), nullable=True))
    op.add_column("media_items", sa.Column("focal_y", sa.Float(), nullable=True))
    op.add_column("media_items", sa.Column("frames", sa.Integer(), nullable=True))
    op.add_column("media_items", sa.Column("receipt", postgresql.JSONB(none_as_null=True), nullable=True))
    op.add_column(
        "media_items", sa.Column("thumb_version", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    op.add_column("media_items", sa.Column("turn_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("media_items", sa.Column("withheld_at", sa.DateTime(timezone=True), nullable=True))
    # Validated by the next migration, which lets others read and write meanwhile.
    op.create_check_constraint(
        op.f("ck_media_items_focal_point_whole"),
        "media_items",
        "(focal_x IS NULL) = (focal_y IS NULL)",
        postgresql_not_valid=True,
    )
    op.add_column(
        "renditions", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    op.add_column(
        "renditions", sa.Column("is_animated", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )


def downgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    for table in TABLES:
        op.drop_table(table)
    op.drop_column("renditions", "is_animated")
    op.drop_column("renditions", "version")
    op.drop_constraint(op.f("ck_media_items_focal_point_whole"), "media_items")
    for column in ITEM_COLUMNS:
        op.drop_column("media_items", column)

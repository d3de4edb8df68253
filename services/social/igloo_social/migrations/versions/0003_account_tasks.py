"""Tasks about accounts, Facebook friends, and the common tables at version 2."""

import sqlalchemy as sa
from alembic import op
from igloo_common.migrations import create_rate_limits, drop_rate_limits
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    create_rate_limits(op)
    op.create_table(
        "account_tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("parts_prefix", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint(
            "(kind = 'export') = (parts_prefix IS NOT NULL)", name=op.f("ck_account_tasks_export_has_place")
        ),
        sa.CheckConstraint("kind IN ('erasure', 'export')", name=op.f("ck_account_tasks_kind_known")),
        sa.CheckConstraint(
            "(due_at IS NULL) = (finished_at IS NOT NULL)", name=op.f("ck_account_tasks_unfinished_is_due")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_account_tasks"),
    )
    op.create_index(
        "ix_account_tasks_due_at", "account_tasks", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.create_index(
        "ix_account_tasks_being_erased",
        "account_tasks",
        ["account_id"],
        postgresql_where=sa.text("kind = 'erasure' AND due_at IS NOT NULL"),
    )
    op.create_table(
        "facebook_friends",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("friend_id", sa.Uuid(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "friend_id", name="pk_facebook_friends"),
    )
    op.create_index("ix_facebook_friends_friend_id", "facebook_friends", ["friend_id"])
    op.create_index(
        "ix_facebook_friends_user_id_paged", "facebook_friends", ["user_id", "found_at", "friend_id"]
    )
    op.add_column("profiles", sa.Column("friends_found_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.drop_column("profiles", "friends_found_at")
    for table in ("facebook_friends", "account_tasks"):
        op.drop_table(table)
    drop_rate_limits(op)

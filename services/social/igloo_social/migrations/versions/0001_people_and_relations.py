"""The common tables, people, and the relations between them."""

import sqlalchemy as sa
from alembic import op
from igloo_common.migrations import create_common_tables, drop_common_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_common_tables(op)
    op.create_table(
        "profiles",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("bio", sa.Text(), server_default="", nullable=False),
        sa.Column("avatar_url", sa.Text(), nullable=True),
        sa.Column("is_private", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("follower_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("following_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("post_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("account_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("username ~ '^[a-z0-9_.]{3,30}$'", name=op.f("ck_profiles_username_well_formed")),
        sa.CheckConstraint("follower_count >= 0", name=op.f("ck_profiles_follower_count_not_negative")),
        sa.CheckConstraint("following_count >= 0", name=op.f("ck_profiles_following_count_not_negative")),
        sa.CheckConstraint("post_count >= 0", name=op.f("ck_profiles_post_count_not_negative")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_profiles")),
        sa.UniqueConstraint("username", name=op.f("uq_profiles_username")),
    )
    op.create_table(
        "relations",
        sa.Column("from_user", sa.Uuid(), nullable=False),
        sa.Column("to_user", sa.Uuid(), nullable=False),
        sa.Column("relation_type", sa.String(length=1), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "relation_type IN ('f', 'r', 'b', 'm')", name=op.f("ck_relations_relation_type_known")
        ),
        sa.CheckConstraint("from_user <> to_user", name=op.f("ck_relations_not_with_oneself")),
        sa.ForeignKeyConstraint(
            ["from_user"], ["profiles.user_id"], name=op.f("fk_relations_from_user_profiles")
        ),
        sa.ForeignKeyConstraint(["to_user"], ["profiles.user_id"], name=op.f("fk_relations_to_user_profiles")),
        sa.PrimaryKeyConstraint("from_user", "to_user", "relation_type", name=op.f("pk_relations")),
    )
    op.create_index(
        "ix_relations_from_user_paged",
        "relations",
        ["from_user", "relation_type", "created_at", "to_user"],
    )
    op.create_index(
        "ix_relations_to_user_paged",
        "relations",
        ["to_user", "relation_type", "created_at", "from_user"],
    )


def downgrade() -> None:
    op.drop_table("relations")
    op.drop_table("profiles")
    drop_common_tables(op)

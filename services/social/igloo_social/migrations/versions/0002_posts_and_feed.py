"""Posts and their images, the materialised feeds, likes and notifications."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Foreign keys to profiles lock that table for a moment: better to give up than to make its users queue.
    op.execute("SET LOCAL lock_timeout = '3s'")
    _create_posts()
    _create_media_items()
    op.create_table(
        "timeline",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "published_at", "post_id", name=op.f("pk_timeline")),
    )
    _create_likes()
    _create_notifications()


def _create_posts() -> None:
    op.create_table(
        "posts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("caption", sa.Text(), server_default="", nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_detail", sa.Text(), nullable=True),
        sa.Column("images", sa.JSON(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("like_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("comment_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("char_length(caption) <= 2200", name=op.f("ck_posts_caption_length")),
        sa.CheckConstraint(
            "visibility IN ('public', 'followers', 'private')", name=op.f("ck_posts_visibility_known")
        ),
        sa.CheckConstraint(
            "state IN ('processing', 'published', 'failed')", name=op.f("ck_posts_state_known")
        ),
        sa.CheckConstraint(
            "(state = 'published') = (published_at IS NOT NULL)", name=op.f("ck_posts_published_when")
        ),
        sa.CheckConstraint(
            "(state = 'failed') = (failure_code IS NOT NULL)", name=op.f("ck_posts_failed_why")
        ),
        sa.CheckConstraint("like_count >= 0", name=op.f("ck_posts_like_count_not_negative")),
        sa.CheckConstraint("comment_count >= 0", name=op.f("ck_posts_comment_count_not_negative")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["profiles.user_id"], name=op.f("fk_posts_author_id_profiles")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
    )
    op.create_index(
        "ix_posts_author_id_paged",
        "posts",
        ["author_id", "created_at", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_posts_processing",
        "posts",
        ["created_at"],
        postgresql_where=sa.text("state = 'processing' AND deleted_at IS NULL"),
    )
    op.create_table(
        "post_images",
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("position >= 0 AND position < 10", name=op.f("ck_post_images_position_range")),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_post_images_post_id_posts")),
        sa.PrimaryKeyConstraint("post_id", "position", name=op.f("pk_post_images")),
        sa.UniqueConstraint("post_id", "media_id", name=op.f("uq_post_images_post_id_media_id")),
    )
    op.create_index(op.f("ix_post_images_media_id"), "post_images", ["media_id"])


def _create_media_items() -> None:
    op.create_table(
        "media_items",
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_detail", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("blurhash", sa.Text(), nullable=True),
        sa.Column("dominant_color", sa.Text(), nullable=True),
        sa.Column("alt_text", sa.Text(), nullable=True),
        sa.Column("renditions", JSONB(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('ready', 'failed')", name=op.f("ck_media_items_state_known")),
        sa.CheckConstraint(
            "state <> 'ready' OR (width IS NOT NULL AND height IS NOT NULL AND renditions IS NOT NULL)",
            name=op.f("ck_media_items_ready_is_whole"),
        ),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_media_items_post_id_posts")),
        sa.PrimaryKeyConstraint("media_id", name=op.f("pk_media_items")),
    )


def _create_likes() -> None:
    op.create_table(
        "likes",
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_likes_post_id_posts")),
        sa.ForeignKeyConstraint(["user_id"], ["profiles.user_id"], name=op.f("fk_likes_user_id_profiles")),
        sa.PrimaryKeyConstraint("post_id", "user_id", name=op.f("pk_likes")),
    )
    op.create_index("ix_likes_post_id_paged", "likes", ["post_id", "created_at", "user_id"])
    op.create_index("ix_likes_user_id_post_id", "likes", ["user_id", "post_id"])


def _create_notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("object_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["profiles.user_id"], name=op.f("fk_notifications_actor_id_profiles")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["profiles.user_id"], name=op.f("fk_notifications_recipient_id_profiles")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint(
            "recipient_id",
            "kind",
            "actor_id",
            "object_id",
            name=op.f("uq_notifications_recipient_id_kind_actor_id_object_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_notifications_actor_id"), "notifications", ["actor_id"])
    op.create_index(op.f("ix_notifications_object_id"), "notifications", ["object_id"])
    op.create_index(
        "ix_notifications_recipient_id_paged", "notifications", ["recipient_id", "created_at", "id"]
    )
    op.create_table(
        "notification_read_markers",
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recipient_id"],
            ["profiles.user_id"],
            name=op.f("fk_notification_read_markers_recipient_id_profiles"),
        ),
        sa.PrimaryKeyConstraint("recipient_id", name=op.f("pk_notification_read_markers")),
    )


def downgrade() -> None:
    op.drop_table("notification_read_markers")
    op.drop_table("notifications")
    op.drop_table("likes")
    op.drop_table("timeline")
    op.drop_table("media_items")
    op.drop_table("post_images")
    op.drop_table("posts")

"""Where the eye falls in an image, as the media service says it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column("media_items", sa.Column("focal_x", sa.Float(), nullable=True))
    op.add_column("media_items", sa.Column("focal_y", sa.Float(), nullable=True))


def downgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.drop_column("media_items", "focal_y")
    op.drop_column("media_items", "focal_x")

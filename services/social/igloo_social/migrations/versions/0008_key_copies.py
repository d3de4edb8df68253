"""The last known good copy of the keys that access tokens are verified with."""

from alembic import op
from igloo_common.migrations import create_key_copies, drop_key_copies

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    create_key_copies(op)


def downgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    drop_key_copies(op)

"""Every way in, security events, suspension, deletion and export of accounts, look-ups of friends."""

import sqlalchemy as sa
from alembic import op
from igloo_common.migrations import create_rate_limits, drop_rate_limits
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "friend_lookups",
    "account_export_parts",
    "account_exports",
    "account_deletion_steps",
    "account_deletions",
    "security_events",
    "authorization_codes",
    "authorization_requests",
    "used_nonces",
)
ACCOUNT_CHECKS = {
    "ck_accounts_suspended_with_reason": "(suspended_at IS NULL) = (suspension_reason IS NULL)",
    "ck_accounts_deleted_says_nothing": (
        "deleted_at IS NULL OR (display_name = '' AND picture_url IS NULL AND NOT is_moderator)"
    ),
}
ACCOUNT_COLUMNS = ("is_moderator", "suspended_at", "suspension_reason", "deleted_at")

# The trail is append-only for everybody: what happened cannot be rewritten, and goes only with the account or
# once it is half a year old.
KEEP_TRAIL = """
CREATE FUNCTION keep_security_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND (
        OLD.occurred_at < now() - interval '180 days'
        OR NOT EXISTS (SELECT FROM accounts WHERE id = OLD.account_id AND deleted_at IS NULL)
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'security_events is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$
"""
GUARD_TRAIL = """
CREATE TRIGGER keep_security_events BEFORE UPDATE OR DELETE ON security_events
FOR EACH ROW EXECUTE FUNCTION keep_security_events()
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    create_rate_limits(op)
    _extend_accounts()
    op.create_table(
        "used_nonces",
        sa.Column("nonce_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce_hash", name="pk_used_nonces"),
    )
    op.create_index("ix_used_nonces_expires_at", "used_nonces", ["expires_at"])
    op.create_table(
        "authorization_requests",
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("client_state", sa.Text(), nullable=True),
        sa.Column("code_challenge", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name="pk_authorization_requests"),
    )
    op.create_index("ix_authorization_requests_expires_at", "authorization_requests", ["expires_at"])
    op.create_table(
        "authorization_codes",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("code_challenge", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(redeemed_at IS NULL) = (session_id IS NULL)",
            name=op.f("ck_authorization_codes_redeemed_for_session"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name="fk_authorization_codes_account_id_accounts",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("code_hash", name="pk_authorization_codes"),
    )
    op.create_index("ix_authorization_codes_account_id", "authorization_codes", ["account_id"])
    op.create_index("ix_authorization_codes_expires_at", "authorization_codes", ["expires_at"])
    op.create_table(
        "security_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ip_prefix", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_security_events_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_security_events"),
    )
    op.create_index(
        "ix_security_events_account_id_paged", "security_events", ["account_id", "occurred_at", "id"]
    )
    op.create_index("ix_security_events_occurred_at", "security_events", ["occurred_at"])
    op.create_table(
        "account_deletions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("confirmation_code", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("facebook_user_hash", sa.LargeBinary(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_account_deletions"),
        sa.UniqueConstraint("account_id", name="uq_account_deletions_account_id"),
        sa.UniqueConstraint("confirmation_code", name="uq_account_deletions_confirmation_code"),
    )
    op.create_index("ix_account_deletions_facebook_user_hash", "account_deletions", ["facebook_user_hash"])
    op.create_table(
        "account_deletion_steps",
        sa.Column("deletion_id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint(
            "service IN ('auth', 'social', 'media')", name=op.f("ck_account_deletion_steps_service_known")
        ),
        sa.CheckConstraint(
            "(completed_at IS NULL) = (removed IS NULL)",
            name=op.f("ck_account_deletion_steps_completed_with_count"),
        ),
        sa.ForeignKeyConstraint(
            ["deletion_id"],
            ["account_deletions.id"],
            name="fk_account_deletion_steps_deletion_id_account_deletions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("deletion_id", "service", name="pk_account_deletion_steps"),
    )
    op.create_index(
        "ix_account_deletion_steps_open",
        "account_deletion_steps",
        ["service", "deletion_id"],
        postgresql_where=sa.text("completed_at IS NULL"),
    )
    op.create_table(
        "account_exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("archive_bytes", sa.BigInteger(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "(state = 'failed') = (failure_code IS NOT NULL)", name=op.f("ck_account_exports_failed_says_why")
        ),
        sa.CheckConstraint(
            "state <> 'ready' OR (ready_at IS NOT NULL AND archive_bytes IS NOT NULL)",
            name=op.f("ck_account_exports_ready_is_whole"),
        ),
        sa.CheckConstraint(
            "state IN ('collecting', 'ready', 'failed', 'expired')",
            name=op.f("ck_account_exports_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_account_exports_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_account_exports"),
    )
    op.create_index("ix_account_exports_account_id", "account_exports", ["account_id", "requested_at"])
    op.create_index(
        "ix_account_exports_due_at",
        "account_exports",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "uq_account_exports_collecting",
        "account_exports",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("state = 'collecting'"),
    )
    op.create_table(
        "account_export_parts",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "service IN ('auth', 'social', 'media')", name=op.f("ck_account_export_parts_service_known")
        ),
        sa.ForeignKeyConstraint(
            ["export_id"],
            ["account_exports.id"],
            name="fk_account_export_parts_export_id_account_exports",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("export_id", "service", name="pk_account_export_parts"),
    )
    op.create_table(
        "friend_lookups",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_token", sa.LargeBinary(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_friend_lookups_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name="pk_friend_lookups"),
    )
    op.create_index("ix_friend_lookups_due_at", "friend_lookups", ["due_at"])
    op.execute(KEEP_TRAIL)
    op.execute(GUARD_TRAIL)


def downgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION keep_security_events")
    op.drop_index("ix_accounts_deleted_at", "accounts")
    for name in ACCOUNT_CHECKS:
        op.drop_constraint(op.f(name), "accounts")
    for column in ACCOUNT_COLUMNS:
        op.drop_column("accounts", column)
    drop_rate_limits(op)


def _extend_accounts() -> None:
    op.add_column(
        "accounts", sa.Column("is_moderator", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("accounts", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("accounts", sa.Column("suspension_reason", sa.Text(), nullable=True))
    op.add_column("accounts", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    for name, condition in ACCOUNT_CHECKS.items():
        op.create_check_constraint(op.f(name), "accounts", condition, postgresql_not_valid=True)
    op.create_index(
        "ix_accounts_deleted_at",
        "accounts",
        ["deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )

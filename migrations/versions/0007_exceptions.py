"""Requests for exceptions of the domain rule, their links, and the grants."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the three tables."""
    op.create_table(
        "exception_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("user_id_key", sa.String(length=128), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("company_name", sa.String(length=200), nullable=False),
        sa.Column("person_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("email_host", sa.String(length=253), nullable=False),
        sa.Column("email_domain", sa.String(length=253), nullable=False),
        sa.Column("maintenance_email", sa.String(length=254), nullable=False),
        sa.Column("maintenance_email_key", sa.String(length=254), nullable=False),
        sa.Column("contract_key", sa.String(length=80), nullable=False),
        sa.Column("party_role", sa.String(length=10), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("trace", sa.JSON(), nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("privacy_version", sa.Integer(), nullable=False),
        sa.Column("client", sa.String(length=45), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handler_id", sa.Integer(), nullable=True),
        sa.Column("handler_name", sa.String(length=100), nullable=False),
        sa.Column("decision", sa.String(length=30), nullable=False),
        sa.Column("decided_by", sa.String(length=100), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_exception_request_account_id"),
        sa.ForeignKeyConstraint(["handler_id"], ["staff.id"], name="fk_exception_request_handler_id"),
        sa.PrimaryKeyConstraint("id", name="pk_exception_request"),
        sqlite_autoincrement=True,
    )
    for column in ("account_id", "user_id_key", "email_key", "email_domain", "contract_key", "expires_at", "handler_id"):
        op.create_index(f"ix_exception_request_{column}", "exception_request", [column])
    op.create_index("ix_exception_request_state", "exception_request", ["state", "id"])
    op.create_index("ix_exception_request_pair", "exception_request", ["maintenance_email_key", "email_key"])
    op.create_table(
        "exception_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("press", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["exception_request.id"], name="fk_exception_link_request_id"),
        sa.PrimaryKeyConstraint("id", name="pk_exception_link"),
        sa.UniqueConstraint("token_hash", name="uq_exception_link_token_hash"),
    )
    op.create_index("ix_exception_link_request_id", "exception_link", ["request_id"])
    op.create_table(
        "exception_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("maintenance_email", sa.String(length=254), nullable=False),
        sa.Column("maintenance_email_key", sa.String(length=254), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.String(length=100), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_by", sa.String(length=100), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["exception_request.id"], name="fk_exception_grant_request_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_exception_grant_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_exception_grant"),
    )
    op.create_index("ix_exception_grant_request_id", "exception_grant", ["request_id"])
    op.create_index("ix_exception_grant_account_id", "exception_grant", ["account_id"])
    op.create_index("ix_exception_grant_pair", "exception_grant", ["maintenance_email_key", "host"])


def downgrade() -> None:
    """Forget requests and grants; accounts that came of them stay."""
    for table in ("exception_grant", "exception_link", "exception_request"):
        op.drop_table(table)

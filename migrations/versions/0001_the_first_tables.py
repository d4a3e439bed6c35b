"""The first tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from models.database import start_numbers_at

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this migration brings."""
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("user_id_key", sa.String(length=128), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("company_name", sa.String(length=200), nullable=False),
        sa.Column("person_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("email_domain", sa.String(length=253), nullable=False),
        sa.Column("maintenance_email", sa.String(length=254), nullable=False),
        sa.Column("maintenance_email_key", sa.String(length=254), nullable=False),
        sa.Column("contract_key", sa.String(length=80), nullable=False),
        sa.Column("party_role", sa.String(length=10), nullable=False),
        sa.Column("search_text", sa.String(length=700), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=False),
        sa.Column("privacy_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("user_id_key", name=op.f("uq_account_user_id_key")),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_contract_key"), ["contract_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_email_domain"), ["email_domain"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_email_key"), ["email_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_maintenance_email_key"), ["maintenance_email_key"], unique=False)

    op.create_table(
        "category",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category")),
        sa.UniqueConstraint("name", name=op.f("uq_category_name")),
    )
    op.create_table(
        "company_day",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_day")),
        sa.UniqueConstraint("day", name=op.f("uq_company_day_day")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heartbeat")),
        sa.UniqueConstraint("worker", name=op.f("uq_heartbeat_worker")),
    )
    with op.batch_alter_table("heartbeat", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_heartbeat_kind"), ["kind"], unique=False)

    op.create_table(
        "job_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("worker", sa.String(length=120), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("fault", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
        sa.UniqueConstraint("job", "slot", name=op.f("uq_job_run_job_slot")),
    )
    with op.batch_alter_table("job_run", schema=None) as batch_op:
        batch_op.create_index("ix_job_run_started", ["job", "started_at"], unique=False)

    op.create_table(
        "journal_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("subject_kind", sa.String(length=30), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=True),
        sa.Column("subject_name", sa.String(length=300), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("client", sa.String(length=45), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entry")),
    )
    with op.batch_alter_table("journal_entry", schema=None) as batch_op:
        batch_op.create_index("ix_journal_entry_actor", ["actor_kind", "actor_id", "id"], unique=False)
        batch_op.create_index("ix_journal_entry_subject", ["subject_kind", "subject_id", "id"], unique=False)

    op.create_table(
        "mail_domain",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_domain")),
        sa.UniqueConstraint("domain", name=op.f("uq_mail_domain_domain")),
    )
    op.create_table(
        "privacy_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_text")),
    )
    op.create_table(
        "product_family",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("intake_hint", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_family")),
        sa.UniqueConstraint("name", name=op.f("uq_product_family_name")),
        sa.UniqueConstraint("slug", name=op.f("uq_product_family_slug")),
    )
    op.create_table(
        "rate_count",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bucket", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate_count")),
        sa.UniqueConstraint("bucket", "key", "began_at", name=op.f("uq_rate_count_bucket_key_began_at")),
    )
    with op.batch_alter_table("rate_count", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rate_count_began_at"), ["began_at"], unique=False)

    op.create_table(
        "refusal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contract_key", sa.String(length=80), nullable=False),
        sa.Column("trace", sa.JSON(), nullable=False),
        sa.Column("client", sa.String(length=45), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("refusal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refusal_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_refusal_contract_key"), ["contract_key"], unique=False)

    op.create_table(
        "reminder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint("cause", name=op.f("uq_reminder_cause")),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("user_id_key", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("totp_secret", sa.String(length=64), nullable=True),
        sa.Column("totp_enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=False),
        sa.Column("oidc_issuer", sa.String(length=300), nullable=True),
        sa.Column("oidc_subject", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email_key", name=op.f("uq_staff_email_key")),
        sa.UniqueConstraint("oidc_issuer", "oidc_subject", name=op.f("uq_staff_oidc_issuer_oidc_subject")),
        sa.UniqueConstraint("user_id_key", name=op.f("uq_staff_user_id_key")),
    )
    op.create_table(
        "account_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_link_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_account_link_token_hash")),
    )
    with op.batch_alter_table("account_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_link_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_link_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "account_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("password_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client", sa.String(length=45), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_session_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_account_session_token_hash")),
    )
    with op.batch_alter_table("account_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_session_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_session_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("privacy_version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_consent_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_account_id"), ["account_id"], unique=False)

    op.create_table(
        "family_alias",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("alias", sa.String(length=80), nullable=False),
        sa.Column("alias_key", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["family_id"], ["product_family.id"], name=op.f("fk_family_alias_family_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_alias")),
        sa.UniqueConstraint("alias_key", name=op.f("uq_family_alias_alias_key")),
    )
    with op.batch_alter_table("family_alias", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_family_alias_family_id"), ["family_id"], unique=False)

    op.create_table(
        "family_mailbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(["family_id"], ["product_family.id"], name=op.f("fk_family_mailbox_family_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_mailbox")),
        sa.UniqueConstraint("address", "family_id", name=op.f("uq_family_mailbox_address_family_id")),
    )
    with op.batch_alter_table("family_mailbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_family_mailbox_family_id"), ["family_id"], unique=False)

    op.create_table(
        "import_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=300), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("uploaded_by", sa.String(length=100), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("sheets", sa.JSON(), nullable=False),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_import_batch_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
    )
    with op.batch_alter_table("import_batch", schema=None) as batch_op:
        batch_op.create_index("ix_import_batch_sha256", ["sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_import_batch_staff_id"), ["staff_id"], unique=False)
        batch_op.create_index("ix_import_batch_state", ["state", "id"], unique=False)

    op.create_table(
        "pending_registration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("user_id_key", sa.String(length=128), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("company_name", sa.String(length=200), nullable=False),
        sa.Column("person_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("maintenance_email", sa.String(length=254), nullable=False),
        sa.Column("contract_key", sa.String(length=80), nullable=False),
        sa.Column("privacy_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_pending_registration_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_registration")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_pending_registration_token_hash")),
    )
    with op.batch_alter_table("pending_registration", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pending_registration_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pending_registration_email_key"), ["email_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_pending_registration_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_pending_registration_user_id_key"), ["user_id_key"], unique=False)

    op.create_table(
        "queue_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["family_id"], ["product_family.id"], name=op.f("fk_queue_member_family_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_queue_member_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_member")),
        sa.UniqueConstraint("family_id", "staff_id", name=op.f("uq_queue_member_family_id_staff_id")),
    )
    with op.batch_alter_table("queue_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_queue_member_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("how", sa.String(length=20), nullable=False),
        sa.Column("client", sa.String(length=45), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_sign_in_account_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_sign_in_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_account", ["account_id", "id"], unique=False)
        batch_op.create_index("ix_sign_in_staff", ["staff_id", "id"], unique=False)

    op.create_table(
        "staff_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("totp_passed", sa.Boolean(), nullable=False),
        sa.Column("client", sa.String(length=45), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_session_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_session_token_hash")),
    )
    with op.batch_alter_table("staff_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_session_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_staff_session_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("contract_text", sa.String(length=200), nullable=False),
        sa.Column("contract_key", sa.String(length=200), nullable=False),
        sa.Column("serial_text", sa.String(length=200), nullable=False),
        sa.Column("serial_key", sa.String(length=200), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("os_version", sa.String(length=120), nullable=False),
        sa.Column("cc", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("state_before", sa.String(length=20), nullable=False),
        sa.Column("state_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unresolved", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.String(length=10), nullable=False),
        sa.Column("assignee_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_left", sa.Integer(), nullable=True),
        sa.Column("owed_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_answer_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opening_verdict", sa.JSON(), nullable=False),
        sa.Column("follows_id", sa.Integer(), nullable=True),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_ticket_account_id")),
        sa.ForeignKeyConstraint(["assignee_id"], ["staff.id"], name=op.f("fk_ticket_assignee_id")),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_ticket_category_id")),
        sa.ForeignKeyConstraint(["family_id"], ["product_family.id"], name=op.f("fk_ticket_family_id")),
        sa.ForeignKeyConstraint(["follows_id"], ["ticket.id"], name=op.f("fk_ticket_follows_id")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["ticket.id"], name=op.f("fk_ticket_merged_into_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.create_index("ix_ticket_account", ["account_id", "id"], unique=False)
        batch_op.create_index("ix_ticket_assignee", ["assignee_id", "unresolved", "due_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_category_id"), ["category_id"], unique=False)
        batch_op.create_index("ix_ticket_contract", ["contract_key"], unique=False)
        batch_op.create_index("ix_ticket_due", ["unresolved", "due_at", "id"], unique=False)
        batch_op.create_index("ix_ticket_family", ["family_id", "unresolved", "due_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_follows_id"), ["follows_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_merged_into_id"), ["merged_into_id"], unique=False)
        batch_op.create_index("ix_ticket_resolved", ["state", "resolved_at", "id"], unique=False)
        batch_op.create_index("ix_ticket_serial", ["serial_key"], unique=False)
        batch_op.create_index("ix_ticket_state", ["state", "due_at", "id"], unique=False)
        batch_op.create_index("ix_ticket_updated", ["updated_at", "id"], unique=False)
        batch_op.create_index("ix_ticket_unresolved", ["unresolved", "id"], unique=False)
        batch_op.create_index("ix_ticket_unresolved_updated", ["unresolved", "updated_at", "id"], unique=False)

    op.create_table(
        "certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contract_key", sa.String(length=80), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_certificate_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("contract_key", name=op.f("uq_certificate_contract_key")),
    )
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_certificate_batch_id"), ["batch_id"], unique=False)

    op.create_table(
        "draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_draft_staff_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_draft_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint("ticket_id", "staff_id", "kind", name=op.f("uq_draft_ticket_id_staff_id_kind")),
    )
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "import_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sheet", sa.String(length=120), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("contract_key", sa.String(length=80), nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=True),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("errors", sa.JSON(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("held_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_import_row_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_row")),
    )
    with op.batch_alter_table("import_row", schema=None) as batch_op:
        batch_op.create_index("ix_import_row_batch", ["batch_id", "status", "position"], unique=False)
        batch_op.create_index("ix_import_row_contract", ["batch_id", "contract_key"], unique=False)
        batch_op.create_index("ix_import_row_position", ["batch_id", "position"], unique=False)

    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("author_name", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undo", sa.JSON(), nullable=False),
        sa.Column("submission", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_message_account_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_message_staff_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_message_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("submission", name=op.f("uq_message_submission")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_staff_id"), ["staff_id"], unique=False)
        batch_op.create_index("ix_message_ticket", ["ticket_id", "id"], unique=False)

    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("holder", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_attachment_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("storage_key", name=op.f("uq_attachment_storage_key")),
        sa.UniqueConstraint("token", name=op.f("uq_attachment_token")),
    )
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index("ix_attachment_held", ["holder", "created_at"], unique=False)
        batch_op.create_index("ix_attachment_message", ["message_id"], unique=False)

    op.create_table(
        "contract_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("product_number", sa.String(length=120), nullable=False),
        sa.Column("serial", sa.String(length=120), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("service", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.String(length=254), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("sheet", sa.String(length=120), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_contract_line_batch_id")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_contract_line_certificate_id")),
        sa.ForeignKeyConstraint(["family_id"], ["product_family.id"], name=op.f("fk_contract_line_family_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_line")),
    )
    with op.batch_alter_table("contract_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contract_line_batch_id"), ["batch_id"], unique=False)
        batch_op.create_index("ix_contract_line_certificate", ["certificate_id", "product_number", "serial", "service"], unique=False)
        batch_op.create_index("ix_contract_line_ends", ["ends_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_contract_line_family_id"), ["family_id"], unique=False)
        batch_op.create_index("ix_contract_line_product", ["product_number"], unique=False)
        batch_op.create_index("ix_contract_line_serial", ["serial"], unique=False)

    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("header_id", sa.String(length=200), nullable=False),
        sa.Column("thread_ids", sa.JSON(), nullable=False),
        sa.Column("subject", sa.String(length=1000), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_letter_account_id")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_letter_message_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_letter_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("cause", name=op.f("uq_letter_cause")),
        sa.UniqueConstraint("header_id", name=op.f("uq_letter_header_id")),
    )
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_letter_account_id"), ["account_id"], unique=False)
        batch_op.create_index("ix_letter_due", ["state", "try_at", "id"], unique=False)
        batch_op.create_index("ix_letter_message", ["message_id"], unique=False)
        batch_op.create_index("ix_letter_ticket", ["ticket_id", "id"], unique=False)

    op.create_table(
        "party",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_party_certificate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party")),
        sa.UniqueConstraint("certificate_id", "role", name=op.f("uq_party_certificate_id_role")),
    )
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_party_email_key"), ["email_key"], unique=False)

    op.create_table(
        "recipient",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=2), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("address_key", sa.String(length=254), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name=op.f("fk_recipient_letter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipient")),
        sa.UniqueConstraint("letter_id", "address", name=op.f("uq_recipient_letter_id_address")),
    )
    with op.batch_alter_table("recipient", schema=None) as batch_op:
        batch_op.create_index("ix_recipient_address", ["address_key", "id"], unique=False)
    start_numbers_at(op.get_bind(), "ticket", 10001)
    start_numbers_at(op.get_bind(), "refusal", 104001)


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("recipient", schema=None) as batch_op:
        batch_op.drop_index("ix_recipient_address")

    op.drop_table("recipient")
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_party_email_key"))

    op.drop_table("party")
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.drop_index("ix_letter_ticket")
        batch_op.drop_index("ix_letter_message")
        batch_op.drop_index("ix_letter_due")
        batch_op.drop_index(batch_op.f("ix_letter_account_id"))

    op.drop_table("letter")
    with op.batch_alter_table("contract_line", schema=None) as batch_op:
        batch_op.drop_index("ix_contract_line_serial")
        batch_op.drop_index("ix_contract_line_product")
        batch_op.drop_index(batch_op.f("ix_contract_line_family_id"))
        batch_op.drop_index("ix_contract_line_ends")
        batch_op.drop_index("ix_contract_line_certificate")
        batch_op.drop_index(batch_op.f("ix_contract_line_batch_id"))

    op.drop_table("contract_line")
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.drop_index("ix_attachment_message")
        batch_op.drop_index("ix_attachment_held")

    op.drop_table("attachment")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index("ix_message_ticket")
        batch_op.drop_index(batch_op.f("ix_message_staff_id"))
        batch_op.drop_index(batch_op.f("ix_message_account_id"))

    op.drop_table("message")
    with op.batch_alter_table("import_row", schema=None) as batch_op:
        batch_op.drop_index("ix_import_row_position")
        batch_op.drop_index("ix_import_row_contract")
        batch_op.drop_index("ix_import_row_batch")

    op.drop_table("import_row")
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_draft_staff_id"))

    op.drop_table("draft")
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_certificate_batch_id"))

    op.drop_table("certificate")
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.drop_index("ix_ticket_unresolved_updated")
        batch_op.drop_index("ix_ticket_unresolved")
        batch_op.drop_index("ix_ticket_updated")
        batch_op.drop_index("ix_ticket_state")
        batch_op.drop_index("ix_ticket_serial")
        batch_op.drop_index("ix_ticket_resolved")
        batch_op.drop_index(batch_op.f("ix_ticket_merged_into_id"))
        batch_op.drop_index(batch_op.f("ix_ticket_follows_id"))
        batch_op.drop_index("ix_ticket_family")
        batch_op.drop_index("ix_ticket_due")
        batch_op.drop_index("ix_ticket_contract")
        batch_op.drop_index(batch_op.f("ix_ticket_category_id"))
        batch_op.drop_index("ix_ticket_assignee")
        batch_op.drop_index("ix_ticket_account")

    op.drop_table("ticket")
    with op.batch_alter_table("staff_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_session_staff_id"))
        batch_op.drop_index(batch_op.f("ix_staff_session_expires_at"))

    op.drop_table("staff_session")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index("ix_sign_in_staff")
        batch_op.drop_index("ix_sign_in_account")

    op.drop_table("sign_in")
    with op.batch_alter_table("queue_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_queue_member_staff_id"))

    op.drop_table("queue_member")
    with op.batch_alter_table("pending_registration", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pending_registration_user_id_key"))
        batch_op.drop_index(batch_op.f("ix_pending_registration_expires_at"))
        batch_op.drop_index(batch_op.f("ix_pending_registration_email_key"))
        batch_op.drop_index(batch_op.f("ix_pending_registration_account_id"))

    op.drop_table("pending_registration")
    with op.batch_alter_table("import_batch", schema=None) as batch_op:
        batch_op.drop_index("ix_import_batch_state")
        batch_op.drop_index(batch_op.f("ix_import_batch_staff_id"))
        batch_op.drop_index("ix_import_batch_sha256")

    op.drop_table("import_batch")
    with op.batch_alter_table("family_mailbox", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_family_mailbox_family_id"))

    op.drop_table("family_mailbox")
    with op.batch_alter_table("family_alias", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_family_alias_family_id"))

    op.drop_table("family_alias")
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consent_account_id"))

    op.drop_table("consent")
    with op.batch_alter_table("account_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_session_expires_at"))
        batch_op.drop_index(batch_op.f("ix_account_session_account_id"))

    op.drop_table("account_session")
    with op.batch_alter_table("account_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_link_expires_at"))
        batch_op.drop_index(batch_op.f("ix_account_link_account_id"))

    op.drop_table("account_link")
    op.drop_table("staff")
    op.drop_table("reminder")
    with op.batch_alter_table("refusal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refusal_contract_key"))
        batch_op.drop_index(batch_op.f("ix_refusal_at"))

    op.drop_table("refusal")
    with op.batch_alter_table("rate_count", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rate_count_began_at"))

    op.drop_table("rate_count")
    op.drop_table("product_family")
    op.drop_table("privacy_text")
    op.drop_table("mail_domain")
    with op.batch_alter_table("journal_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_journal_entry_subject")
        batch_op.drop_index("ix_journal_entry_actor")

    op.drop_table("journal_entry")
    with op.batch_alter_table("job_run", schema=None) as batch_op:
        batch_op.drop_index("ix_job_run_started")

    op.drop_table("job_run")
    with op.batch_alter_table("heartbeat", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_heartbeat_kind"))

    op.drop_table("heartbeat")
    op.drop_table("company_day")
    op.drop_table("category")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_maintenance_email_key"))
        batch_op.drop_index(batch_op.f("ix_account_email_key"))
        batch_op.drop_index(batch_op.f("ix_account_email_domain"))
        batch_op.drop_index(batch_op.f("ix_account_contract_key"))

    op.drop_table("account")

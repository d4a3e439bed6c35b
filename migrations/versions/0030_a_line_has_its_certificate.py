"""A line's certificate is a key on PostgreSQL again: what 0025 took away to be quicker is gained elsewhere by now."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_KEY = "fk_contract_line_certificate_id"


def upgrade() -> None:
    """Put the key back; SQLite never lost it."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_foreign_key(_KEY, "contract_line", "certificate", ["certificate_id"], ["id"])


def downgrade() -> None:
    """As 0025 left it."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(_KEY, "contract_line", type_="foreignkey")

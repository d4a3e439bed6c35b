"""What a line of a contract is asked at each import, and answers to nobody: one index, and on PostgreSQL its certificate."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_INDEX, _KEY = "ix_contract_line_product", "fk_contract_line_certificate_id"


def upgrade() -> None:
    """Drop the index of product numbers (a search for a part of one reads another), and the key that PostgreSQL asks for line by line."""
    op.drop_index(_INDEX, table_name="contract_line")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(_KEY, "contract_line", type_="foreignkey")


def downgrade() -> None:
    """Put both back."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_foreign_key(_KEY, "contract_line", "certificate", ["certificate_id"], ["id"])
    op.create_index(_INDEX, "contract_line", ["product_number", "certificate_id"])

"""The indexes by which versions of a contract are found, and parts of serials and product numbers."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WIDENED = {"ix_contract_line_serial": "serial", "ix_contract_line_product": "product_number"}
IMAGES = {"certificate_image": "contract_key", "line_image": "certificate_id"}


def upgrade() -> None:
    """Add them; the two of lines get the certificate beside."""
    for table, column in IMAGES.items():
        op.create_index(f"ix_{table}_{column}", table, [column])
    for name, column in WIDENED.items():
        op.drop_index(name, table_name="contract_line")
        op.create_index(name, "contract_line", [column, "certificate_id"])


def downgrade() -> None:
    """Remove them; those of lines are narrow again."""
    for name, column in WIDENED.items():
        op.drop_index(name, table_name="contract_line")
        op.create_index(name, "contract_line", [column])
    for table, column in IMAGES.items():
        op.drop_index(f"ix_{table}_{column}", table_name=table)

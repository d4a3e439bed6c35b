"""The cells of a plan's rows in columns of their own, and what 100,000 rows ask for one by one left out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_CELLS = (
    *("issued_on", "family", "product_number", "serial", "starts_on", "ends_on", "service", "contact"),
    *("agent_name", "agent_email", "operator_name", "operator_email", "end_user_name", "end_user_email"),
)
_DEFAULTS = {"hidden": sa.false(), "confirmed": sa.false(), "held_by": "0", "values": "{}", "changes": "{}", "warnings": "[]", "errors": "[]"}
_KINDS = {"hidden": sa.Boolean(), "confirmed": sa.Boolean(), "held_by": sa.Integer()}
_FOREIGN_KEYS = {("import_row", "batch_id"): "import_batch", ("contract_line", "batch_id"): "import_batch", ("contract_line", "family_id"): "product_family"}
_INTERESTING = "(status IN ('new', 'changed', 'error') OR kind <> '')"
_TOLD = "(status IN ('changed', 'error') OR kind <> '')"


def upgrade() -> None:
    """Add and fill the columns; what most rows have alike becomes a default, so that filling leaves it out."""
    op.drop_index("ix_import_row_interesting", table_name="import_row")
    with op.batch_alter_table("import_row") as batch:
        for name, default in _DEFAULTS.items():
            batch.alter_column(name, existing_type=_KINDS.get(name, sa.JSON()), existing_nullable=False, server_default=default)
        for name in _CELLS:
            batch.add_column(sa.Column(name, sa.Text(), server_default="", nullable=False))
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        # Asked for each of 100,000 rows; SQLite asks at next to no cost, and would have to write the tables anew.
        for table, column in _FOREIGN_KEYS:
            op.drop_constraint(f"fk_{table}_{column}", table, type_="foreignkey")
    cell = "coalesce(\"values\" ->> '{0}', '')" if postgresql else "coalesce(json_extract(\"values\", '$.{0}'), '')"
    # `values` stays, and what it holds, for processes of the version before; nothing reads it any more.
    op.execute(f"UPDATE import_row SET {', '.join(f'{name} = {cell.format(name)}' for name in _CELLS)}")  # noqa: S608 # nosec B608 - names of our own columns
    _index("ix_import_row_told", _TOLD)


def downgrade() -> None:
    """Put the cells back into one."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    pairs = ", ".join(f"'{name}', {name}" for name in ("contract", *_CELLS)).replace("'contract', contract", "'contract', contract_key")
    op.execute(f'UPDATE import_row SET "values" = {"json_build_object" if postgresql else "json_object"}({pairs})')  # noqa: S608 # nosec B608 - names of our own columns
    op.drop_index("ix_import_row_told", table_name="import_row")
    with op.batch_alter_table("import_row") as batch:
        for name in _DEFAULTS:
            batch.alter_column(name, existing_type=_KINDS.get(name, sa.JSON()), existing_nullable=False, server_default=None)
        for name in _CELLS:
            batch.drop_column(name)
    _index("ix_import_row_interesting", _INTERESTING)
    if postgresql:
        for (table, column), target in _FOREIGN_KEYS.items():
            op.create_foreign_key(f"fk_{table}_{column}", table, target, [column], ["id"])


def _index(name: str, condition: str) -> None:
    op.create_index(name, "import_row", ["batch_id", "position"], postgresql_where=sa.text(condition), sqlite_where=sa.text(condition))

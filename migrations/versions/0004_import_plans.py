"""What a reviewer decides of a plan, before-images for undoing it, renewals, and who corrected a record by hand."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_BY_HAND = ("certificate", "party", "contract_line")
_OLD_INDEXES = {
    "ix_import_row_problem": "(status = 'error' OR confirmed OR held_by = \"row\")",
    "ix_import_row_interesting": "(status <> 'unchanged' OR confirmed OR held_by = \"row\")",
}
_INDEXES = {
    "ix_import_row_problem": "(status = 'error' OR kind IN ('warning', 'conflict'))",
    "ix_import_row_interesting": "(status IN ('new', 'changed', 'error') OR kind <> '')",
}
_ROW = sa.table(
    "import_row",
    *(sa.column(name, sa.Integer) for name in ("batch_id", "position", "row", "line_id", "held_by")),
    *(sa.column(name, sa.String) for name in ("sheet", "status", "contract_key")),
    sa.column("hidden", sa.Boolean),
    sa.column("confirmed", sa.Boolean),
    *(sa.column(name, sa.JSON) for name in ("values", "changes", "warnings", "errors")),
)
_MISSING = ("contract", "product_number", "serial", "service")
_FIELDS = (
    *("issued_on", "contract", "family", "product_number", "serial", "starts_on", "ends_on", "service", "contact"),
    *("agent_name", "agent_email", "operator_name", "operator_email", "end_user_name", "end_user_email"),
)
_BATCH = sa.table("import_batch", sa.column("id", sa.Integer), sa.column("missing", sa.JSON))


def upgrade() -> None:
    """Add them; the missing lines of a plan become rows of it."""
    for table in _BY_HAND:
        op.add_column(table, sa.Column("set_at", _MOMENT, nullable=True))
        op.add_column(table, sa.Column("set_by", sa.String(length=100), server_default="", nullable=False))
    _change_batches_and_rows()
    _make_decisions()
    _make_images()
    _move_missing()
    # The column stays for processes of the version before, which write it; nothing reads it any more.
    with op.batch_alter_table("import_batch") as batch:
        batch.alter_column("missing", existing_type=sa.JSON(), existing_nullable=False, server_default="[]")


def downgrade() -> None:
    """Remove them."""
    _move_missing_back()
    for table in ("line_image", "party_image", "certificate_image", "renewal", "import_conflict"):
        op.drop_table(table)
    for name in _INDEXES:
        op.drop_index(name, table_name="import_row")
    for name, condition in _OLD_INDEXES.items():
        op.create_index(name, "import_row", ["batch_id", "position"], postgresql_where=sa.text(condition), sqlite_where=sa.text(condition))
    op.create_index("ix_import_row_position", "import_row", ["batch_id", "position"])
    for column in ("renews_id", "kind"):
        op.drop_column("import_row", column)
    for column in ("moves_domain", "withdrawn_lines"):
        op.drop_column("import_certificate", column)
    op.drop_index("ix_import_batch_undoes_id", table_name="import_batch")
    for column in ("approved_at", "approved_by", "asked_at", "asked_by", "asked_id", "revision", "undoes_id", "kind"):
        op.drop_column("import_batch", column)
    for table in _BY_HAND:
        for column in ("set_by", "set_at"):
            op.drop_column(table, column)


def _change_batches_and_rows() -> None:
    op.add_column("import_batch", sa.Column("kind", sa.String(length=10), server_default="import", nullable=False))
    op.add_column("import_batch", sa.Column("undoes_id", sa.Integer(), nullable=True))
    op.create_index("ix_import_batch_undoes_id", "import_batch", ["undoes_id"])
    op.add_column("import_batch", sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
    op.add_column("import_batch", sa.Column("asked_id", sa.Integer(), nullable=True))
    for who in ("asked", "approved"):
        op.add_column("import_batch", sa.Column(f"{who}_by", sa.String(length=100), server_default="", nullable=False))
        op.add_column("import_batch", sa.Column(f"{who}_at", _MOMENT, nullable=True))
    op.add_column("import_row", sa.Column("kind", sa.String(length=12), server_default="", nullable=False))
    op.add_column("import_row", sa.Column("renews_id", sa.Integer(), nullable=True))
    op.execute("UPDATE import_row SET kind = 'warning' WHERE status <> 'error' AND (confirmed OR held_by = \"row\")")
    op.drop_index("ix_import_row_position", table_name="import_row")
    for name, condition in _INDEXES.items():
        op.drop_index(name, table_name="import_row")
        op.create_index(name, "import_row", ["batch_id", "position"], postgresql_where=sa.text(condition), sqlite_where=sa.text(condition))
    op.add_column("import_certificate", sa.Column("withdrawn_lines", sa.Integer(), server_default="0", nullable=False))
    op.add_column("import_certificate", sa.Column("moves_domain", sa.Boolean(), server_default=sa.false(), nullable=False))


def _make_decisions() -> None:
    op.create_table(
        "import_conflict",
        *_of_batch("import_conflict"),
        sa.Column("contract_key", sa.String(length=80), nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("ours", sa.Text(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("set_at", _MOMENT, nullable=False),
        sa.Column("set_by", sa.String(length=100), nullable=False),
        sa.Column("take_theirs", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("batch_id", "contract_key", "line_id", "field", name=op.f("uq_import_conflict_batch_id_contract_key_line_id_field")),
    )
    op.create_table(
        "renewal",
        *_of_batch("renewal"),
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.Column("renews_id", sa.Integer(), nullable=False),
        sa.Column("confirmed_by", sa.String(length=100), nullable=False),
        sa.Column("confirmed_at", _MOMENT, nullable=False),
        sa.Column("dropped_by", sa.Integer(), nullable=True),
    )
    for name, column in {"line": "line_id", "renews": "renews_id", "batch": "batch_id", "dropped": "dropped_by"}.items():
        op.create_index(f"ix_renewal_{name}", "renewal", [column])


def _make_images() -> None:
    op.create_table(
        "certificate_image",
        *_of_batch("certificate_image"),
        sa.Column("deed", sa.String(length=8), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("contract_key", sa.String(length=80), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("origin_id", sa.Integer(), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        *_by_hand(),
        sa.UniqueConstraint("batch_id", "certificate_id", name=op.f("uq_certificate_image_batch_id_certificate_id")),
    )
    op.create_table(
        "party_image",
        *_of_batch("party_image"),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        *_by_hand(),
        sa.UniqueConstraint("batch_id", "certificate_id", "role", name=op.f("uq_party_image_batch_id_certificate_id_role")),
    )
    op.create_table(
        "line_image",
        *_of_batch("line_image"),
        sa.Column("deed", sa.String(length=8), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("line_id", "certificate_id", "family_id")),
        sa.Column("product_number", sa.String(length=120), nullable=False),
        sa.Column("serial", sa.String(length=120), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("service", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.String(length=254), nullable=False),
        sa.Column("origin_id", sa.Integer(), nullable=True),
        sa.Column("sheet", sa.String(length=120), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        *_by_hand(),
        sa.UniqueConstraint("batch_id", "line_id", name=op.f("uq_line_image_batch_id_line_id")),
    )
    op.create_index("ix_line_image_origin_id", "line_image", ["origin_id"])


def _of_batch(table: str) -> tuple[Any, ...]:
    return (
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f(f"fk_{table}_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def _by_hand() -> tuple[Any, ...]:
    return (sa.Column("set_at", _MOMENT, nullable=True), sa.Column("set_by", sa.String(length=100), nullable=False))


def _move_missing() -> None:
    connection = op.get_bind()
    for batch in connection.execute(sa.select(_BATCH.c.id, _BATCH.c.missing)).all():
        first = connection.scalar(sa.select(sa.func.max(_ROW.c.position)).where(_ROW.c.batch_id == batch.id))
        rows: list[dict[str, Any]] = [
            {
                "batch_id": batch.id,
                "position": (-1 if first is None else first) + place,
                "sheet": "",
                "row": 0,
                "hidden": False,
                "status": "missing",
                "contract_key": line["contract"],
                "line_id": None,
                "values": {**dict.fromkeys(_FIELDS, ""), **line},
                "changes": {},
                "warnings": [],
                "errors": [],
                "confirmed": False,
                "held_by": 0,
            }
            for place, line in enumerate(batch.missing, start=1)
        ]
        if rows:
            connection.execute(sa.insert(_ROW), rows)


def _move_missing_back() -> None:
    connection = op.get_bind()
    held: dict[int, list[Any]] = {}
    missing = _ROW.c.status == "missing"
    for batch_id, values in connection.execute(sa.select(_ROW.c.batch_id, _ROW.c["values"]).where(missing).order_by(_ROW.c.position)):
        held.setdefault(batch_id, []).append({name: values[name] for name in _MISSING})
    for batch_id, lines in held.items():
        connection.execute(sa.update(_BATCH).where(_BATCH.c.id == batch_id).values(missing=lines))
    connection.execute(sa.delete(_ROW).where(missing))

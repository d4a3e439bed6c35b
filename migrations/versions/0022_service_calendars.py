"""Service calendars, the calendar of a ticket and of a product, when a ticket's clock stood, and what its time came to."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_TARGETS = {"urgent": 60, "high": 120, "normal": 240, "low": 480}
_STANDARD = {
    "hours": [[[540, 1020]]] * 5 + [[]] * 2,
    "holidays": True,
    "year_end": True,
    "company_days": True,
    "first": _TARGETS,
    "next": _TARGETS,
    "resolution": {},
}
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add them, and the calendar every desk starts with."""
    calendar = op.create_table(
        "service_calendar",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("standard", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_service_calendar"),
        sa.UniqueConstraint("name", name="uq_service_calendar_name"),
    )
    began = datetime(2026, 11, 1, tzinfo=UTC)
    terms = json.dumps(_STANDARD, sort_keys=True)
    op.bulk_insert(calendar, [{"name": "標準", "terms": terms, "standard": True, "active": True, "version": 1, "updated_at": began}])
    op.add_column("product_family", sa.Column("calendar_id", sa.Integer(), nullable=True))
    op.add_column("ticket", sa.Column("calendar_id", sa.Integer(), nullable=True))
    op.add_column("ticket", sa.Column("clock_pauses", sa.JSON(), server_default="[]", nullable=False))


def downgrade() -> None:
    """Remove them: every deadline stays as it was worked out."""
    op.drop_column("ticket", "clock_pauses")
    op.drop_column("ticket", "calendar_id")
    op.drop_column("product_family", "calendar_id")
    op.drop_table("service_calendar")

"""Reading logs: the patterns, and what they found in a file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

PATTERNS = [
    (None, "serial", "Serial Number: {値}"),
    (None, "serial", "S/N: {値}"),
    (None, "serial", "シリアル番号: {値}"),
    (None, "model", "Model: {値}"),
    ("juniper-srx", "serial", "Chassis {値} SRX"),
    ("juniper-srx", "model", "Chassis {語} {値}"),
    ("juniper-srx", "os_version", "Junos: {値}"),
    ("juniper-srx", "os_version", "JUNOS Software Release [{値}]"),
    ("juniper-ex", "serial", "Chassis {値} EX"),
    ("juniper-ex", "model", "Chassis {語} {値}"),
    ("juniper-ex", "os_version", "Junos: {値}"),
    ("juniper-ex", "os_version", "JUNOS Software Release [{値}]"),
    ("juniper-ns", "os_version", "Software Version: {値}"),
    ("juniper-ns", "model", "Product Name: {値}"),
    ("ruckus", "serial", "Serial#: {値}"),
    ("ruckus", "os_version", "Firmware Version: {値}"),
    ("ruckus", "os_version", "Version: {値}"),
    ("paloalto", "serial", "serial: {値}"),
    ("paloalto", "os_version", "sw-version: {値}"),
    ("cyberoam", "serial", "Appliance Key: {値}"),
    ("cyberoam", "os_version", "Firmware Version: {値}"),
]


def upgrade() -> None:
    """Add the table with what the products' logs look like, and the place beside each file."""
    op.create_table(
        "log_pattern",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=True),
        sa.Column("fact", sa.String(length=12), nullable=False),
        sa.Column("pattern", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["family_id"], ["product_family.id"], name="fk_log_pattern_family_id"),
        sa.PrimaryKeyConstraint("id", name="pk_log_pattern"),
    )
    op.create_index("ix_log_pattern_family_id", "log_pattern", ["family_id"])
    op.add_column("attachment", sa.Column("found", sa.JSON(), nullable=False, server_default="{}"))
    family = sa.table("product_family", sa.column("id"), sa.column("slug"))
    ids = {slug: number for number, slug in op.get_bind().execute(sa.select(family.c.id, family.c.slug))}
    pattern = sa.table("log_pattern", *map(sa.column, ("family_id", "fact", "pattern")))
    rows = [{"family_id": ids[slug] if slug else None, "fact": fact, "pattern": text} for slug, fact, text in PATTERNS if slug is None or slug in ids]
    op.bulk_insert(pattern, rows)


def downgrade() -> None:
    """What was found can be found again."""
    op.drop_column("attachment", "found")
    op.drop_table("log_pattern")

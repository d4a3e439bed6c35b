"""The workbooks, families and mailboxes with which the importer is tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from importers.reader import ParsedRow, Reading, read_workbook
from rules.limits import Limits

CERTIFICATES = Path(__file__).parent.parent / "data" / "certificates"
EXPECTED = CERTIFICATES / "expected"

FAMILIES = {
    name: name
    for name in (
        "Juniper-NS", "Juniper-EX", "Juniper-IDP", "Juniper-MAG/SA", "Juniper-SRX", "Cyberoam", "Handreamnet", "旧 Ironport", "Trustwave/Mirage",
        "Mirageworks", "Ruckus", "Soliton", "Splashtop", "Paloalto", "その他",
    )
} | {"Juniper-MAG_SA": "Juniper-MAG/SA", "Ironport": "旧 Ironport", "Trustwave_Mirage": "Trustwave/Mirage", "Paloalto 他": "Paloalto"}  # fmt: skip
MAILBOXES = ("ns_support@jscom.co.jp", "j2-support@jscom.co.jp", "cyberoam_support@jscom.co.jp", "ruckus_support@jscom.co.jp")

HEADINGS = (
    "証書発行日", "契約名", "種別", "製品番号", "シリアル", "開始日", "終了日", "サービス種類", "問合せ先",
    "販売代理店", "販売代理店メール", "運用代行者", "運用代行者メール", "エンドユーザー(設置先)", "エンドユーザーメール",
)  # fmt: skip


def line(number: int = 1, **changed: Any) -> dict[str, Any]:
    """A sound line of a certificate of its own, by field."""
    values: dict[str, Any] = {
        "issued_on": date(2026, 3, 10),
        "contract": f"JSC2604{number:04d}A",
        "family": "Juniper-SRX",
        "product_number": "SRX340",
        "serial": f"CV{number:010d}",
        "starts_on": date(2026, 4, 1),
        "ends_on": date(2027, 3, 31),
        "service": "センドバック保守",
        "contact": "J's チケットシステム",
        "agent_name": "関西システム販売",
        "agent_email": "hosyu@kansai-sys.example",
        "operator_name": "",
        "operator_email": "",
        "end_user_name": "みなと物流株式会社",
        "end_user_email": "it@minato.example",
    }
    return values | changed


def cells(*lines: Mapping[str, Any]) -> list[list[Any]]:
    """The lines as rows of a sheet with `HEADINGS`."""
    return [[value if value != "" else None for value in one.values()] for one in lines]


def save(path: Path, rows: Iterable[Sequence[Any]], *, title: str = "証書一覧", headings: Sequence[str] | None = HEADINGS) -> Path:
    """An xlsx of one sheet."""
    book = openpyxl.Workbook()
    sheet = first_sheet(book)
    sheet.title = title
    if headings:
        sheet.append(list(headings))
    for row in rows:
        sheet.append(list(row))
    book.save(path)
    return path


def first_sheet(book: openpyxl.Workbook) -> Worksheet:
    """The sheet a new workbook begins with."""
    sheet = book.worksheets[0]
    assert isinstance(sheet, Worksheet)
    return sheet


@contextmanager
def reading(path: Path, *, limits: Limits | None = None, mapping: Mapping[str, Any] | None = None) -> Iterator[Reading]:
    """The workbook, read in its child process."""
    with read_workbook(path, file_name=path.name, families=FAMILIES, mailboxes=MAILBOXES, limits=limits or Limits(), mapping=mapping) as found:
        yield found


def read_rows(path: Path, *, mapping: Mapping[str, Any] | None = None) -> list[ParsedRow]:
    """All rows of a workbook."""
    with reading(path, mapping=mapping) as found:
        return list(found.rows())


def codes(row: ParsedRow) -> list[tuple[str, str]]:
    """(field, code) of each error of a row."""
    return [(issue["field"], issue["code"]) for issue in row.errors]


def warned(row: ParsedRow) -> list[tuple[str, str]]:
    """(field, code) of each warning of a row."""
    return [(issue["field"], issue["code"]) for issue in row.warnings]

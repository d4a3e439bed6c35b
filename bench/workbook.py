"""A workbook of contract lines, its cells written by hand (shared strings, dates as numbers): openpyxl would need half a minute."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from openpyxl import Workbook

from bench.corpus import PRODUCTS

HEADINGS = (
    *("証書発行日", "契約番号", "種別", "製品番号", "シリアル番号", "開始日", "終了日"),
    *("サービス種類", "問合せ先", "販売代理店", "エンドユーザー", "エンドユーザー 保守登録メール"),
)
_FAMILIES = ("Juniper-SRX", "Juniper-EX", "Juniper-MAG/SA", "Paloalto", "Ruckus", "Cyberoam", "Handreamnet", "Soliton", "Splashtop", "Trustwave/Mirage")
_SERVICES = ("オンサイト保守 24時間365日", "オンサイト保守 平日9時-17時", "センドバック保守", "先出しセンドバック保守")
_LINES = 10
"""Of a certificate."""
_EXCEL_BEGINS = date(1899, 12, 30)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
_OURS = frozenset({"xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"})


def lines(count: int, *, of: date, first: int = 0) -> Iterator[tuple[str | date, ...]]:
    """`count` rows under HEADINGS from the number `first` on, ten a certificate; `of` is the day the contracts began about."""
    for number in range(first, first + count):
        certificate = number // _LINES
        begins = date(of.year, certificate % 12 + 1, 1)
        family = certificate % len(_FAMILIES)
        yield (
            date(begins.year - 1, 12, 15),
            f"BEN{certificate:07d}",
            _FAMILIES[family],
            f"{PRODUCTS[family][1]}-{number % 7}",
            f"BW{number:08d}Q",
            begins,
            date(begins.year + 2, begins.month, 27),
            _SERVICES[number % len(_SERVICES)],
            "J's チケットシステム",
            f"検証販売{certificate % 40:02d}株式会社",
            f"株式会社取込{certificate % 3000:04d}",
            f"hosyu{certificate % 3000:04d}@import{certificate % 3000:04d}.example",
        )


def write_workbook(path: Path, count: int, *, of: date, first: int = 0) -> None:
    """Write `count` lines from the number `first` on as an xlsx file."""
    known: dict[str, int] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        _copy_frame(archive)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            sheet.write(_row(1, HEADINGS, known).encode())
            for number, line in enumerate(lines(count, of=of, first=first), start=2):
                sheet.write(_row(number, line, known).encode())
            sheet.write(b"</sheetData></worksheet>")
        texts = "".join(f"<si><t>{escape(text)}</t></si>" for text in known)
        archive.writestr("xl/sharedStrings.xml", f'<?xml version="1.0" encoding="UTF-8"?><sst xmlns="{_MAIN}">{texts}</sst>')


def _copy_frame(archive: zipfile.ZipFile) -> None:
    """Everything but the sheet and its texts, from a workbook of openpyxl whose second style is a date."""
    frame, made = io.BytesIO(), Workbook()
    sheet: Any = made.active
    sheet.title, sheet["A1"], sheet["B1"] = "証書一覧", date(2026, 4, 1), "text"
    made.save(frame)
    with zipfile.ZipFile(frame) as parts:
        for name in parts.namelist():
            if name not in _OURS:
                archive.writestr(name, _with_texts(name, parts.read(name).decode()))


def _with_texts(name: str, part: str) -> str:
    """openpyxl writes texts into the cells; name the part that holds them here."""
    if name == "[Content_Types].xml":
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
        return part.replace("</Types>", f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}" /></Types>')
    if name == "xl/_rels/workbook.xml.rels":
        return part.replace("</Relationships>", f'<Relationship Id="texts" Type="{_RELATION}" Target="/xl/sharedStrings.xml" /></Relationships>')
    return part


def _row(number: int, values: tuple[str | date, ...], known: dict[str, int]) -> str:
    cells = "".join(
        f'<c r="{chr(65 + place)}{number}" s="1"><v>{(value - _EXCEL_BEGINS).days}</v></c>'
        if isinstance(value, date)
        else f'<c r="{chr(65 + place)}{number}" t="s"><v>{known.setdefault(value, len(known))}</v></c>'
        for place, value in enumerate(values)
    )
    return f'<row r="{number}">{cells}</row>'

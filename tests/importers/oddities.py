"""Workbooks that people and strangers really send: other programs' files, broken, hostile, enormous and oddly laid out; each kind drawn from a seed."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from random import Random
from typing import Any

import openpyxl
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.worksheet.worksheet import Worksheet

from tests.importers.workbooks import CERTIFICATES, HEADINGS, cells, first_sheet, line

File = tuple[str, bytes]
_SHEET, _STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
_CFB = bytes.fromhex("d0cf11e0a1b11ae1")


def _book(*rows: Sequence[Any], change: Callable[[Worksheet], object] | None = None, headings: Sequence[Any] = HEADINGS) -> bytes:
    book = openpyxl.Workbook()
    sheet = first_sheet(book)
    for row in [headings, *(rows or cells(line(1), line(2)))]:
        sheet.append(list(row))
    if change:
        change(sheet)
    return _saved(book)


def _saved(book: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _packed(parts: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


def _changed(name: str, change: Callable[[bytes], bytes], content: bytes | None = None) -> bytes:
    parts = _parts(content or _book())
    parts[name] = change(parts.get(name, b""))
    return _packed(parts)


def _csv(rows: Sequence[Sequence[Any]], separator: str = ",", end: str = "\r\n") -> str:
    return end.join(separator.join("" if cell is None else str(cell).split()[0] if isinstance(cell, date) else str(cell) for cell in row) for row in rows) + end


def _table() -> list[list[Any]]:
    return [list(HEADINGS), *cells(line(1), line(2))]


def other_program(random: Random) -> File:
    """What is no table at all, under the name of one."""
    content = random.choice(
        (
            b"", b"x", b"\x89PNG\r\n\x1a\n" + bytes(random.randrange(256) for _ in range(999)), b"%PDF-1.7\n%%EOF", b"MZ" + bytes(999), b"{\\rtf1 x}",
            b"\x1f\x8b\x08" + bytes(99), b"Rar!\x1a\x07\x00", b"\x7fELF" + bytes(99), b"\xff\xd8\xff\xe0" + bytes(99), b'{"a": 1}',
            b"From: a@b.example\r\n\r\nx",
            _packed({"word/document.xml": b"<w/>", "[Content_Types].xml": b"<Types/>"}), _packed({"a.txt": b"x"}), _packed({}),
        )
    )  # fmt: skip
    return random.choice(("証書.xlsx", "証書.xls", "証書.csv", "証書", "証書.ods", "証書.xlsb")), content


def wrong_name(random: Random) -> File:
    """A sound table by a name of another kind."""
    name, content = random.choice((("a.csv", _book()), ("a.xls", _book()), ("a.xlsx", _csv(_table()).encode()), ("a.ods", _csv(_table()).encode("cp932"))))
    return name, content


def truncated(random: Random) -> File:
    content = random.choice([_book(), *(path.read_bytes() for path in CERTIFICATES.iterdir() if path.suffix in (".xlsx", ".xls"))])
    return "途中まで.xlsx", content[: random.randrange(1, len(content))]


def bomb(random: Random) -> File:
    """A few kilobytes that unpack to hundreds of megabytes."""
    size = random.choice((64, 200, 400)) << 20
    part = random.choice((_SHEET, _STRINGS, "xl/styles.xml", "xl/media/image1.png"))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, whole in (_parts(_book()) | {part: b""}).items() if part.endswith("png") else _parts(_book()).items():
            with archive.open(name, "w") as target:
                target.write(whole)
                for _ in range(size >> 20 if name == part else 0):
                    target.write(b" " * (1 << 20))
    return "爆弾.xlsx", content.getvalue()


def declaration(random: Random) -> File:
    entity = random.choice(('<!DOCTYPE x [<!ENTITY a "b">]>', '<!DOCTYPE x SYSTEM "file:///etc/passwd">', '<!DOCTYPE x [<!ENTITY a "&a;&a;">]>'))
    return "宣言.xlsx", _changed(random.choice((_SHEET, "xl/workbook.xml", "[Content_Types].xml")), lambda part: entity.encode() + part)


def many_sheets(random: Random) -> File:
    book = openpyxl.Workbook()
    for number in range(random.choice((20, 60))):
        sheet = book.create_sheet(f"シート{number}")
        if random.random() < 0.7:
            for row in _table():
                sheet.append(row)
    return "たくさん.xlsx", _saved(book)


def nearly_empty(random: Random) -> File:
    return "空.xlsx", random.choice((_saved(openpyxl.Workbook()), _book((), headings=HEADINGS), _book((None,), headings=(None,)), _book((0,), headings=("a",))))


def declared_rows(random: Random) -> File:
    """A million rows that are declared, empty, or formatted without a value."""
    kind = random.randrange(4)
    if kind == 0:
        return "百万行.xlsx", _changed(_SHEET, lambda part: part.replace(b"A1:O3", b"A1:XFD1048576"))
    if kind == 1:
        empty = b"".join(b'<row r="%d"/>' % number for number in range(4, 1_000_000))
        return "百万行.xlsx", _changed(_SHEET, lambda part: part.replace(b"</sheetData>", empty + b"</sheetData>"))
    if kind == 2:
        styled = b"".join(b'<row r="%d"><c r="A%d" s="0"/></row>' % (number, number) for number in range(4, 600_000))
        return "百万行.xlsx", _changed(_SHEET, lambda part: part.replace(b"</sheetData>", styled + b"</sheetData>"))
    return "百万行.xlsx", _changed(_SHEET, lambda part: part.replace(b"</sheetData>", b'<row r="1000000"><c r="A1000000"><v>1</v></c></row></sheetData>'))


def merged(random: Random) -> File:
    areas = random.choice((["A1:O3"], ["A1:O1"], ["A2:A3", "B2:O2"], ["A1:XFD1048576"], [f"A{n}:O{n}" for n in range(1, 4)], ["B1:B3", "A1:C2"]))

    def merge(sheet: Worksheet) -> None:
        for area in areas:
            sheet.merge_cells(area)

    if "XFD" in areas[0]:
        mark = b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
        return "結合.xlsx", _changed(_SHEET, lambda part: part.replace(b"</sheetData>", mark))
    return "結合.xlsx", _book(change=merge)


def compound(random: Random) -> File:
    """The old container: encrypted workbooks, and what only begins like one."""
    body = bytearray(_CFB + bytes(random.choice((24, 504, 4096, 60_000))))
    for _ in range(random.choice((0, 20, 400))):
        body[random.randrange(8, len(body))] = random.randrange(256)
    name = random.choice(("EncryptedPackage", "Workbook", "Book", "WordDocument")).encode("utf-16-le")
    return random.choice(("鍵.xlsx", "鍵.xls")), bytes(body) + name + bytes(512)


def macros(random: Random) -> File:
    parts = _parts(_book()) | {"xl/vbaProject.bin": _CFB + bytes(2048), "xl/activeX/activeX1.xml": b"<a/>"}
    return random.choice(("マクロ.xlsm", "マクロ.xlsx")), _packed(parts)


def binary(random: Random) -> File:
    noise = bytes(random.randrange(256) for _ in range(2000))
    kinds = {"[Content_Types].xml": b"<Types/>", "_rels/.rels": b"<Relationships/>", "xl/workbook.bin": noise, "xl/worksheets/sheet1.bin": noise}
    return "二進.xlsb", _packed(kinds)


def open_document(random: Random) -> File:
    repeated = random.choice((1, 1_000, 1_000_000_000))
    body = f'<table:table table:name="a"><table:table-row table:number-rows-repeated="{repeated}"><table:table-cell table:number-columns-repeated="{repeated}" '
    body += 'office:value-type="string"><text:p>契約名</text:p></table:table-cell></table:table-row></table:table>'
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    content = f"<office:document-content {spaces}><office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    return "開く.ods", _packed({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": content.encode()}, zipfile.ZIP_STORED)


def markup(random: Random) -> File:
    """Tables that other systems save as .xls: HTML, XML of 2003, MHTML."""
    rows = "".join("<tr>" + "".join(f"<td>{'' if cell is None else cell}</td>" for cell in row) + "</tr>" for row in _table())
    content = random.choice(
        (
            f"<html><head><meta charset=utf-8></head><body><table>{rows}</table></body></html>",
            f'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet><Table>{rows}</Table></Worksheet></Workbook>',
            f"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<table>{rows}</table>",
            "<!DOCTYPE html><script>alert(1)</script>",
        )
    )
    return "出力.xls", content.encode(random.choice(("utf-8", "cp932", "utf-16")), "replace")


def encoded_text(random: Random) -> File:
    content = _csv(_table(), random.choice((",", "\t", ";", "|", ":", " ")), random.choice(("\r\n", "\n", "\r", "\n\r")))
    encoding = random.choice(("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp932", "euc-jp", "iso-2022-jp", "utf-7", "cp037"))
    return random.choice(("文字.csv", "文字.txt", "文字.tsv")), content.encode(encoding, "replace")


def long_text(random: Random) -> File:
    """Cells, lines and rows of a csv beyond all measure."""
    rows = _table()
    match random.randrange(6):
        case 0:
            rows[1][4] = "x" * 50_000
        case 1:
            rows[1][9] = '"' + "東\r\n" * 200_000
        case 2:
            rows += [[None] * 15] * 100_000
        case 3:
            rows[0] += [f"列{number}" for number in range(20_000)]
        case 4:
            rows = [["x" * 5_000_000]]
        case _:
            rows += [["=cmd|'/c calc'!A0", "@SUM(1)", "+1", "-1", "\t=1"]]
    return "長い.csv", _csv(rows).encode()


def control_characters(random: Random) -> File:
    rows, sign = _table(), random.choice(("\x00", "\x01", "\x1b[31m", "\u202e", "\ufeff", "\u200b", "\x7f", "\x85", "\u2028", "\x0b", "\ud7ff", "\U0010ffff"))
    rows[1][random.randrange(15)] = sign * random.choice((1, 3, 900))
    rows[random.randrange(2)][4] = f"CV{sign}1"
    return "制御.csv", _csv(rows).encode()


def shared_strings(random: Random) -> File:
    """Texts that cells share: far too many, far too long, or not there."""
    match random.randrange(4):
        case 0:
            many = b"".join(b"<si><t>text %d</t></si>" % number for number in range(400_000))
            return "共有.xlsx", _changed(_STRINGS, lambda part: part.replace(b"</sst>", many + b"</sst>"))
        case 1:
            long = b"<si><t>" + bytes(random.choice(b"abcdefgh") for _ in range(32_000)) * 400 + b"</t></si>"
            return "共有.xlsx", _changed(_STRINGS, lambda part: part.replace(b"</sst>", long + b"</sst>"))
        case 2:
            return "共有.xlsx", _changed(_SHEET, lambda part: part.replace(b't="s"><v>1', b't="s"><v>99999999'))
        case _:
            return "共有.xlsx", _changed(_STRINGS, lambda _: random.choice((b"", b"<sst/>", b"<sst><si/><si/></sst>", b"<x>")))


def odd_days(random: Random) -> File:
    """Days of the other calendar, before all calendars, and no days at all."""
    odd = random.choice(
        (-5, 0, 60, 2_958_466, 1e300, "1899/12/31", "令和99年1月1日", "2026/2/30", "あした", True, 46_113.999999, "０００１/１/１", "9999-99-99")
    )
    content = _book(*cells(line(1, starts_on=odd), line(2, ends_on=random.choice((odd, -1, "平成元年1月7日")))))
    if random.random() < 0.5:
        content = _changed("xl/workbook.xml", lambda part: part.replace(b"<workbookPr", b'<workbookPr date1904="1"'), content)
    return "日付.xlsx", content


def formulas(random: Random) -> File:
    """Formulas that go round in circles, into other workbooks, or have no value."""
    formula = random.choice(("=E2", "=B3", "='[1]Sheet1'!A1", '=WEBSERVICE("http://198.51.100.1/")', "=1/0", "=NOW()", '=HYPERLINK("http://x.example","JSC1")'))

    def put(sheet: Worksheet) -> None:
        for place in random.sample(["B2", "E2", "F2", "G3", "C3", "O2"], 2):
            sheet[place] = formula

    parts = _parts(_book(change=put))
    if random.random() < 0.5:
        parts["xl/externalLinks/externalLink1.xml"] = b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
    return "数式.xlsx", _packed(parts)


def ornaments(random: Random) -> File:
    """Charts, comments, filters, protection, panes, thousands of formats."""

    def adorn(sheet: Worksheet) -> None:
        chart = BarChart()
        chart.add_data(Reference(sheet, min_col=1, min_row=1, max_row=3))  # pyright: ignore[reportUnknownMemberType] - annotated in part
        sheet.add_chart(chart, "Q2")
        sheet["B2"].comment = Comment("確認中", "中村")
        sheet.auto_filter.ref = "A1:O3"
        sheet.protection.sheet = True
        sheet.freeze_panes = "B2"
        for number in range(random.choice((10, 2_000))):
            sheet.cell(2, 20 + number % 40).number_format = f'"{number}"0'

    return "飾り.xlsx", _book(change=adorn)


def wide(random: Random) -> File:
    """All columns that a sheet has."""
    columns = random.choice((300, 16_384))
    headings = [*HEADINGS, *(f"列{number}" for number in range(16, columns + 1))]
    rows = [[*row, *([1] * (columns - 15))] for row in cells(line(1))] if random.random() < 0.5 else cells(line(1), line(2))
    return "横長.xlsx", _book(*rows, headings=headings)


def headings(random: Random) -> File:
    """Headings twice, far below, in pieces, endless, or of nothing that is known."""
    match random.randrange(6):
        case 0:
            return "見出し.xlsx", _book(*([*row, *row] for row in cells(line(1))), headings=[*HEADINGS, *HEADINGS])
        case 1:
            return "見出し.xlsx", _book(*[("備考",)] * random.choice((38, 300)), HEADINGS, *cells(line(1)), headings=("証書の一覧",))
        case 2:
            return "見出し.xlsx", _book(headings=[name[:2] for name in HEADINGS])
        case 3:
            return "見出し.xlsx", _book(headings=[f"{name}{'あ' * 30_000}" for name in HEADINGS])
        case 4:
            return "見出し.xlsx", _book(headings=["名前", "住所", "電話"])
        case _:
            return "見出し.xlsx", _book(HEADINGS, HEADINGS, *cells(line(1)), HEADINGS)


def layouts(random: Random) -> File:
    """A form turned on its side, two tables beside or below each other, everything hidden."""
    rows = _table()
    match random.randrange(4):
        case 0:
            turned = list(zip(*rows, strict=True))
            return "縦.xlsx", _book(*turned[1:], headings=turned[0])
        case 1:
            return "二つ.xlsx", _book(*([*row, None, *row] for row in rows[1:]), headings=[*HEADINGS, None, *HEADINGS])
        case 2:
            return "二つ.xlsx", _book(*rows[1:], (), ("合計", 2), (), HEADINGS, *cells(line(3)))
        case _:

            def hide(sheet: Worksheet) -> None:
                for number in range(1, 4):
                    sheet.row_dimensions[number].hidden = True
                for letter in "ABCDEFG":
                    sheet.column_dimensions[letter].hidden = True

            return "隠れ.xlsx", _book(change=hide)


def tables(random: Random) -> File:
    """Table below table, in ever another order, by the thousand, or with headings that name everything in one cell."""
    rows = _table()
    match random.randrange(4):
        case 0:
            orders = [random.sample(range(15), 15) for _ in range(random.choice((2, 40, 2_000)))]
            return "並び.csv", _csv([[row[at] for at in order] for order in orders for row in rows]).encode()
        case 1:
            return "並び.csv", _csv([*rows, *([HEADINGS, rows[1]] * 20_000)]).encode()
        case 2:
            two = [[*HEADINGS[:9], *["会社", None] * 3], [*[None] * 9, *["会社名", "メール"] * 3]]
            return "並び.csv", _csv([*two, rows[1], *([*two, rows[2]] * random.choice((3, 9_000)))]).encode()
        case _:
            return "並び.xlsx", _book(*rows[1:], [" ".join(HEADINGS)] * 15, HEADINGS[::-1], *(row[::-1] for row in rows[1:]), ["開始日"] * 15, *rows[1:])


def package(random: Random) -> File:
    """Archives that are odd as archives: doubled, outward, in front of or behind other bytes, locked, beyond counting."""
    parts = _parts(_book())
    match random.randrange(7):
        case 0:
            return "箱.xlsx", _packed(parts | {"../../etc/passwd": b"x"})
        case 1:
            return "箱.xlsx", _packed(parts | {f"a/{number}": b"" for number in range(random.choice((1_000, 20_000)))})
        case 2:
            return "箱.xlsx", b"junk" * 1000 + _packed(parts)
        case 3:
            return "箱.xlsx", _packed(parts) + b"junk" * 1000
        case 4:
            locked = bytearray(_packed(parts))
            at = locked.rindex(b"PK\x01\x02")
            struct.pack_into("<H", locked, at + 8, 1)
            return "箱.xlsx", bytes(locked)
        case 5:
            return "箱.xlsx", _packed({name.upper(): part for name, part in parts.items()})
        case _:
            return "箱.xlsx", _packed(parts | {"xl/worksheets/sheet1.xml ": parts[_SHEET], "inner.zip": _packed(parts)})


def odd_markup(random: Random) -> File:
    """XML that is deep, doubled, in another encoding, or says impossible things of its cells."""
    deep = random.choice((1_000, 100_000))
    changes: list[Callable[[bytes], bytes]] = [
        lambda part: part.replace(b"<sheetData>", b"<a>" * deep + b"<sheetData>").replace(b"</sheetData>", b"</sheetData>" + b"</a>" * deep),
        lambda part: part.replace(b"<sheetData>", b"<!--" + b"x" * 3_000_000 + b"--><sheetData>"),
        lambda part: part.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        lambda part: part.replace(b'r="A2"', b'r="XFE2"'),
        lambda part: part.replace(b'r="A2"', b'r="A99999999"'),
        lambda part: part.replace(b"<row ", b'<row spans="1:99999999" ht="1e999" '),
        lambda part: part.replace(b"<v>", b"<v>&#0;"),
        lambda part: part.replace(b"</sheetData>", b"<row r='2'><c r='A2'><v>9</v></c></row></sheetData>"),
        lambda part: part + part,
    ]
    return "印.xlsx", _changed(_SHEET, random.choice(changes))


KINDS: tuple[Callable[[Random], File], ...] = (
    other_program, wrong_name, truncated, bomb, declaration, many_sheets, nearly_empty, declared_rows, merged, compound, macros, binary, open_document,
    markup, encoded_text, long_text, control_characters, shared_strings, odd_days, formulas, ornaments, wide, headings, layouts, tables, package, odd_markup,
)  # fmt: skip

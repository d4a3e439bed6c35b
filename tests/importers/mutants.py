"""Workbooks as the wild has them: copies of the samples, cut, swapped, renamed, mistyped, spelt in other encodings and layouts."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import openpyxl

from tests.importers.workbooks import CERTIFICATES, first_sheet

Parts = dict[str, bytes]
_MERGED = b"</sheetData><mergeCells>%s</mergeCells>"
RETAGS = (
    (b"<v>", b"<x>"),
    (b"<v>", b"<v><![CDATA["),
    (b"<c ", b"<c  "),
    (b"<c r=", b"<c s='1' r="),
    (b"<row ", b"<ROW "),
    (b"</row>", b"</row><row/>"),
    (b' r="', b' q="'),
    (b' t="s"', b' t="e"'),
    (b' t="s"', b' t="b"'),
    (b' t="s"', b' t="str"'),
    (b"<f>", b"<f t='shared' si='9'>"),
    (b"<t>", b"<t xml:space='preserve'>"),
    (b'main"', b'other"'),
    (b"<sheetData>", b"<!-- x --><sheetData>"),
    (b"<sheetData>", b"<cols><col min='0' max='99999' hidden='1'/><col min='x' max='' hidden='1'/></cols><sheetData>"),
    (b"</sheetData>", _MERGED % b"<mergeCell ref='A1:XFD1048576'/>"),
    (b"</sheetData>", _MERGED % b"<mergeCell ref='B3:B4'/><mergeCell ref='B3:C9'/><mergeCell ref='9A:'/>"),
)
"""What is written in a sheet, and what stands there instead."""
_BROKEN = (zipfile.BadZipFile, zlib.error, SyntaxError, ArithmeticError, LookupError, ValueError, OSError, EOFError, AttributeError, TypeError, UserWarning)
SAMPLES = sorted(path for path in CERTIFICATES.iterdir() if path.is_file())


def mutant(random: Random) -> tuple[str, bytes]:
    """One file and how it was made; the same for the same state of `random`."""
    sample = random.choice(SAMPLES)
    content = sample.read_bytes()
    ways: list[Callable[[Random, bytes], bytes]] = [cut, flip, repeat, wipe]
    if sample.suffix == ".xlsx":
        ways += [in_parts(way) for way in (swap_parts, drop_part, empty_part, double_part, mistype, mistype, mistype, retag, retag, unclose, renumber)]
        ways += [rename_sheet, relay, relay, as_csv]
    elif sample.suffix == ".csv":
        ways += [recode, recode, scramble_lines, scramble_lines, other_separator]
    told = [sample.name]
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        way = random.choice(ways)
        told.append(way.__name__)
        try:
            content = way(random, content)
        except _BROKEN:
            # What an earlier step broke cannot be taken apart any more, or only with a warning.
            told[-1] += "!"
    return " ".join(told), content


def cut(random: Random, content: bytes) -> bytes:
    """The end is missing, as after a broken download."""
    return content[: random.randrange(len(content))]


def flip(random: Random, content: bytes) -> bytes:
    """A few bytes are others."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 3, 20))):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def repeat(random: Random, content: bytes) -> bytes:
    """A piece stands there twice."""
    start = random.randrange(len(content))
    piece = content[start : start + random.choice((1, 512, 4096))]
    return content[:start] + piece + content[start:]


def wipe(random: Random, content: bytes) -> bytes:
    """A piece is all zeros."""
    start, length = random.randrange(len(content)), random.choice((1, 64, 2048))
    return content[:start] + bytes(len(content[start : start + length])) + content[start + length :]


def in_parts(way: Callable[[Random, Parts], None]) -> Callable[[Random, bytes], bytes]:
    """`way` done to the parts of the archive."""

    def changed(random: Random, content: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        way(random, parts)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", random.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))) as archive:
            for name, part in parts.items():
                archive.writestr(name, part)
        return packed.getvalue()

    changed.__name__ = way.__name__
    return changed


def swap_parts(random: Random, parts: Parts) -> None:
    one, other = random.sample(sorted(parts), 2)
    parts[one], parts[other] = parts[other], parts[one]


def drop_part(random: Random, parts: Parts) -> None:
    del parts[random.choice(sorted(parts))]


def empty_part(random: Random, parts: Parts) -> None:
    parts[random.choice(sorted(parts))] = random.choice((b"", b"<a/>", b"\xef\xbb\xbf", b"<?xml version='1.0'?>"))


def double_part(random: Random, parts: Parts) -> None:
    name = random.choice(sorted(parts))
    parts[random.choice((name.upper(), f"xl/worksheets/sheet{random.randrange(2, 9)}.xml", f"../{name}"))] = parts[name]


def mistype(random: Random, parts: Parts) -> None:
    """Values of attributes or texts of cells become others."""
    name = random.choice([each for each in sorted(parts) if each.endswith((".xml", ".rels"))])
    odd = random.choice(
        (b"", b"-1", b"0", b"1E400", b"99999999999999999999", b"AAAA1", b"A0", b"ZZZ1048577", b"&#0;", b"\xff\xfe", "〃".encode(), b"true", b"1e309")
    )
    places = list(re.finditer(rb'(?<==")[^"]*(?=")|(?<=<v>)[^<]*(?=</v>)|(?<=>)[^<>]+(?=</t>)', parts[name]))
    for place in sorted(random.sample(places, min(len(places), random.choice((1, 2, 9)))), key=lambda found: -found.start()):
        parts[name] = parts[name][: place.start()] + odd + parts[name][place.end() :]


def retag(random: Random, parts: Parts) -> None:
    """Elements and attributes get other names, a prefix, a comment or a CDATA section."""
    name = random.choice([each for each in sorted(parts) if "sheet" in each or "sharedStrings" in each])
    old, new = random.choice(RETAGS)
    parts[name] = parts[name].replace(old, new, random.choice((1, -1)))


def unclose(random: Random, parts: Parts) -> None:
    name = random.choice([each for each in sorted(parts) if each.endswith(".xml")])
    tags = list(re.finditer(rb"</?[a-zA-Z:]+[^>]*>", parts[name]))
    if tags:
        tag = random.choice(tags)
        parts[name] = parts[name][: tag.start()] + parts[name][tag.end() :]


def renumber(random: Random, parts: Parts) -> None:
    """Rows stand elsewhere than they say, or say that they stand very far off."""
    name = random.choice([each for each in sorted(parts) if "worksheets/sheet" in each])
    rows = list(re.finditer(rb'<row r="(\d+)"', parts[name]))
    row = random.choice(rows)
    number = str(random.choice((0, 1, 5, 70_000, 1_048_576, 1_048_577, 4_294_967_296))).encode()
    part = parts[name][: row.start(1)] + number + parts[name][row.end(1) :]
    parts[name] = re.sub(rb'(<c r="[A-Z]+)' + row.group(1) + rb'"', rb"\g<1>" + number + b'"', part)


def rename_sheet(random: Random, content: bytes) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(content))
    book.worksheets[0].title = random.choice(("x" * 31, "合計", "Ruckus", "'", "  ", "Sheet ☃", "種別 Juniper-SRX", "{sheet}", "%s"))
    return _saved(book)


def relay(random: Random, content: bytes) -> bytes:
    """Other layouts: rows and columns put in, merged, hidden, headings renamed or written twice."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = first_sheet(book)
    match random.randrange(7):
        case 0:
            sheet.insert_rows(1, random.choice((1, 5, 40)))
        case 1:
            sheet.insert_cols(1, random.choice((1, 3, 30)))
        case 2:
            sheet.merge_cells(start_row=random.randrange(1, 9), start_column=1, end_row=random.randrange(9, 12), end_column=random.randrange(1, 9))
        case 3:
            for column in random.sample(range(1, sheet.max_column + 1), min(sheet.max_column, 3)):
                sheet.cell(1, column, random.choice(("備考", "シリアル", "開始日", 3.5, "a" * 40_000, "終了日\n(至)", "契約番号 契約名")))
        case 4:
            sheet.insert_rows(2)
            for column in range(1, sheet.max_column + 1):
                sheet.cell(2, column, sheet.cell(1, column).value)
        case 5:
            for row in range(2, min(sheet.max_row, 9)):
                odd: Any = random.choice((True, 1e300, -5, "=1/0", "\u200b", "２０２６．４．１", "令和99年1月1日", "同上", "x" * 500))
                sheet.cell(row, random.randrange(1, 12), odd)
        case _:
            sheet.delete_cols(random.randrange(1, 12), random.choice((1, 4)))
    return _saved(book)


def as_csv(random: Random, content: bytes) -> bytes:
    """The sheet saved as text under the old name."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    lines = [random.choice((",", "\t", ";")).join("" if cell is None else str(cell) for cell in row) for row in first_sheet(book).iter_rows(values_only=True)]
    return "\r\n".join(lines).encode(random.choice(("utf-8", "utf-8-sig", "cp932", "utf-16")), "replace")


def recode(random: Random, content: bytes) -> bytes:
    """Another encoding, known or not."""
    return content.decode("cp932").encode(
        random.choice(("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "euc-jp", "iso-2022-jp", "utf-7")), "replace"
    )


def scramble_lines(random: Random, content: bytes) -> bytes:
    """Quotes, breaks and separators in odd places."""
    lines = content.split(b"\n")
    for _ in range(random.choice((1, 4))):
        at = random.randrange(len(lines))
        lines[at] = random.choice(
            (lines[at] + b'"', b'"' + lines[at], lines[at].replace(b",", b",,", 3), b"", lines[at] * 3, lines[at][:9], b"=" + lines[at], b"," * 3000, b"\r")
        )
    return b"\n".join(lines)


def other_separator(random: Random, content: bytes) -> bytes:
    return content.replace(b",", random.choice((b"\t", b";", b"|", b" ")))


def _saved(book: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()

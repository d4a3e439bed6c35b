"""Broken, hostile and mislabelled files get one clear refusal, and no process of ours is the worse for it (SECURITY §4 E 72-75)."""

from __future__ import annotations

import io
import resource
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from rules.limits import Limits
from rules.refusal import Refused
from tests.importers.workbooks import CERTIFICATES, cells, first_sheet, line, read_rows, reading, save
from wording.refusals import say

SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def refusal(path: Path, limits: Limits | None = None) -> str:
    """The code with which the file is refused, within ten seconds of work and with a sentence."""
    begun = work()
    with pytest.raises(Refused) as refused, reading(path, limits=limits):
        pass
    assert work() - begun < 10
    assert say(refused.value).endswith(("。", "（DTD 不可）。"))
    return refused.value.code


def work() -> float:
    """Processor seconds that the children took so far: a busy machine is no fault of the file."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def remade(path: Path, change: Callable[[str, bytes], bytes | None], extra: dict[str, bytes] | None = None) -> Path:
    """A sound workbook with its parts changed; None leaves a part out."""
    sound = save(path.with_suffix(".sound.xlsx"), cells(line(1), line(2)))
    with zipfile.ZipFile(sound) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            part = change(name, source.read(name))
            if part is not None:
                target.writestr(name, part)
        for name, part in (extra or {}).items():
            target.writestr(name, part)
    return path


def same(name: str, part: bytes) -> bytes:
    return part


def in_sheet(old: bytes, new: bytes) -> Callable[[str, bytes], bytes]:
    """Replace something in the worksheet."""

    def change(name: str, part: bytes) -> bytes:
        assert name != SHEET or old in part
        return part.replace(old, new) if name == SHEET else part

    return change


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   \r\n",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00",
        b"<!DOCTYPE html><html><table><tr><td>1</td></tr></table></html>",
        b"<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'/>",
        b"%PDF-1.7\n",
        b"PK\x05\x06" + b"\0" * 18,
        b"PK\x03\x04 and nothing more",
        bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 2000,
        bytes.fromhex("d0cf11e0a1b11ae1") + "Workbook".encode("utf-16-le") + b"\xff" * 1000,
        b"\x09\x08\x10\x00",
        b"\xff\xfe\x00\xd8",
    ],
)
def test_what_is_no_workbook_is_refused_whatever_its_name_says(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "一覧.xlsx"
    path.write_bytes(content)

    assert refusal(path) == "workbook_unreadable"


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("name", ["2026-11_証書一覧.xlsx", "旧契約一覧_2013-2018.xls"])
def test_a_file_cut_off_is_refused(tmp_path: Path, name: str, share: float) -> None:
    content = (CERTIFICATES / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: int(len(content) * min(share, 0.9 if name.endswith("xls") else 1))])

    assert refusal(path) == "workbook_unreadable"


def test_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    content = bytearray((CERTIFICATES / "2026-11_証書一覧.xlsx").read_bytes())
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        sheet = archive.getinfo(SHEET)
    content[sheet.header_offset + 2000] ^= 0x10
    path = tmp_path / "一覧.xlsx"
    path.write_bytes(bytes(content))

    assert refusal(path) == "workbook_unreadable"


def test_an_encrypted_workbook_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "一覧.xlsx"
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 1000 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 1000)

    assert refusal(path) == "workbook_encrypted"


@pytest.mark.parametrize("declaration", ['<!DOCTYPE worksheet [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]>', '<!DOCTYPE x SYSTEM "file:///etc/passwd">'])
@pytest.mark.parametrize("part", [SHEET, "xl/styles.xml", "xl/workbook.xml", "[Content_Types].xml", "xl/_rels/workbook.xml.rels"])
def test_a_declaration_in_any_part_is_refused(tmp_path: Path, part: str, declaration: str) -> None:
    def declare(name: str, content: bytes) -> bytes:
        head, sign, rest = content.partition(b"?>") if content.startswith(b"<?xml") else (b"", b"", content)
        return head + sign + declaration.encode() + rest if name == part else content

    assert refusal(remade(tmp_path / "一覧.xlsx", declare)) == "workbook_dtd"


def test_a_declaration_in_utf_16_is_refused_too(tmp_path: Path) -> None:
    def declare(name: str, content: bytes) -> bytes:
        return '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x><x/>'.encode("utf-16") if name == "xl/styles.xml" else content

    assert refusal(remade(tmp_path / "一覧.xlsx", declare)) == "workbook_dtd"


@pytest.mark.parametrize("name", ["../outside.xml", "/etc/passwd", "xl/../../x.xml", "C:\\x.xml", "xl\\..\\..\\x.xml"])
def test_an_entry_that_leads_outward_is_refused(tmp_path: Path, name: str) -> None:
    assert refusal(remade(tmp_path / "一覧.xlsx", same, {name: b"<x/>"})) == "workbook_entries"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", [SHEET, SHEET.upper(), SHEET.replace("/", "\\")])
def test_a_second_entry_of_one_name_is_refused(tmp_path: Path, name: str) -> None:
    assert refusal(remade(tmp_path / "一覧.xlsx", same, {name: b"<x/>"})) == "workbook_entries"


def test_two_thousand_entries_are_read_and_more_are_refused(tmp_path: Path) -> None:
    few = remade(tmp_path / "few.xlsx", same, {f"xl/media/{number}.txt": b"" for number in range(1_900)})
    many = remade(tmp_path / "many.xlsx", same, {f"xl/media/{number}.txt": b"" for number in range(2_001)})

    assert len(read_rows(few)) == 2
    assert refusal(many) == "workbook_entries"


def test_blanks_that_unpack_to_hundreds_of_megabytes_are_refused_by_what_they_declare(tmp_path: Path) -> None:
    path = remade(tmp_path / "一覧.xlsx", same)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/worksheets/sheet2.xml", "w", force_zip64=True) as part:
        for _ in range(210):
            part.write(b" " * 1_000_000)

    assert refusal(path) == "workbook_too_large"


def test_a_part_that_packs_too_well_is_refused(tmp_path: Path) -> None:
    assert refusal(remade(tmp_path / "一覧.xlsx", same, {"xl/worksheets/sheet2.xml": b" " * 5_000_000})) == "workbook_too_large"


def test_a_part_that_is_larger_than_it_declares_is_refused(tmp_path: Path) -> None:
    path = remade(tmp_path / "一覧.xlsx", same)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        declared = archive.getinfo(SHEET).file_size
    position = -1
    while (position := content.find(struct.pack("<L", declared), position + 1)) >= 0:
        content[position : position + 4] = struct.pack("<L", declared - 500)
    path.write_bytes(bytes(content))

    assert refusal(path) == "workbook_entries"


def test_a_cell_at_the_far_corner_is_refused_by_its_name(tmp_path: Path) -> None:
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'

    path = remade(tmp_path / "一覧.xlsx", in_sheet(b"</sheetData>", far))

    with pytest.raises(Refused) as refused, reading(path):
        pass
    assert (refused.value.code, refused.value.facts) == ("workbook_far_cell", {"sheet": "証書一覧", "cell": "XFD1048576"})
    assert refusal(path) == "workbook_far_cell"


def test_formats_without_values_reach_as_far_as_they_like(tmp_path: Path) -> None:
    far = b'<row r="1048576" hidden="1"><c r="XFD1048576" s="1"/></row></sheetData>'

    assert [row.row for row in read_rows(remade(tmp_path / "一覧.xlsx", in_sheet(b"</sheetData>", far)))] == [2, 3]


def test_a_row_beyond_the_last_one_is_refused(tmp_path: Path) -> None:
    far = b'<row r="4294967295"><c r="A4294967295"><v>1</v></c></row></sheetData>'

    assert refusal(remade(tmp_path / "一覧.xlsx", in_sheet(b"</sheetData>", far))) == "workbook_unreadable"


@pytest.mark.parametrize("reference", [b"A1:XFD1048576", b"A1", b"C7:D9"])
def test_declared_dimensions_are_never_believed(tmp_path: Path, reference: bytes) -> None:
    path = remade(tmp_path / "一覧.xlsx", in_sheet(b'<dimension ref="A1:O3"', b'<dimension ref="' + reference + b'"'))

    assert [row.row for row in read_rows(path)] == [2, 3]


def test_three_thousand_wide_merges_cost_nothing(tmp_path: Path) -> None:
    merges = b"".join(b'<mergeCell ref="A%d:XFD%d"/>' % (row, row + 1000) for row in range(10, 3010))
    path = remade(tmp_path / "一覧.xlsx", in_sheet(b"</sheetData>", b'</sheetData><mergeCells count="3000">' + merges + b"</mergeCells>"))
    begun = work()

    assert [row.row for row in read_rows(path)] == [2, 3]
    assert work() - begun < 5


def test_errors_beyond_counting_are_refused(tmp_path: Path) -> None:
    noise = zlib.crc32
    rows = b"".join(
        b'<row r="%d">' % row
        + b"".join(b'<c r="%c%d" t="e"><v>#N/A%d</v></c>' % (65 + column, row, noise(b"%d" % (row * 26 + column))) for column in range(26))
        + b"</row>"
        for row in range(4, 20_004)
    )

    assert refusal(remade(tmp_path / "一覧.xlsx", in_sheet(b"</sheetData>", rows + b"</sheetData>"))) == "workbook_too_large"


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    assert refusal(save(tmp_path / "一覧.xlsx", cells(line())), Limits(workbook_bytes=1000)) == "workbook_bytes"


def test_more_lines_than_the_limit_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "一覧.xlsx", cells(line(1), line(2), line(3)))

    assert refusal(path, Limits(workbook_rows=2)) == "workbook_rows"


def test_reading_stays_within_its_memory(tmp_path: Path) -> None:
    path = remade(tmp_path / "一覧.xlsx", in_sheet(b"</sheetData>", b'<row r="500000"><c r="R500000"><v>1</v></c></row></sheetData>'))

    with pytest.raises(Refused), reading(path):
        pass

    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 600_000


def test_a_document_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "一覧.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<document/>")

    assert refusal(path) == "workbook_unreadable"


def test_macros_are_never_looked_at_and_their_workbook_is_read(tmp_path: Path) -> None:
    path = remade(tmp_path / "一覧.xlsm", same, {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0 not a project"})

    assert len(read_rows(path)) == 2


def test_a_workbook_without_any_row_says_so_by_its_sheets(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first_sheet(book).title = "白紙"
    book.save(tmp_path / "一覧.xlsx")

    with reading(tmp_path / "一覧.xlsx") as found:
        assert found.row_count == 0
        assert [sheet.skipped for sheet in found.sheets] == ["シート「白紙」は、見出し行がないため読み込んでいません。"]

"""What a file is, told by its content, and the checks an archive passes before any spreadsheet reader sees it."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Protocol

from rules.refusal import Refused

MOST_ENTRIES = 2_000
MOST_UNPACKED = 200_000_000
"""Bytes, of all entries together, declared and counted."""
MOST_RATIO = 200
RATIO_FROM = 1_000_000
"""Bytes unpacked below which the ratio proves nothing: an empty template of styles packs very well."""
KEPT_PART = 8_000_000
"""Bytes: workbook, relations and styles are kept whole; larger ones are no part of a list of contracts."""
KEPT_TEXTS = 10_000_000
"""Bytes up to which the part of texts that cells share is kept: a sheet is then read while it is unpacked (`importers.pieces`)."""

_STEP = 256 * 1024
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_BARE_BIFF = (b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\x00")
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_WORKBOOK_STREAMS = ("Workbook".encode("utf-16-le"), "Book".encode("utf-16-le"))
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
FILLING = b"\x1a\0"
"""What old systems write behind the last line of a text."""
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_TEXT_NO_CSV = (b"<", b"%PDF", b"{\\rtf")
_LOCAL_HEADER = 30
_DECLARATION = re.compile(rb"<\0?!\0?(?:D\0?O\0?C\0?T|E\0?N\0?T\0?I)")
"""In UTF-8 or, with its zero bytes, in UTF-16."""
_LONGEST_DECLARATION = 16
_KEPT = re.compile(r"(?:workbook[^/]*\.xml(?:\.rels)?|styles[^/]*\.xml)$|^_rels/\.rels$")
_TEXTS = re.compile(r"sharedstrings[^/]*\.xml$")
_MARKUP = (".xml", ".rels", ".vml")


class Kind(StrEnum):
    """The formats that are read; xlsm counts as xlsx, its macros are never looked at."""

    XLSX = "xlsx"
    XLSB = "xlsb"
    ODS = "ods"
    XLS = "xls"
    CSV = "csv"


class SheetSink(Protocol):
    """Takes the bytes of one worksheet part as they are unpacked."""

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        ...

    def close(self) -> None:
        """No more will come."""
        ...


class SheetSinks(Protocol):
    """Makes a sink for the worksheet part of that name and size; what `package` keeps is there by then."""

    def __call__(self, part: str, size: int, package: Package, /) -> SheetSink:
        """The sink of one part."""
        ...


@dataclass
class Package:
    """An archive that passed its checks."""

    kind: Kind
    kept: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """The small parts that say how the workbook hangs together, by lower-case name."""
    texts: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """The part of texts that cells share, where it is no larger than `KEPT_TEXTS`."""
    names: dict[str, str] = field(default_factory=dict[str, str])
    """All parts, in lower case, and how they are spelt."""
    is_whole: bool = True
    """Whether no part that says how worksheets are to be read was too large to be kept."""

    @property
    def styles(self) -> bytes:
        """The styles part, b"" without one."""
        return next((part for name, part in self.kept.items() if "styles" in name), b"")


def tell_kind(path: Path) -> Kind:
    """The format of the file, whatever its name says.

    Refuses workbook_encrypted, workbook_unreadable (empty, a picture, a page, another kind of document).
    """
    with path.open("rb") as file:
        head = file.read(4096)
        if head.startswith(b"PK\x03\x04"):
            return _kind_of_archive(path)
        if head.startswith(_OLE):
            return _kind_of_compound(head + file.read())
    if head.startswith(_BARE_BIFF):
        return Kind.XLS
    if not head.strip() or (not head.startswith(_UTF16) and _NOT_TEXT.search(head.rstrip(FILLING))):
        raise Refused("workbook_unreadable")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_TEXT_NO_CSV):
        raise Refused("workbook_unreadable")
    return Kind.CSV


def check_archive(path: Path, kind: Kind, sinks: SheetSinks | None = None) -> Package:
    """Unpack every entry once, counting what comes out, and hand worksheet parts to `sinks` on the way.

    Refuses workbook_entries (too many, double, outward names, lying sizes), workbook_too_large (declared or counted
    size, ratio), workbook_dtd, workbook_encrypted, workbook_unreadable (SECURITY §4 E 72-74).
    """
    package = Package(kind)
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        entries = archive.infolist()
        _check_directory(entries)
        package.names = {_lower(entry): entry.filename for entry in entries}
        for entry in sorted(entries, key=_comes_later):
            _check_entry(file, entry, package, sinks)
    return package


def unpack_part(path: Path, part: str) -> Iterator[bytes]:
    """The bytes of the part of that lower-case name, once more."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        entry = next(entry for entry in archive.infolist() if _lower(entry) == part)
        yield from _unpack(file, entry)


def _kind_of_archive(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [_lower(entry) for entry in archive.infolist()[: MOST_ENTRIES + 1]]
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError) as fault:
        raise Refused("workbook_unreadable") from fault
    if len(names) > MOST_ENTRIES:
        raise Refused("workbook_entries")
    if "xl/workbook.bin" in names:
        return Kind.XLSB
    if "[content_types].xml" in names and any("workbook" in name for name in names):
        return Kind.XLSX
    if "content.xml" in names:
        return Kind.ODS
    raise Refused("workbook_unreadable")


def _kind_of_compound(content: bytes) -> Kind:
    if _ENCRYPTED_STREAM in content:
        raise Refused("workbook_encrypted")
    if not any(stream in content for stream in _WORKBOOK_STREAMS):
        raise Refused("workbook_unreadable")
    return Kind.XLS


def _check_directory(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise Refused("workbook_entries")
    names = list(map(_lower, entries))
    # Of two entries with one name two readers may see two contents.
    if len(set(names)) != len(names) or any(_leads_out(name) for name in names):
        raise Refused("workbook_entries")
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise Refused("workbook_encrypted")
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise Refused("workbook_unreadable")
    if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise Refused("workbook_too_large")
    if any(entry.file_size > RATIO_FROM and entry.file_size > MOST_RATIO * entry.compress_size for entry in entries):
        raise Refused("workbook_too_large")


def _leads_out(name: str) -> bool:
    return name.startswith("/") or "\0" in name or ":" in name or ".." in name.split("/")


def _check_entry(file: IO[bytes], entry: zipfile.ZipInfo, package: Package, sinks: SheetSinks | None) -> None:
    name = _lower(entry)
    markup = name.endswith(_MARKUP)
    into = _kept_in(entry, package)
    kept: list[bytes] = []
    sink: SheetSink | None = None
    tail = b""
    for number, piece in enumerate(_ahead(_unpack(file, entry)) if entry.file_size > _STEP else _unpack(file, entry)):
        if markup:
            if _declares(piece) or _declares(tail + piece[:_LONGEST_DECLARATION]):
                raise Refused("workbook_dtd")
            tail = piece[-_LONGEST_DECLARATION:]
        if number == 0 and sinks is not None and b"worksheet" in piece[:2048] and "/_rels/" not in name and markup:
            sink = sinks(name, entry.file_size, package)
        if sink is not None:
            sink.feed(piece)
        if into is not None:
            kept.append(piece)
    if sink is not None:
        sink.close()
    if into is not None:
        into[name] = b"".join(kept)


def _kept_in(entry: zipfile.ZipInfo, package: Package) -> dict[str, bytes] | None:
    """Where the entry is kept, None where it is not."""
    name = _lower(entry)
    for pattern, most, into in ((_KEPT, KEPT_PART, package.kept), (_TEXTS, KEPT_TEXTS, package.texts)):
        if pattern.search(name):
            package.is_whole = package.is_whole and entry.file_size <= most
            return into if entry.file_size <= most else None
    return None


def _comes_later(entry: zipfile.ZipInfo) -> bool:
    """Whether the entry is unpacked after those that say how worksheets are to be read."""
    name = _lower(entry)
    return not (_KEPT.search(name) or _TEXTS.search(name))


def _lower(entry: zipfile.ZipInfo) -> str:
    """The entry's name as parts are looked for."""
    return entry.filename.replace("\\", "/").lower()


def _declares(piece: bytes) -> bool:
    return b"!" in piece and bool(_DECLARATION.search(piece))


def _ahead(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """`pieces`, the next one unpacked while this one is looked at: unpacking leaves the interpreter free."""
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(next, pieces, b"")
        while piece := coming.result():
            coming = beside.submit(next, pieces, b"")
            yield piece


def _unpack(file: IO[bytes], entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The entry's bytes as any reader would get them; never more than it declares, whatever its stream holds."""
    file.seek(entry.header_offset)
    header = file.read(_LOCAL_HEADER)
    if len(header) != _LOCAL_HEADER or header[:4] != b"PK\x03\x04":
        raise Refused("workbook_unreadable")
    file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    counted, check, left = 0, 0, entry.compress_size
    inflate = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    packed = b""
    while True:
        if not packed and left:
            packed = file.read(min(_STEP, left))
            left = left - len(packed) if packed else 0
        piece = packed if inflate is None else inflate.decompress(packed, 4 * _STEP)
        packed = b"" if inflate is None else inflate.unconsumed_tail
        if not piece and not packed and not left:
            break
        counted += len(piece)
        if counted > entry.file_size:
            raise Refused("workbook_entries")
        check = zlib.crc32(piece, check)
        if piece:
            yield piece
    if counted != entry.file_size or check != entry.CRC or (inflate is not None and not inflate.eof):
        raise Refused("workbook_unreadable")

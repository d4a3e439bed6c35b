"""Reading a request's body: fields in memory within limits, files spooled to disk and cut while they stream."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from functools import cache
from typing import IO, Any, cast
from urllib.parse import parse_qsl

from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from rules.limits import Limits
from web.forms import BadRequest

_FIELD_BYTES = 4 * 1024 * 1024
_FIELDS = 2000
_FILES = 100
_MARKS_AT_ONCE = 200
"""No writing puts so many combining marks on one letter."""


class TooLarge(Exception):
    """A body or a file is over its limit; reading stopped there. `file` names it, "" for the whole post."""

    def __init__(self, limit: int, file: str = "") -> None:
        super().__init__(limit, file)
        self.limit = limit
        self.file = file


@dataclass
class Body:
    """Fields by name (several values each) and the files, in the order they came."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: list[tuple[str, UploadFile]] = field(default_factory=list)

    def close(self) -> None:
        """Release the files' disk space."""
        for _, upload in self.files:
            upload.file.close()


async def read_body(request: Request, *, limits: Limits, uploads: bool) -> Body:
    """The body of a form post.

    Raises TooLarge while streaming when the body or one file passes its limit, BadRequest when it is no form.
    """
    limit = limits.post_bytes + _FIELD_BYTES if uploads else _FIELD_BYTES
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise TooLarge(limits.post_bytes if uploads else limit)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    stream = _limited(request, limit, limits.post_bytes if uploads else limit)
    if kind == "multipart/form-data":
        body = await _read_multipart(request, stream, limits)
    elif kind in {"application/x-www-form-urlencoded", ""}:
        body = await _read_urlencoded(stream)
    else:
        raise BadRequest(f"a form cannot be {kind}")
    if any(_is_piled(value) for values in body.fields.values() for value in values):
        body.close()
        raise BadRequest(f"more than {_MARKS_AT_ONCE} combining marks in a row")
    return body


def _is_piled(text: str) -> bool:
    """Whether `text` piles up marks: normalising sorts each pile in quadratic time, and one of a million would hold the process for an hour."""
    return len(text) > _MARKS_AT_ONCE and not text.isascii() and _piles().search(text) is not None


@cache
def _piles() -> re.Pattern[str]:
    marks = [chr(code) for code in range(0x300, 0x1F000) if unicodedata.combining(unicodedata.normalize("NFKD", chr(code))[0])]
    return re.compile(f"[{''.join(marks)}]{{{_MARKS_AT_ONCE + 1}}}")


async def _limited(request: Request, limit: int, told: int) -> AsyncGenerator[bytes, None]:
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read > limit:
            raise TooLarge(told)
        yield chunk


async def _read_urlencoded(stream: AsyncGenerator[bytes, None]) -> Body:
    raw = b"".join([chunk async for chunk in stream])
    body = Body()
    try:
        pairs = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, strict_parsing=False, max_num_fields=_FIELDS, errors="strict")
    except ValueError as fault:
        raise BadRequest("the form's text is no UTF-8") from fault
    for name, value in pairs:
        body.fields.setdefault(name, []).append(value)
    return body


async def _read_multipart(request: Request, stream: AsyncGenerator[bytes, None], limits: Limits) -> Body:
    parser = _Parser(request.headers, stream, file_bytes=limits.attachment_bytes)
    try:
        form = await parser.parse()
    except MultiPartException as fault:
        raise BadRequest("the form's parts are broken") from fault
    body = Body()
    for name, value in form.multi_items():
        if isinstance(value, str):
            body.fields.setdefault(name, []).append(value)
        elif value.filename:
            body.files.append((name, value))
        else:
            value.file.close()
    return body


class _Parser(MultiPartParser):
    """Starlette's parser with a limit per file, texts in UTF-8 whatever the sender calls them, and file names of a Japanese Windows in its code page."""

    def __init__(self, headers: Any, stream: AsyncGenerator[bytes, None], *, file_bytes: int) -> None:
        super().__init__(headers, stream, max_files=_FILES, max_fields=_FIELDS, max_part_size=_FIELD_BYTES)
        self._file_bytes = file_bytes
        self._current_bytes = 0

    def on_part_begin(self) -> None:
        super().on_part_begin()
        # Some of Python's codecs make text that no database takes, others fail in ways of their own.
        self._charset = "utf-8"

    def on_part_end(self) -> None:
        if self._current_part.file is None and not _is_utf8(self._current_part.data):
            raise MultiPartException("a field is no UTF-8")
        super().on_part_end()

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        self._current_bytes = 0
        upload = self._current_part.file
        if upload is not None:
            _, options = parse_options_header(self._current_part.content_disposition)
            upload.filename = decode_name(options.get(b"filename", b""))

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        upload = self._current_part.file
        if upload is not None:
            self._current_bytes += end - start
            if self._current_bytes > self._file_bytes:
                raise TooLarge(self._file_bytes, upload.filename or "")
        super().on_part_data(data, start, end)


def _is_utf8(raw: bytearray) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def decode_name(raw: bytes) -> str:
    """A file's name as text: UTF-8, else the Windows code page of Japan, else with marks where bytes made no sense."""
    for encoding in ("utf-8", "cp932"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")


def stream_of(upload: UploadFile) -> IO[bytes]:
    """The spooled file behind an upload."""
    return cast("IO[bytes]", upload.file)

"""Files that people sent, handed out as downloads only: never shown, never run."""

from __future__ import annotations

from itertools import chain
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from models.tickets import Attachment
from storage.store import Store
from web.errors import NotFound


def download(store: Store, attachment: Attachment) -> Response:
    """The bytes of `attachment`, streamed, under its cleaned name in both forms of RFC 6266. Raises NotFound where the storage has lost them."""
    chunks = store.chunks(attachment.storage_key)
    try:
        first = next(chunks, b"")
    except FileNotFoundError as lost:
        raise NotFound from lost
    return StreamingResponse(
        chain([first], chunks),
        media_type="application/octet-stream",
        headers={
            "content-disposition": disposition(attachment.name),
            "content-length": str(attachment.size),
            "content-security-policy": "sandbox; default-src 'none'",
            "x-content-type-options": "nosniff",
            "cache-control": "private, no-store",
        },
    )


def disposition(name: str) -> str:
    """`Content-Disposition` with an ASCII stand-in for old clients and the name itself in UTF-8."""
    plain = "".join(sign if sign.isascii() and sign.isprintable() and sign not in '"\\%' else "_" for sign in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"

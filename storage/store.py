"""Putting, streaming and deleting attachment bytes through obstore."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_CHUNK = 1024 * 1024
_BEGUN = re.compile(r".+#\d+")
"""How obstore calls a file in a folder while it is written; no listing shows it, and who is killed leaves it."""


@dataclass(frozen=True)
class Stored:
    """What was stored: the key, the size in bytes and the SHA-256 in hex."""

    key: str
    size: int
    sha256: str


class StorageFault(OSError):
    """The place took no bytes: it is full, may not be written, or does not answer. What was begun is gone again."""


class Store:
    """The attachments' place. Keys are random; names that people gave never reach it."""

    def __init__(self, opening: Callable[[], ObjectStore], folder: Path | None = None) -> None:
        self._opening = opening
        self._folder = folder

    @cached_property
    def _objects(self) -> ObjectStore:
        """The place itself, opened when a file first comes or goes: most processes only show pages, and the library takes 4 MB of each."""
        return self._opening()

    def put(self, file: IO[bytes], *, folder: str = "attachments") -> Stored:
        """Store all bytes of `file` from its beginning, in chunks; memory stays flat. Raises StorageFault."""
        file.seek(0)
        return self.keep(f"{folder}/{secrets.token_hex(16)}", iter(lambda: file.read(_CHUNK), b""))

    def keep(self, key: str, chunks: Iterable[bytes]) -> Stored:
        """Store `chunks` under a key they had elsewhere; memory stays flat. Raises StorageFault."""
        digest = hashlib.sha256()
        size = 0

        def counted() -> Iterator[bytes]:
            nonlocal size
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                yield chunk

        objects = self._objects
        from obstore.exceptions import BaseError  # loaded by now, see `_objects`

        try:
            objects.put(key, counted())
        except BaseError as fault:
            raise StorageFault(str(fault).partition("\n")[0]) from fault
        return Stored(key, size, digest.hexdigest())

    def digest(self, key: str) -> Stored:
        """Size and SHA-256 of the bytes under `key`. Raises FileNotFoundError when there are none."""
        digest, size = hashlib.sha256(), 0
        for chunk in self.chunks(key):
            digest.update(chunk)
            size += len(chunk)
        return Stored(key, size, digest.hexdigest())

    def size(self, key: str) -> int | None:
        """How many bytes lie under `key`, None when it is not there."""
        try:
            return self._objects.head(key)["size"]
        except FileNotFoundError:
            return None

    def chunks(self, key: str) -> Iterator[bytes]:
        """The bytes under `key`, streamed. Raises FileNotFoundError when there are none."""
        for chunk in self._objects.get(key).stream(min_chunk_size=_CHUNK):
            yield bytes(chunk)

    def fetch(self, key: str, target: Path) -> None:
        """Write the bytes under `key` into the file `target`. Raises FileNotFoundError when there are none, StorageFault when the place does not answer."""
        chunks = self.chunks(key)
        from obstore.exceptions import BaseError

        with target.open("wb") as file:
            try:
                for chunk in chunks:
                    file.write(chunk)
            except FileNotFoundError:
                raise
            except BaseError as fault:
                raise StorageFault(str(fault).partition("\n")[0]) from fault

    def delete(self, key: str) -> None:
        """Remove the bytes under `key`; nothing happens when there are none. Raises StorageFault."""
        objects = self._objects
        from obstore.exceptions import BaseError

        try:
            objects.delete(key)
        except FileNotFoundError:
            return
        except BaseError as fault:
            raise StorageFault(str(fault).partition("\n")[0]) from fault

    def listing(self, folder: str = "attachments") -> Iterator[tuple[str, Any]]:
        """Every key below `folder` with the moment of its last change."""
        for page in self._objects.list(prefix=folder):  # pyright: ignore[reportUnknownMemberType] - the wheel annotates it in part
            for entry in page:
                yield entry["path"], entry["last_modified"]

    def forget_begun(self, *, older: timedelta) -> int:
        """Remove what was begun and has not grown for so long, for whoever wrote it was killed; how many files. A bucket keeps such parts to itself."""
        if self._folder is None:
            return 0
        forgotten, before = 0, time.time() - older.total_seconds()
        for path in self._folder.glob("*/*#*"):
            with suppress(FileNotFoundError):
                if _BEGUN.fullmatch(path.name) and path.stat().st_mtime < before:
                    path.unlink()
                    forgotten += 1
        return forgotten

    def probe(self) -> None:
        """Write, read and delete a small object. Raises StorageFault."""
        key = f"probe/{secrets.token_hex(8)}"
        objects = self._objects
        from obstore.exceptions import BaseError

        try:
            objects.put(key, b"probe")
            read = bytes(objects.get(key).bytes())
            objects.delete(key)
        except BaseError as fault:
            raise StorageFault(str(fault).partition("\n")[0]) from fault
        if read != b"probe":
            raise StorageFault("the storage returned other bytes than were written")


def open_store(url: str) -> Store:
    """The store of `url`: ``file:///folder`` (made when missing) or ``s3://bucket/prefix`` (credentials from AWS_* variables)."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        folder = Path(unquote(parts.path))
        folder.mkdir(parents=True, exist_ok=True)
        return Store(partial(_local, folder), folder)
    return Store(partial(_bucket, parts.netloc, parts.path.strip("/")))


def _local(folder: Path) -> ObjectStore:
    from obstore.store import LocalStore

    return LocalStore(prefix=folder)


def _bucket(name: str, prefix: str) -> ObjectStore:
    from obstore.store import S3Store

    return S3Store(name, prefix=prefix or None)

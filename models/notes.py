"""Notes beside a database that lives in a file: what a process has done and will put into the database with its next transaction.

A note takes microseconds and outlives the process that is killed; a transaction of SQLite takes a fifth of a millisecond, and all writers wait for it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, Engine

from models.database import embedded_file

_WRITE = json.JSONEncoder(separators=(",", ":")).encode
_FORGOTTEN_SECONDS = 3600.0
"""After so long the file of a process that writes no more may go, once there is nothing to do for any of its notes."""


class Notes:
    """The notes of one process: a file that is there as long as one of them is not in the database yet."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / token_hex(8)
        self._file: int | None = None

    def add(self, note: object) -> None:
        """Keep `note`, whatever becomes of this process. Raises OSError when it could not be written."""
        if self._file is None:
            self._path.parent.mkdir(exist_ok=True)
            self._file = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        # The line's end comes first: what a full disk left of an earlier note spoils none but itself.
        line = b"\n" + _WRITE(note).encode("ascii")
        if os.write(self._file, line) != len(line):
            raise OSError("a note was cut")

    def clear(self) -> None:
        """Forget them: they are in the database."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
            with suppress(OSError):
                self._path.unlink(missing_ok=True)


def notes_folder(bind: Engine | Connection) -> Path | None:
    """Where the processes of one database keep their notes; None for one that does not live in a file."""
    file = embedded_file(bind.engine)
    return Path(f"{file}.notes") if file else None


def read_notes(folder: Path) -> Iterator[tuple[Path, list[Any]]]:
    """The notes of every process, those of the killed ones too, by their files."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        with suppress(FileNotFoundError):  # its process put them into the database just now
            yield path, [note for line in path.read_bytes().splitlines() if (note := _read(line)) is not None]


def forget_notes(path: Path) -> None:
    """Remove a file whose notes nobody needs, unless its process may still be writing."""
    with suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime > _FORGOTTEN_SECONDS:
            path.unlink()


def _read(line: bytes) -> Any:
    with suppress(ValueError):
        return json.loads(line)
    return None

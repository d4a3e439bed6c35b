"""Compiled templates, kept between starts: the first page waits a quarter of a second for the compiler otherwise."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import jinja2
from jinja2 import Environment
from jinja2.bccache import Bucket, FileSystemBytecodeCache

from models.places import find

_COMPILED_FROM = ("rules", "wording", "web", "locale/en/LC_MESSAGES", "static", "templates")
"""What a compiled template holds besides its own text: other templates' macros, the translations, what filters and parts make of constants."""


class CompiledAhead(FileSystemBytecodeCache):
    """The templates of one language, compiled when an image was made and never since: its files keep their sizes, but not their times."""

    def __init__(self, folder: Path, language: str) -> None:
        super().__init__(str(folder), f"{language}-%s")

    def get_source_checksum(self, source: str) -> str:
        """Another text, other sizes of our files or another compiler, and it is compiled anew."""
        return hashlib.sha256(f"{_build()}\0{source}".encode()).hexdigest()


class Compiled(FileSystemBytecodeCache):
    """The compiled templates of one language in a folder of this desk's own; where it cannot be written, every process compiles for itself.

    What lies `ahead` is taken before anything is compiled.
    """

    def __init__(self, folder: Path, language: str, ahead: Path | None = None) -> None:
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(str(folder), f"{language}-%s")
        self._ahead = CompiledAhead(ahead, language) if ahead else None

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        """The place of a template, with its code where that is known."""
        if self._ahead is not None:
            with suppress(OSError):
                made = self._ahead.get_bucket(environment, name, filename, source)
                if made.code is not None:
                    return made
        return super().get_bucket(environment, name, filename, source)

    def get_source_checksum(self, source: str) -> str:
        """A compiled template is this one's only while its text, our code, the translations and the compiler are the same."""
        return hashlib.sha256(f"{_version()}\0{source}".encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what an earlier start kept, if it can be read."""
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template for the next start, if the folder takes it."""
        with suppress(OSError):
            super().dump_bytecode(bucket)


@cache
def _version() -> str:
    """Every file's size and the moment the system last changed it: a wheel's files may all bear the same date of their own."""
    files = (entry for folder in _COMPILED_FROM for entry in _files(find(folder)))
    seen = sorted((entry.path, entry.stat().st_size, entry.stat().st_ctime_ns) for entry in files)
    return repr((jinja2.__version__, seen))


@cache
def _build() -> str:
    """Every file's place and size."""
    root = find("")
    seen = sorted((str(Path(entry.path).relative_to(root)), entry.stat().st_size) for folder in _COMPILED_FROM for entry in _files(find(folder)))
    return repr((jinja2.__version__, seen))


def _files(folder: str | Path) -> Iterator[os.DirEntry[str]]:
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from _files(entry.path)
        elif not entry.name.endswith(".pyc"):
            yield entry

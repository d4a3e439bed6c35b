"""Compiled templates, kept between starts: the first page waits a quarter of a second for the compiler otherwise."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket, FileSystemBytecodeCache

from models.places import find

_COMPILED_FROM = (("rules", "*.py"), ("wording", "*.py"), ("web", "*.py"), ("locale", "**/*.mo"))
"""What a compiled template holds besides its own text: the translations, and what filters make of constants."""


class Compiled(FileSystemBytecodeCache):
    """The compiled templates of one language in a folder of this desk's own; where it cannot be written, every process compiles for itself."""

    def __init__(self, folder: Path, language: str) -> None:
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(str(folder), f"{language}-%s")

    def get_source_checksum(self, source: str) -> str:
        """A compiled template is this one's only while its text, our code, the translations and the compiler are the same."""
        return hashlib.sha256(f"{_version()}\0{source}".encode()).hexdigest()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template for the next start, if the folder takes it."""
        with suppress(OSError):
            super().dump_bytecode(bucket)


@cache
def _version() -> str:
    digest = hashlib.sha256(jinja2.__version__.encode())
    for folder, pattern in _COMPILED_FROM:
        for file in sorted(find(folder).glob(pattern)):
            digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()

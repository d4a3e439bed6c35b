"""Names of files that people send: shown as they are where that is safe, never used as a path."""

from __future__ import annotations

import re
import unicodedata

NAME_BYTES = 200
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]")
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{device}{number}" for device in ("COM", "LPT") for number in range(1, 10))}


def clean_name(sent: str) -> str:
    """The last part of `sent` without control and direction signs, composed (NFC), at most NAME_BYTES bytes; never empty."""
    name = unicodedata.normalize("NFC", sent)
    name = re.split(r"[\\/]", name)[-1]
    name = _UNSAFE.sub("", name).replace('"', "'").strip(" .")
    stem, dot, ending = name.rpartition(".")
    if (stem or ending).split(".")[0].upper() in _RESERVED:
        name = f"_{name}"
    if len(name.encode()) > NAME_BYTES:
        tail = f".{ending}" if dot and len(ending.encode()) <= 20 else ""
        name = _cut(name.removesuffix(tail), NAME_BYTES - len(tail.encode())) + tail
    return name or "file"


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode("utf-8", "ignore")

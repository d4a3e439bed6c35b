"""A column of texts as one text: what the reading process answers is written and read some thousand cells at a time."""

from __future__ import annotations

from collections.abc import Sequence

_BETWEEN = "\x7f"
"""A sign that no checked cell holds, and that JSON keeps as it is."""


def pack(column: Sequence[str]) -> str | list[str]:
    """The texts of a column (one at least) in one; as they are where one of them holds the sign between them."""
    packed = _BETWEEN.join(column)
    return packed if packed.count(_BETWEEN) == len(column) - 1 else list(column)


def unpack(packed: str | list[str]) -> list[str]:
    """The texts that `pack` was given."""
    return packed.split(_BETWEEN) if isinstance(packed, str) else packed

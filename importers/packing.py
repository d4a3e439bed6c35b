"""A column of texts as one text: what the reading process answers is written and read some thousand cells at a time."""

from __future__ import annotations

from collections.abc import Sequence

_BETWEEN = "\x7f"
"""A sign that no checked cell holds, and that JSON keeps as it is."""

Packed = str | list[str] | dict[str, str]


def pack(column: Sequence[str]) -> Packed:
    """The texts of a column (one at least) in one; said once where all are the same, as they are where one of them holds the sign between them."""
    if column.count(column[0]) == len(column):
        return {"all": column[0]}
    packed = _BETWEEN.join(column)
    return packed if packed.count(_BETWEEN) == len(column) - 1 else list(column)


def unpack(packed: Packed, count: int) -> list[str]:
    """The `count` texts that `pack` was given."""
    if isinstance(packed, dict):
        return [packed["all"]] * count
    return packed.split(_BETWEEN) if isinstance(packed, str) else packed

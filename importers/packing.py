"""A column of texts as one text: what the reading process answers is written and read some thousand cells at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, compress, repeat
from operator import ne, sub
from typing import TypedDict

_BETWEEN = "\x7f"
"""A sign that no checked cell holds, and that JSON keeps as it is."""
_SHORT_RUN = 2


class Runs(TypedDict):
    """Texts that stand below themselves so many times."""

    texts: list[str]
    counts: list[int]


Packed = str | list[str] | Runs
Keep = Callable[[Sequence[str]], Sequence[str]]


def pack(column: Sequence[str]) -> Packed:
    """The texts of a column (one at least): each once with how often it follows itself, or all in one; as they are where one of them holds the sign between."""
    count = len(column)
    begins = [0, *compress(range(1, count), map(ne, column[1:], column))]
    if len(begins) * _SHORT_RUN <= count:
        return {"texts": [column[at] for at in begins], "counts": list(map(sub, [*begins[1:], count], begins))}
    packed = _BETWEEN.join(column)
    return packed if packed.count(_BETWEEN) == count - 1 else list(column)


def unpack(packed: Packed, keep: Keep = lambda texts: texts) -> list[str]:
    """The texts that `pack` was given; `keep` is handed texts and says by which objects they are held."""
    if isinstance(packed, dict):
        return list(chain.from_iterable(map(repeat, keep(packed["texts"]), packed["counts"])))
    return list(keep(packed.split(_BETWEEN) if isinstance(packed, str) else packed))


class Kept(dict[str, str]):
    """The texts of one column, equal ones held once; a column in which hardly any is said twice is not looked through to its end."""

    def __call__(self, texts: Sequence[str]) -> Sequence[str]:
        """The same texts, by the first objects that said them."""
        return texts if len(self) > _MOST_KEPT else list(map(self.setdefault, texts, texts))


_MOST_KEPT = 20_000


def pack_rows(rows: list[int]) -> list[int] | dict[str, int]:
    """The numbers of rows, which ascend; where they follow each other, the first and the last."""
    return {"first": rows[0], "last": rows[-1]} if rows[-1] - rows[0] == len(rows) - 1 else rows


def unpack_rows(packed: list[int] | dict[str, int]) -> list[int]:
    """The numbers that `pack_rows` was given."""
    return list(range(packed["first"], packed["last"] + 1)) if isinstance(packed, dict) else packed

"""Which new line of a workbook carries on which line of the database, or of the same workbook (REQUIREMENTS, N12): proposals, for a person to confirm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

OVERLAP_DAYS, GAP_DAYS = 31, 92
"""How far the new start may lie before and after the day that follows the old end, where the serial is the same."""


@dataclass(frozen=True)
class Entering:
    """A new line."""

    index: int
    contract: str
    product_number: str
    serial: str
    starts_on: date
    parties: frozenset[str]
    """The e-mails of its certificate in lower case."""


@dataclass(frozen=True)
class Standing:
    """A line that may be carried on: one in the database, or another new one of the workbook (`index`; it has no `line_id` yet)."""

    line_id: int
    contract: str
    product_number: str
    serial: str
    ends_on: date
    parties: frozenset[str]
    index: int | None = None
    starts_on: date | None = None
    """Told of a new one: nothing is carried on by what starts no later."""


def propose(entering: Sequence[Entering], standing: Iterable[Standing]) -> dict[int, Standing]:
    """Index of the new line → the line that it seems to renew; each old line is carried on once.

    The same serial decides, the same product before another one; without a serial it takes the same product, a party in common
    and a start on the very day after the end. Of several candidates the one that ends nearest to the new start is chosen, one of the database first.
    """
    by_serial: dict[str, list[Standing]] = {}
    by_product: dict[tuple[str, int], list[Standing]] = {}
    for line in standing:
        if line.serial:
            by_serial.setdefault(line.serial, []).append(line)
        else:
            by_product.setdefault((line.product_number, line.ends_on.toordinal()), []).append(line)
    taken: set[tuple[int, int | None]] = set()
    found: dict[int, Standing] = {}
    for new in entering:
        if new.serial:
            candidates = [line for line in by_serial.get(new.serial, ()) if (line.line_id, line.index) not in taken and _carries_on(new, line)]
        else:
            alike = by_product.get((new.product_number, new.starts_on.toordinal() - 1), ())
            free = [line for line in alike if (line.line_id, line.index) not in taken]
            candidates = [line for line in free if line.contract != new.contract and line.parties & new.parties and _starts_before(line, new)]
        if candidates:
            best = min(
                candidates,
                key=lambda line: (line.product_number != new.product_number, abs(_gap(new, line)), -1 if line.index is None else line.index, line.line_id),
            )
            taken.add((best.line_id, best.index))
            found[new.index] = best
    return found


def _carries_on(new: Entering, line: Standing) -> bool:
    return line.contract != new.contract and -OVERLAP_DAYS <= _gap(new, line) <= GAP_DAYS and _starts_before(line, new)


def _starts_before(line: Standing, new: Entering) -> bool:
    return line.starts_on is None or line.starts_on < new.starts_on


def _gap(new: Entering, line: Standing) -> int:
    """Days between the old end and the new start, 0 where they adjoin."""
    return (new.starts_on - line.ends_on).days - 1

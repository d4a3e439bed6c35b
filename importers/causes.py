"""The causes of a plan's errors and warnings, counted: what the summary sheet of a handed-back workbook says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from importers.annotate import AnnotatedRow
from wording.workbook import SUMMARY_TITLE, cause_of

NAMED_ROWS = 20
_HEADINGS = ("判定", "列", "原因", "件数", "例", "行")


@dataclass
class Cause:
    """One cause at one column."""

    warning: bool
    heading: str
    code: str
    example: str
    count: int = 0
    rows: list[str] = field(default_factory=list[str])


def causes(rows: Sequence[AnnotatedRow]) -> list[Cause]:
    """The causes, errors before warnings, the most frequent first."""
    found: dict[tuple[bool, str, str], Cause] = {}
    several = len({row.sheet for row in rows}) > 1
    for row in rows:
        for warning, issues in ((False, row.errors), (True, row.warnings)):
            for issue in issues:
                key = (warning, issue["heading"], issue["code"])
                cause = found.setdefault(key, Cause(warning, issue["heading"], issue["code"], issue["message"]))
                cause.count += 1
                if len(cause.rows) < NAMED_ROWS:
                    cause.rows.append(f"{row.sheet} {row.row}" if several else str(row.row))
    return sorted(found.values(), key=lambda cause: (cause.warning, -cause.count))


def summary_rows(rows: Sequence[AnnotatedRow], found: Sequence[Cause], *, file_name: str) -> list[list[str | int]]:
    """The summary sheet, row by row: the results with their counts, then the causes."""
    told: list[list[str | int]] = [[SUMMARY_TITLE], [file_name], []]
    headings: list[str | int] = [*_HEADINGS]
    told += [[result, count] for result, count in Counter(row.result for row in rows).items()]
    told += [[], headings]
    for cause in found:
        more = "、…" if cause.count > len(cause.rows) else ""
        kind = "警告" if cause.warning else "エラー"
        told.append([kind, cause.heading, cause_of(cause.code, cause.example), cause.count, cause.example, "、".join(cause.rows) + more])
    if not found:
        told.append(["エラーと警告はありません。"])
    return told


def is_heading(told: Sequence[str | int]) -> bool:
    """Whether a row of the summary is its table's heading."""
    return tuple(told) == _HEADINGS

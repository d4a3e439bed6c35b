"""Lines whose cells were put right, checked once more by the rules of their certificates; what the other cells told stays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from importers.cells import Problem
from importers.certificate_rules import CertificateRules, Found
from importers.reader import Issue
from wording.imports import FIELD_LABELS, ROW_WARNINGS, row_error, row_warning

BY_RULES = frozenset({"missing", "no_party_email", "ends_before_start", "old_mailbox", "same_line", "not_consistent"})
"""What the rules of a certificate say of its lines; everything else is told by the cell itself, or by the plan."""
BY_PLAN = frozenset(ROW_WARNINGS) - BY_RULES - {"date_from_number", "number_for_code"}
"""Warnings that comparing with the database makes; they are its own business."""


@dataclass
class Line:
    """One line as it stands now; `errors` and `warnings` come as they were kept, and leave as they are."""

    sheet: str
    row: int
    values: list[str]
    """In the order of `rules.lines.FIELDS`."""
    errors: list[Issue] = field(default_factory=list[Issue])
    warnings: list[Issue] = field(default_factory=list[Issue])

    def forget(self, name: str) -> tuple[list[Issue], list[Issue]]:
        """Drop what the cell of `name` told of itself; gives those errors and warnings."""
        gone = [issue for issue in self.errors if _is_of(issue, name)], [issue for issue in self.warnings if _is_of(issue, name)]
        self.errors = [issue for issue in self.errors if not _is_of(issue, name)]
        self.warnings = [issue for issue in self.warnings if not _is_of(issue, name)]
        return gone


def recheck(lines: Sequence[Line], mailboxes: Collection[str], headings: Mapping[tuple[str, str], str]) -> None:
    """Check all lines of some certificates, in the order of the workbook; `headings` are (sheet, field) -> the column's heading."""
    rules = CertificateRules(mailboxes)
    for sheet, group in groupby(lines, key=lambda line: line.sheet):
        part = list(group)
        odd: dict[str, dict[int, Problem]] = {}
        for index, line in enumerate(part):
            for issues, warning in ((line.warnings, True), (line.errors, False)):
                for issue in issues:
                    if _is_of(issue, issue["field"]):
                        odd.setdefault(issue["field"], {})[index] = Problem(issue["code"], warning=warning)
        columns = [list(column) for column in zip(*(line.values for line in part), strict=True)]
        found = rules.check(sheet, [line.row for line in part], columns, odd, ())
        for index, line in enumerate(part):
            _settle(line, found.get(index, []), headings)


def issue_of(name: str, code: str, heading: str, facts: Mapping[str, object], *, warning: bool, raw: str = "") -> Issue:
    """One error or warning as it is kept with its row."""
    sentence = row_warning if warning else row_error
    issue = {"field": name, "heading": heading, "message": sentence(code, column=heading, **facts), "code": code}
    return {**issue, "raw": raw} if raw else issue


def _settle(line: Line, found: Sequence[Found], headings: Mapping[tuple[str, str], str]) -> None:
    errors: list[Issue] = []
    warnings: list[Issue] = []
    for each in found:
        kept = next((issue for issue in (*line.errors, *line.warnings) if (issue["field"], issue["code"]) == (each.field, each.code)), None)
        if kept is None or each.code in BY_RULES:
            heading = headings.get((line.sheet, each.field)) or FIELD_LABELS[each.field]
            kept = issue_of(each.field, each.code, heading, each.facts, warning=each.warning)
        (warnings if each.warning else errors).append(kept)
    line.errors, line.warnings = errors, warnings + [issue for issue in line.warnings if issue["code"] in BY_PLAN]


def _is_of(issue: Issue, name: str) -> bool:
    """Whether the cell of `name` told this of itself."""
    return issue["field"] == name and issue["code"] not in BY_RULES and issue["code"] not in BY_PLAN

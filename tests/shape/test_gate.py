"""The gate has one rule, and every row of attack lists A and B a test that bears its number (SECURITY, section 4)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.shape.tree import name, python_files, tree

_ROWS = {row: "a" if row <= 23 else "b" for row in range(1, 42)}
_NUMBER = re.compile(r"([a-f])(\d+)_(to_)?")
_OF_THE_RULE = frozenset({"decide", "domain_allows"})
_CALLERS = {"rules/registration.py": {"domain_allows"}, "actions/decisions.py": {"decide"}, "actions/account_checks.py": {"decide"}}
_DOORS = {
    "actions/registrations.py": {"judge_new", "judge_pending"},
    "actions/profiles.py": {"judge_profile"},
    "actions/exception_decisions.py": {"judge_request"},
    "actions/rehearsals.py": {"judge_new"},
    "actions/radar.py": {"trace_of"},
    "actions/email_change_impact.py": {"trace_of"},
}
"""Where somebody is judged, and what judges them there: each ends in `rules.registration.decide`."""


@pytest.mark.parametrize(("row", "letter"), _ROWS.items())
def test_every_row_of_the_gates_attack_lists_is_a_named_test(row: int, letter: str) -> None:
    assert any((letter, row) in _rows_of(test) for test in _tests())


def test_nobody_asks_the_rules_of_registration_but_the_one_decision() -> None:
    found = {name(path): _called(path) & _OF_THE_RULE for path in python_files(product_only=True)}

    assert {path: calls for path, calls in found.items() if calls} == _CALLERS


@pytest.mark.parametrize(("path", "judges"), _DOORS.items())
def test_whoever_is_judged_is_judged_by_that_decision(path: str, judges: set[str]) -> None:
    [source] = [one for one in python_files(product_only=True) if name(one) == path]

    assert judges <= _called(source)


def _tests() -> list[str]:
    return [node.name for path in python_files() if path.name.startswith("test_") for node in tree(path).body if isinstance(node, ast.FunctionDef)]


def _rows_of(test: str) -> set[tuple[str, int]]:
    """The rows that the name of a test begins with: `test_a2_to_a8_…` covers seven."""
    head = re.match(r"test_((?:[a-fr]\d+_(?:to_)?)+)", test)
    rows: set[tuple[str, int]] = set()
    first = 0
    for letter, number, to in _NUMBER.findall(head.group(1) if head else ""):
        rows |= {(letter, row) for row in range(first or int(number), int(number) + 1)}
        first = int(number) if to else 0
    return rows


def _called(path: Path) -> set[str]:
    calls = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    return {call.id for call in calls if isinstance(call, ast.Name)} | {call.attr for call in calls if isinstance(call, ast.Attribute)}

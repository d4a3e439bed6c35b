"""NUL, huge numbers and broken text in every path, query and form parameter: an answer, never a fault (attack list 69, 91)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import pytest

from tests.attacks.house import House, faults, named, pages
from web.endpoint import Page

NAMES = (
    "q state before after reply next expired left view assignee product sort held note job actor act subject id since until show period drop edit version"
    " code iss error"
).split()
"""Every name that a query string of ours may carry."""
FIELDS = (
    "company_name person_name user_id password password_confirmation email maintenance_email contract_key consent privacy_version subject serial model"
    " os_version cc category body submission confirmed edit held drop next language token current_password change_password code staff_id state priority"
    " next_state last_seen reason name slug intake_hint position active alias family address domain kind day text all ticked shown show roles families"
    " new_password new_password_confirmation label"
).split()
"""Every name that a form of ours may carry."""
PATH_PARTS = (
    "%00", "a%00b", "%ff%fe", "..%2f..%2fetc", "%2500", "2147483648", "9223372036854775808", "9" * 4500, "0", "-1", "%F0%9F%92%A9", "x" * 3000,
    "%0d%0aX:%20y", "{{7*7}}", "%25s%25s", "%ED%A0%80",
)  # fmt: skip
TEXTS = {
    "NUL": "a\x00b",
    "a number no column holds": "9223372036854775808",
    "the highest number of PostgreSQL": "2147483648",
    "more digits than Python reads": "9" * 4_400,
    "digits that are no decimals": "²³",
    "full-width digits": "１２",
    "a very long text": "長" * 1_200,
    "patterns and quotes": "%_\\'\"[*]",
    "line ends of all kinds": "a\r\nb\rc\u2028d\x85e\x0b",
    "a date beyond all dates": "9999-12-31",
    "a template": "{{7*7}}{% raise %}${7*7}",
}


T = TypeVar("T")
SWEEPS = [pytest.param(False, id="short"), pytest.param(True, id="whole", marks=pytest.mark.proof)]
"""The short sweep sends everything to PostgreSQL, the stricter of the two, and to SQLite three of each page's attempts."""
SEED = random.randrange(10**6)
LONG = ["more digits than Python reads", "a very long text"]


def attempts(house: House, page: Page, everything: Sequence[T], whole: bool) -> Sequence[T]:
    """What of `everything` is tried on one page."""
    return everything if whole or house.engine.dialect.name == "postgresql" else random.Random(f"{SEED} {named(page)}").sample(everything, 3)


@pytest.mark.parametrize("whole", SWEEPS)
def test_no_path_parameter_breaks_a_page(house: House, whole: bool) -> None:
    def sent() -> Iterator[tuple[str, Any]]:
        for page in [page for page in pages() if "{" in page.path]:
            visitor = house.fitting(page)
            name = page.path.partition("{")[2].partition("}")[0].partition(":")[0]
            for part in attempts(house, page, PATH_PARTS, whole):
                path = house.path(page, instead={name: part})
                yield path[:80], visitor.get(path) if page.method == "GET" else visitor.post(path, {})

    assert faults(sent()) == "", f"seed {SEED}"


@pytest.mark.parametrize("whole", SWEEPS)
def test_no_query_breaks_a_page(house: House, whole: bool) -> None:
    def sent() -> Iterator[tuple[str, Any]]:
        for page in pages("GET"):
            visitor, path = house.fitting(page), house.path(page)
            for what, text in attempts(house, page, [*TEXTS.items()], whole):
                asked = ["q", "after", "id"] if what in LONG else NAMES
                yield f"{page.path} {what}", visitor.get(path, params=dict.fromkeys(asked, text[:2000]))

    assert faults(sent()) == "", f"seed {SEED}"


@pytest.mark.parametrize("whole", SWEEPS)
@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
def test_no_form_breaks_a_page(house: House, kind: str, whole: bool) -> None:
    def sent() -> Iterator[tuple[str, Any]]:
        for page in pages("POST"):
            if kind == "multipart" and not page.uploads:
                continue
            visitor, path = house.fitting(page), house.path(page)
            for what, text in attempts(house, page, [*TEXTS.items()], whole):
                files = {"files": (text[:50], b"x")} if kind == "multipart" else None
                answer = visitor.post(path, dict.fromkeys(FIELDS, text), files=files)
                visitor = house.fitting(page) if answer.status_code == 303 else visitor
                yield f"{page.path} {what}", answer

    assert faults(sent()) == "", f"seed {SEED}"


@pytest.mark.parametrize("number", ["2147483648", "999999999999999999", "0", "１"])
def test_no_place_in_a_list_breaks_it(house: House, number: str) -> None:
    customer, member = house.customer(), house.staff()

    def sent() -> Iterator[tuple[str, Any]]:
        for name in ("after", "before"):
            for place in (f"2026-01-01~X~{number}", f"9999-12-31~X~{number}", f"0001-01-01~{'長' * 300}~{number}"):
                yield f"/profile {place[:30]}", customer.get("/profile", params={name: place})
            for place in (f"{number}-{number}", f"0-{number}", f"{number}-1"):
                yield f"/console/tickets {place}", member.get("/console/tickets", params={name: place})

    assert faults(sent()) == ""

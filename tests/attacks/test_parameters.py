"""NUL, huge numbers and broken text in every path, query and form parameter: an answer, never a fault (attack list 69, 91)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.attacks.house import House, faults, furnish, pages
from web.endpoint import Page
from web.wiring import Wiring

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
    "a number with ten thousand digits": "9" * 10_000,
    "a negative number": "-1",
    "digits that are no decimals": "²³",
    "full-width digits": "１２",
    "a very long text": "長" * 5_000,
    "patterns and quotes": "%_\\'\"[*]",
    "half a pair, as text": "\\ud800",
    "the last plane": "\U0010ffff\ufffe",
    "line ends of all kinds": "a\r\nb\rc\u2028d\x85e\x0b",
    "a date beyond all dates": "9999-12-31",
    "a date before all dates": "0001-01-01",
    "a template": "{{7*7}}{% raise %}${7*7}",
}


@pytest.fixture
def house(engine: Engine, wiring: Wiring) -> House:
    return furnish(engine, wiring)


def with_parameter(found: list[Page]) -> list[Page]:
    return [page for page in found if "{" in page.path]


def test_no_path_parameter_breaks_a_page(house: House) -> None:
    def sent() -> Iterator[tuple[str, Any]]:
        for page in with_parameter(pages()):
            visitor = house.fitting(page)
            for part in PATH_PARTS:
                name = page.path.partition("{")[2].partition("}")[0].partition(":")[0]
                path = house.path(page, instead={name: part})
                yield path[:80], visitor.get(path) if page.method == "GET" else visitor.post(path, {})

    assert faults(sent()) == ""


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_query_breaks_a_page(house: House, text: str) -> None:
    def sent() -> Iterator[tuple[str, Any]]:
        for page in pages("GET"):
            yield f"{page.path} {text[:20]!r}", house.fitting(page).get(house.path(page), params=dict.fromkeys(NAMES, text))

    assert faults(sent()) == ""


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("multipart", [False, True])
def test_no_form_breaks_a_page(house: House, text: str, multipart: bool) -> None:
    files = {"files": ("", b"")} if multipart else None

    def sent() -> Iterator[tuple[str, Any]]:
        for page in pages("POST"):
            fields = {**dict.fromkeys(FIELDS, text)}
            yield f"{page.path} {text[:20]!r}", house.fitting(page).post(house.path(page), fields, files=files)
            yield f"{page.path} nothing", house.fitting(page).post(house.path(page), {}, files=files)

    assert faults(sent()) == ""

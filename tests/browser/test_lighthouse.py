"""Lighthouse's marks for the pages that people open all day."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.sweeping import read_the_workbook
from tests.browser.test_pages import cookies, demo
from tests.browser.visits import NOBODY, Demo
from tests.services.browser import find_chromium
from tests.services.node import lighthouse_marks
from web.wiring import Wiring

__all__ = ["cookies", "demo"]
pytestmark = [pytest.mark.proof, pytest.mark.browser, pytest.mark.node, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
PAGES = [
    *((NOBODY, path) for path in ("/", "/register", "/console/sign-in")),
    *(("kimura", path) for path in ("/tickets", "/tickets/new/juniper-srx", "/tickets/10007")),
    *(("sato", path) for path in ("/console/tickets", "/console/tickets/10006", "/console/reports", "/console/mails", "/console/jobs")),
    *(("center", path) for path in ("/console/imports", "/console/imports/1/review", "/console/contracts/1")),
    ("desk", "/console/exceptions/4"),
    ("kanri", "/console/masters"),
]
WANTED = {"performance": 95, "accessibility": 100, "best-practices": 95}
TRIES = 3
"""Another process on the machine takes marks away and never gives any: the best of some tries counts."""


@pytest.mark.parametrize(("user_id", "path"), PAGES)
def test_a_page_that_people_open_all_day_has_full_marks(demo: Demo, wiring: Wiring, tmp_path: Path, user_id: str, path: str) -> None:
    read_the_workbook(wiring)
    chromium, best = find_chromium(), dict.fromkeys(WANTED, 0.0)
    assert chromium
    for _ in range(TRIES):
        cookie = demo.cookies.get(user_id)
        marks = lighthouse_marks(demo.address + path, cookie, browser=chromium, wide=path.startswith("/console"), folder=tmp_path)
        best = {name: max(mark, marks[name]) for name, mark in best.items()}
        if all(best[name] >= least for name, least in WANTED.items()):
            break

    assert {name: mark for name, mark in best.items() if mark < WANTED[name]} == {}

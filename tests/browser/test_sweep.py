"""Every page, every refused form and every fault, at both sizes and in both schemes: valid, within reach of everybody, and nobody else is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import Engine

from models.database import transaction
from rules.rights import Role
from tests import people
from tests.attacks.house import furnished
from tests.browser.sweeping import (
    Cookie,
    Sight,
    errors_of_the_house,
    first_load,
    pages_of_the_demo,
    pages_of_the_house,
    pages_without_a_thing,
    read_the_workbook,
    refusals_of_the_house,
    states_of_the_house,
    stretch,
    visited,
    watching,
)
from tests.browser.test_pages import NOBODY, PAGES, cookies, demo
from tests.browser.visits import Demo
from tests.html import read
from tests.services.node import html_faults, vnu_faults
from web.assets import served
from web.wiring import Wiring

__all__ = ["cookies", "demo"]
pytestmark = [pytest.mark.proof, pytest.mark.node]
ROOT = Path(__file__).parents[2]
STYLE = ROOT / "static" / "app.css"
ERRORS = sorted(path.stem for path in (ROOT / "templates" / "errors").glob("*.html") if path.stem != "frame")
LOOKS = [("sqlite", 390, "light"), ("postgresql", 1440, "light"), ("postgresql", 390, "dark"), ("sqlite", 1440, "dark")]
OTHERS = {"kansa": ("/console/tickets", "/console/imports", "/console/masters", "/console/staff", "/console/mails", "/console/jobs")}
"""The auditor sees most and may change nothing: the pages of `PAGES` without their forms."""

LIGHT = 40 * 1024
"""Bytes of a first load, all of it compressed."""

PAPER = 718
"""An A4 sheet without its margins, in pixels of CSS."""
PRINTED = (
    *(("kimura", path) for path in ("/tickets", "/tickets/10007", "/profile")),
    *(("sato", path) for path in ("/console/tickets", "/console/tickets/10006", "/console/reports?by=product", "/console/contracts/1")),
    *(("center", path) for path in ("/console/imports/1/review", "/console/email-changes/1")),
)
"""What people print: a thread, a list, figures, a certificate, what is decided."""

Sights = Callable[[], Iterable[Sight]]


@pytest.fixture(params=["house", "stretched", "nothing", "demo"])
def sights(request: pytest.FixtureRequest, engine: Engine, wiring: Wiring) -> Iterator[Sights]:
    """What there is to see in a house with one of everything, in one where all texts are long, in one with nothing, and in the demo."""
    if request.param in ("house", "stretched"):
        with furnished(engine, wiring) as house:
            states = states_of_the_house(house) if request.param == "house" else ()
            if request.param == "stretched":
                stretch(engine)
            yield lambda: chain(pages_of_the_house(house), states, refusals_of_the_house(house), errors_of_the_house(house, ERRORS))
    elif request.param == "nothing":
        with transaction(engine) as session:
            customer, member = people.add_account(session), people.add_staff(session, "everything", roles=tuple(Role))
            numbers = {"account kimura": str(customer.id), "staff everything": str(member.id)}
        with visited(engine, wiring, numbers) as house:
            yield lambda: pages_without_a_thing(house)
    else:
        cookies: dict[str, Cookie] = request.getfixturevalue("cookies")
        read_the_workbook(wiring)
        known: dict[str, Cookie | None] = {NOBODY: None, **cookies}
        with visited(engine, wiring, {}) as house:
            yield lambda: pages_of_the_demo(house.visitor(), known, {**dict.fromkeys(known, ()), **OTHERS, **PAGES})


@pytest.mark.browser
@pytest.mark.parametrize(("database", "width", "scheme"), LOOKS, indirect=["database"])
def test_nothing_is_in_anybodys_way(browser: Browser, desk_address: str, sights: Sights, width: int, scheme: str) -> None:
    faults: dict[str, list[str]] = {}
    with watching(browser, desk_address, width=width, scheme=scheme) as watcher:
        for sight in sights():
            faults[sight.what] = watcher.faults(sight)

    assert told(faults) == ""


@pytest.mark.browser
@pytest.mark.parametrize(("database", "width"), [("sqlite", 320), ("sqlite", 1440)], indirect=["database"])
def test_wider_letters_and_lines_fit_on_any_screen(browser: Browser, desk_address: str, sights: Sights, width: int) -> None:
    faults: dict[str, list[str]] = {}
    with watching(browser, desk_address, width=width, scheme="light") as watcher:
        for sight in sights():
            faults[sight.what] = watcher.widths(sight)

    assert told(faults) == ""


@pytest.mark.browser
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nothing_is_in_anybodys_way_on_paper(browser: Browser, demo: Demo) -> None:
    faults: dict[str, list[str]] = {}
    with watching(browser, demo.address, width=PAPER, scheme="dark") as watcher:
        for user_id, path in PRINTED:
            faults[path] = watcher.printed(Sight(path, demo.cookies[user_id], path))

    assert told(faults) == ""


def test_every_page_is_valid(sights: Sights, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    for sight in sights():
        (folder / sight.file_name).write_bytes(sight.content)
    assert list(folder.iterdir())
    (folder / "app.css").write_bytes(served(STYLE))

    assert html_faults(folder) == ""
    assert vnu_faults(folder) == ""


def test_the_first_look_at_a_page_is_light(sights: Sights) -> None:
    heavy = {sight.what: [f"{first_load(sight)} bytes"] for sight in sights() if first_load(sight) > LIGHT}

    assert told(heavy) == ""


def test_every_error_leads_to_its_field(engine: Engine, wiring: Wiring) -> None:
    faults: dict[str, list[str]] = {}
    with furnished(engine, wiring) as house:
        for sight in refusals_of_the_house(house):
            root = read(sight.content.decode()).root
            known = {element.attributes.get("id", "") for element in root.walk()}
            led = [link.attributes["href"][1:] for box in root.all(class_="errsum") for link in box.all("a")]
            if root.first("form", action=sight.path):
                faults[sight.what] = [name for name in led if name not in known]

    assert told(faults) == ""


def told(faults: dict[str, list[str]]) -> str:
    """The faults, a line each, below what they were found on."""
    return "".join(f"{what}\n" + "".join(f"    {fault}\n" for fault in found) for what, found in faults.items() if found)

"""Pages as templates make them: what people wrote stays text, wherever it stands."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Engine

from models.database import transaction
from tests import people
from tests.client import Client
from tests.clock import Clock
from tests.shape.tree import name, templates, text
from web.present import marked
from web.prose import paragraphs

NASTY = "<img src=x>&\"'"


@pytest.fixture
def staff(client: Client, engine: Engine, clock: Clock) -> Client:
    """A signed-in engineer with an odd name, who has a ticket of an odd company with an odd subject."""
    with transaction(engine) as session:
        member = people.add_staff(session, name=NASTY)
        people.sign_in_staff(client, session, member)
        account = people.add_account(session, company_name=f"{NASTY} 株式会社")
        people.add_ticket(session, account, subject=f"{NASTY} について", assignee=member)
    return client


def test_a_row_of_the_queue_shows_what_people_wrote_as_text(staff: Client) -> None:
    page = staff.get("/console/tickets")

    assert page.root.all("img") == []
    row = page.root.all("tr")[1]
    assert f"{NASTY} について" in row.text
    assert f"{NASTY} 株式会社" in row.text
    assert [cell.text for cell in row.all("td") if "data-of" in cell.attributes] == [NASTY]


def test_a_row_of_the_queue_shows_the_state_as_a_chip(staff: Client) -> None:
    row = staff.get("/console/tickets").root.all("tr")[1]

    assert [chip.text for chip in row.all(class_="chip")] == ["新規"]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_value_in_a_translated_sentence_is_text(staff: Client, language: str) -> None:
    staff.cookies["jtickets_language"] = language
    page = staff.get(f"/console/tickets?q={quote(NASTY)}")

    assert page.root.all("html")[0].attributes["lang"] == language
    assert page.root.all("img") == []
    spoken = [link.text for link in page.root.all("a") if link.parent and link.parent.matches({"class": "filter"})]
    assert any(NASTY in words for words in spoken)


def test_a_text_with_addresses_and_log_lines_stays_text() -> None:
    html = paragraphs(f'{NASTY}\nhttps://example.jp/?a=1&b="2\n\nNov 12 08:01:17 fw01 kernel: <b>', NASTY)

    assert "<img" not in html
    assert "<b>" not in html
    assert '<a href="https://example.jp/?a=1&amp;b=" rel="noopener nofollow">' in html


@pytest.mark.parametrize("path", templates(), ids=name)
def test_no_template_makes_the_macros_anew(path: Path) -> None:
    assert 'import "ui.html"' not in text(path)


def test_a_block_alone_has_the_macros_and_the_token(staff: Client) -> None:
    block = staff.get("/console/tickets?open=tools", headers={"hx-request": "true"})

    assert block.root.first("main") is None
    assert block.root.first("select", name="assignee") is not None


@pytest.mark.parametrize(
    ("text", "other", "shown"),
    [
        ("CV4126AFOO93", "CV4126AF0093", "CV4126AF<b>OO</b>93"),
        ("JSC26O40123A", "JSC26040123A", "JSC26<b>O</b>40123A"),
        ("中村", "佐藤", "中村"),
        ("高", "中", "高"),
        ("A&B", "A&C", "A&amp;<b>B</b>"),
    ],
)
def test_what_differs_is_marked_where_little_differs(text: str, other: str, shown: str) -> None:
    assert marked(text, other) == shown

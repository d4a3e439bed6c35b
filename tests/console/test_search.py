"""Finding a ticket from the one search box."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from sqlalchemy import Engine, select

from models.database import transaction
from models.tickets import Attachment, Message
from rules.text import searchable
from rules.tickets import State
from tests.client import Client, Page
from tests.people import NOW, add_account, add_post, add_staff, add_ticket, sign_in_staff


@pytest.fixture(autouse=True)
def tickets(engine: Engine, client: Client) -> dict[str, int]:
    """Three tickets of two companies, one of them closed; 中村 is signed in."""
    with transaction(engine) as session:
        member = add_staff(session)
        sign_in_staff(client, session, member)
        tozai = add_account(session)
        aozora = add_account(session, "aozora", email="it_100%@aozora.example", company_name="学校法人 あおぞら学園", person_name="青木 陽子")
        vpn = add_ticket(session, tozai, subject="IPsec VPN が切断される")
        power = add_ticket(
            session, aozora, subject="電源ユニットの故障", body="ランプが消えました。", contract="SD-123456-H", serial="PE0217AF0031", state=State.CLOSED
        )
        power.resolved_at = NOW
        other = add_ticket(session, aozora, subject="設定の相談", body="手順書の 3 章について。", contract="不明", serial="不明")
        add_post(session, other, "合言葉は菜の花", staff=member, note=True)
    return {"vpn": vpn.id, "power": power.id, "other": other.id}


def found(page: Page) -> list[str]:
    return sorted(link.text for row in page.root.all("tr") for link in row.all("a"))


@pytest.mark.parametrize(
    ("typed", "subject"),
    [
        ("ipsec", "IPsec VPN が切断される"),
        ("ＩＰｓｅｃ　ＶＰＮ", "IPsec VPN が切断される"),
        ("切断", "IPsec VPN が切断される"),
        ("東西ネットワーク", "IPsec VPN が切断される"),
        ("木村", "IPsec VPN が切断される"),
        ("kimura@osaka", "IPsec VPN が切断される"),
        ("26040123", "IPsec VPN が切断される"),
        ("cv4126af", "IPsec VPN が切断される"),
        ("電源", "電源ユニットの故障"),
        ("SD-123456-H", "電源ユニットの故障"),
        ("ＳＤ－１２３４", "電源ユニットの故障"),
        ("af0031", "電源ユニットの故障"),
        ("あおぞら 故障", "電源ユニットの故障"),
        ("ランプ", "電源ユニットの故障"),
        ("章", "設定の相談"),
        ("菜の花", "設定の相談"),
    ],
)
def test_a_ticket_is_found_by(client: Client, typed: str, subject: str) -> None:
    client.get("/console/tickets")

    page = client.submit("検索", q=typed)

    assert found(page) == [subject]
    words = [searchable(mark.text) for row in page.root.all("tr") for mark in row.all("mark")]
    assert set(words) == set(searchable(typed).split()), "every word is marked where it stands"


def test_a_number_finds_its_ticket_with_and_without_its_sign(client: Client, tickets: dict[str, int]) -> None:
    for typed in (str(tickets["power"]), f"%23{tickets['power']}"):
        page = client.get(f"/console/tickets?q={typed}")
        assert found(page) == ["電源ユニットの故障"]
        assert [mark.text for mark in page.root.all("mark")] == [f"#{tickets['power']}"]


@pytest.mark.parametrize("typed", ["%25%25", "__", "100_"])
def test_signs_of_the_database_are_ordinary_letters(client: Client, typed: str) -> None:
    assert found(client.get(f"/console/tickets?q={typed}")) == []


def test_a_percent_sign_is_found_where_it_stands(client: Client) -> None:
    assert found(client.get("/console/tickets?q=it_100%25")) == ["設定の相談", "電源ユニットの故障"]


def test_every_word_must_be_found(client: Client) -> None:
    assert found(client.get("/console/tickets?q=電源 VPN")) == []


def test_keys_are_named_only_where_they_do_something(client: Client) -> None:
    assert "<kbd>X</kbd> 選択" in client.get("/console/tickets").html
    assert "<kbd>X</kbd> 選択" not in client.get("/console/tickets?q=あおぞら").html


def test_a_search_can_be_narrowed_by_a_filter(client: Client) -> None:
    assert found(client.get("/console/tickets?q=あおぞら&state=unresolved")) == ["設定の相談"]


@pytest.mark.parametrize("typed", ["#", "99999999999999999999", "x" * 5000, "a b c d e f g h", "'; drop table ticket; --", "\\", "/"])
def test_strange_words_find_nothing_and_break_nothing(client: Client, typed: str) -> None:
    page = client.get(f"/console/tickets?q={quote(typed)}")

    assert found(page) == []


def test_a_hit_says_that_a_file_bears_the_word(client: Client, engine: Engine, tickets: dict[str, int]) -> None:
    with transaction(engine) as session:
        post = session.scalars(select(Message.id).where(Message.ticket_id == tickets["vpn"])).one()
        session.add(Attachment(token="t1", message_id=post, name="故障ログ.txt", size=1, sha256="0", storage_key="k1", created_at=NOW))

    page = client.get("/console/tickets?q=障ログ 東西")

    row = page.root.first("tr", **{"data-row": ""})
    assert row
    assert [line.text.split("：") for line in row.all("p")] == [["会社名", "東西ネットワーク株式会社"], ["添付", "故障ログ.txt"]]
    assert [mark.text for mark in row.all("mark")] == ["東西", "障ログ"]


def test_a_hit_shows_the_part_of_the_post_that_holds_the_words(client: Client) -> None:
    page = client.get("/console/tickets?q=菜の花")

    row = page.root.first("tr", **{"data-row": ""})
    assert row
    assert "合言葉は菜の花" in row.text
    assert "社内メモ" in row.text
    assert [mark.text for mark in row.all("mark")] == ["菜の花"]

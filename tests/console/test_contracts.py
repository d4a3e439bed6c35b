"""Contracts: found by whatever is printed on the certificate, drawn as it was printed."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine

from models.contracts import Certificate, ContractLine
from models.database import transaction
from models.imports import BatchState, ImportBatch
from rules.rights import Role
from tests.client import Client, Page
from tests.console.counting import counted
from tests.people import NOW, add_account, add_certificate, add_staff, add_ticket, sign_in_staff

CONTRACTS = "/console/contracts"


def sign_in(client: Client, engine: Engine, *roles: Role) -> None:
    client.cookies.clear()
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "".join(roles) or "support", name="山本", roles=roles or (Role.SUPPORT,)))


@pytest.fixture
def certificates(engine: Engine, client: Client) -> list[int]:
    """Four of them: in force, to come, ended, and one that names an old mailbox too late."""
    sign_in(client, engine)
    with transaction(engine) as session:
        return [
            add_certificate(session).id,
            add_certificate(
                session, "JSC26120001A", starts_on=date(2027, 1, 1), ends_on=date(2027, 12, 31), end_user="nw@minato.example", lines=[{"serial": "AB12CD"}]
            ).id,
            add_certificate(session, "SD-000123-H", issued_on=date(2018, 12, 31), starts_on=date(2018, 12, 1), ends_on=date(2019, 11, 30)).id,
            add_certificate(session, "JSC26050002B", contact="srx_support@jscom.co.jp", lines=[{"product_number": "ex3400-48t"}]).id,
        ]


def found(page: Page) -> list[str]:
    return [row.all("a")[0].text for row in page.root.all("tr")[1:]]


def test_the_newest_stands_first_with_its_state(client: Client, certificates: list[int]) -> None:
    page = client.get(CONTRACTS)

    rows = [row.text for row in page.root.all("tr")[1:]]
    assert found(page) == ["JSC26050002B", "SD-000123-H", "JSC26120001A", "JSC26040123A"]
    assert ["窓口の対象外" in row for row in rows] == [True, False, False, False]
    assert [next(word for word in ("有効", "終了", "開始前") if word in row) for row in rows] == ["有効", "終了", "開始前", "有効"]


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("sd-000123", ["SD-000123-H"]),
        ("ＪＳＣ２６１２", ["JSC26120001A"]),
        ("b12c", ["JSC26120001A"]),
        ("EX3400", ["JSC26050002B"]),
        ("minato.example", ["JSC26120001A"]),
        ("NW@MINATO.example", ["JSC26120001A"]),
        ("東西ネット", ["JSC26050002B", "SD-000123-H", "JSC26120001A", "JSC26040123A"]),
        ("東西ネット 2612", ["JSC26120001A"]),
        ("東西 関西 nw@", ["JSC26120001A"]),
        ("ない会社", []),
        ("%", []),
        ("_", []),
        ("'", []),
        ("\\", []),
        ("1" * 500, []),
    ],
)
def test_whatever_is_printed_finds_it(client: Client, certificates: list[int], typed: str, keys: list[str]) -> None:
    client.get(CONTRACTS)

    page = client.submit(CONTRACTS, q=typed)

    assert found(page) == keys
    assert page.says("条件に合う証書がありません。") is (not keys)


@pytest.mark.parametrize(
    ("period", "keys"), [("active", ["JSC26050002B", "JSC26040123A"]), ("not_started", ["JSC26120001A"]), ("ended", ["SD-000123-H"]), ("odd", None)]
)
def test_the_period_narrows_the_list(client: Client, certificates: list[int], period: str, keys: list[str] | None) -> None:
    page = client.get(f"{CONTRACTS}?period={period}")

    assert found(page) == (keys or ["JSC26050002B", "SD-000123-H", "JSC26120001A", "JSC26040123A"])


def test_fifty_a_page_and_the_way_there_and_back(client: Client, engine: Engine) -> None:
    sign_in(client, engine)
    with transaction(engine) as session:
        for number in range(120):
            add_certificate(session, f"JSC{number:08}A")

    first = client.get(f"{CONTRACTS}?q=JSC")
    second = client.click("次のページ")
    third = client.click("次のページ")

    assert [len(found(page)) for page in (first, second, third)] == [50, 50, 20]
    assert not {*found(first)} & {*found(second)}
    assert found(client.click("前のページ")) == found(second)
    assert found(client.click("前のページ")) == found(first)
    assert "前のページ" not in (client.page.text if client.page else "")


def test_a_list_costs_the_same_however_long_it_is(client: Client, engine: Engine, certificates: list[int]) -> None:
    with counted(engine) as few:
        client.get(CONTRACTS)
    with transaction(engine) as session:
        for number in range(60):
            add_certificate(session, f"JSC{number:08}A", lines=[{"serial": f"S{line}"} for line in range(5)])
    with counted(engine) as many:
        client.get(CONTRACTS)

    assert len(few) == len(many) <= 8


@pytest.mark.parametrize("query", ["before=x", "before=-1", "before=99999999999999999999999", "after=0", "before=1&after=1", "before=２"])
def test_odd_places_in_the_list_are_no_fault(client: Client, certificates: list[int], query: str) -> None:
    client.get(f"{CONTRACTS}?{query}")


@pytest.mark.parametrize(
    ("index", "label", "told"), [(0, "契約名", "お客様は「契約名」を入力します。"), (2, "ご契約番号", "お客様は「ご契約番号」を入力します。")]
)
def test_the_certificate_is_drawn_with_what_customers_type(client: Client, certificates: list[int], index: int, label: str, told: str) -> None:
    page = client.get(f"{CONTRACTS}/{certificates[index]}")

    drawn = page.root.first("figure")
    assert drawn is not None
    assert [mark.text for mark in drawn.all("mark")] == [["JSC26040123A", "", "SD-000123-H"][index]]
    assert label in drawn.text
    assert "関西システム販売株式会社 hosyu@kansai-hanbai.example" in drawn.text
    assert page.says(told)


def test_each_line_says_whether_the_desk_answers_and_where_it_came_from(client: Client, engine: Engine, certificates: list[int]) -> None:
    with transaction(engine) as session:
        batch = ImportBatch(
            file_name="5月分.xlsx",
            sha256="0" * 64,
            size=1,
            storage_key="x",
            state=BatchState.APPLIED,
            uploaded_by="近藤",
            uploaded_at=NOW,
            sheets=[],
            summary={},
        )
        session.add(batch)
        session.flush()
        line = session.query(ContractLine).filter_by(certificate_id=certificates[3]).one()
        line.batch_id, line.sheet, line.row = batch.id, "SRX", 7

    page = client.get(f"{CONTRACTS}/{certificates[3]}")

    row = page.root.all("tr")[1].text
    assert all(part in row for part in ("ex3400-48t", "Juniper-SRX", "有効", "対象外", "srx_support@jscom.co.jp", "5月分.xlsx", "シート「SRX」7行目"))


def test_what_hangs_on_it_is_one_click_away(client: Client, engine: Engine, certificates: list[int]) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        ticket = add_ticket(session, account)

    page = client.get(f"{CONTRACTS}/{certificates[0]}")

    assert page.link("SRX300 で IPsec VPN が切断される") == f"/console/tickets/{ticket.id}"
    assert page.link("東西ネットワーク株式会社") == f"/console/accounts/{account.id}"


def test_the_service_center_sees_no_tickets_here(client: Client, engine: Engine, certificates: list[int]) -> None:
    with transaction(engine) as session:
        add_ticket(session, add_account(session))
    sign_in(client, engine, Role.SERVICE_CENTER)

    page = client.get(f"{CONTRACTS}/{certificates[0]}")

    assert not page.says("SRX300 で IPsec VPN が切断される")
    assert page.says("東西ネットワーク株式会社")


def test_a_certificate_without_lines_or_addresses_can_be_read(client: Client, engine: Engine, certificates: list[int]) -> None:
    with transaction(engine) as session:
        bare = Certificate(contract_key="EMPTY-1", issued_on=date(2026, 4, 1), created_at=NOW, updated_at=NOW)
        session.add(bare)

    assert client.get(f"{CONTRACTS}/{bare.id}").says("どなたも登録できません。")
    assert client.get(CONTRACTS).says("EMPTY-1")


@pytest.mark.parametrize("number", [0, 987654, 2**31, 2**63, 10**30])
def test_a_certificate_that_is_not_there_is_not_found(client: Client, certificates: list[int], number: int) -> None:
    client.get(f"{CONTRACTS}/{number}", expect=404)


def test_an_empty_house_says_what_to_do_next(client: Client, engine: Engine) -> None:
    sign_in(client, engine, Role.SERVICE_CENTER)

    page = client.get(CONTRACTS)

    assert page.says("まだ証書がありません。")
    assert page.link("証書を取り込む") == "/console/imports"

"""契約情報一覧: the lines of every certificate on which the account's maintenance e-mail stands (SECURITY, attack list A, row 11)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.database import transaction
from tests import people
from tests.clock import Clock
from tests.portal.visit import Visit, visit

DEALER = "hosyu@kansai-hanbai.example"


@pytest.fixture
def portal(engine: Engine, clock: Clock, tmp_path: Path) -> Visit:
    opened = visit(engine, clock, tmp_path, page_rows=3)
    with transaction(engine) as session:
        people.sign_in_customer(opened.client, session, people.add_account(session))
    return opened


def serials(portal: Visit, path: str) -> list[str]:
    table = portal.client.get(path).root.all("table")[0]
    return [row.all("td")[3].text for row in table.all("tr")[1:]]


def test_the_columns_are_those_of_the_manual(portal: Visit) -> None:
    page = portal.client.get("/profile")

    heads = [head.text for head in page.root.all("table")[0].all("th")]
    assert heads == ["契約番号", "種別", "製品番号", "シリアル", "開始日", "終了日", "サービス種類"]
    assert page.says("参考情報", "この一覧にない契約についても、お問合せいただけます。")


def test_one_device_stands_once_for_each_service(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_certificate(session, "TWO", lines=[{"serial": "S1"}, {"serial": "S1", "service": "ソフトウェア保守"}], ends_on=date(2028, 3, 31))

    assert serials(portal, "/profile?q=TWO") == ["S1", "S1"]


def test_the_address_counts_under_any_party_and_in_any_case_but_never_its_domain(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_certificate(session, "AS-AGENT", agent=people.MAINTENANCE.upper(), end_user="x@osaka.tozai.example", lines=[{"serial": "AGENT"}])
        people.add_certificate(session, "AS-OPERATOR", operator=people.MAINTENANCE, end_user="", lines=[{"serial": "OPERATOR"}])
        people.add_certificate(session, "DOMAIN-ONLY", end_user="somebody@osaka.tozai.example", lines=[{"serial": "DOMAIN"}])

    assert sorted(serials(portal, "/profile")) == ["AGENT", "CV4126AF0093", "OPERATOR"]


def test_a11_other_parties_of_a_certificate_are_not_named(portal: Visit) -> None:
    page = portal.client.get("/profile")

    assert people.CONTRACT in page.text
    assert DEALER not in page.html
    assert "関西システム販売" not in page.html


def test_ended_lines_stay_and_are_marked(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_certificate(session, "SD-104732-H", ends_on=date(2026, 11, 30), lines=[{"serial": "OLD"}])
        people.add_certificate(session, "FUTURE", starts_on=date(2027, 4, 1), ends_on=date(2028, 3, 31), lines=[{"serial": "NEXT"}])

    rows = [row.text for row in portal.client.get("/profile").root.all("table")[0].all("tr")[1:]]

    assert ["開始前" in rows[0], "終了" in rows[1], "終了" in rows[2]] == [True, False, True]


def test_a_line_counts_through_its_last_day(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_certificate(session, "LAST-DAY", ends_on=date(2026, 12, 1), lines=[{"serial": "LAST"}])

    rows = [row.text for row in portal.client.get("/profile?q=LAST").root.all("table")[0].all("tr")[1:]]

    assert ["終了" in row for row in rows] == [False]


def test_pages_walk_forth_and_back_without_losing_or_repeating_a_line(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        for year in (2027, 2028):
            people.add_certificate(session, f"MANY-{year}", ends_on=date(year, 3, 31), lines=[{"serial": f"{year}-{n}"} for n in range(4)])
    seen, path = [serials(portal, "/profile")], "/profile"
    while any(link.text == "次のページ" for link in portal.client.page.root.all("a") if portal.client.page):  # type: ignore[union-attr]
        assert portal.client.page
        path = portal.client.page.link("次のページ")
        seen.append(serials(portal, path))

    assert [len(page) for page in seen] == [3, 3, 3]
    assert len({serial for page in seen for serial in page}) == 9
    back = serials(portal, portal.client.page.link("前のページ"))  # type: ignore[union-attr]
    assert back == seen[1]
    assert serials(portal, portal.client.page.link("前のページ")) == seen[0]  # type: ignore[union-attr]


@pytest.mark.parametrize("typed", ["cv4126", "ＣＶ４１２６", "srx300", "juniper-srx", "JSC2604", "オンサイト"])
def test_the_list_is_filtered_by_any_part_of_a_line(portal: Visit, typed: str) -> None:
    with transaction(portal.engine) as session:
        people.add_certificate(session, "ELSE", family="ruckus", lines=[{"serial": "ZZZ", "product_number": "R650", "service": "センドバック保守"}])

    assert serials(portal, f"/profile?q={typed}") == ["CV4126AF0093"]


@pytest.mark.parametrize("typed", ["%25", "_", "100%25", "'"])
def test_signs_of_patterns_are_only_signs(portal: Visit, typed: str) -> None:
    assert portal.client.get(f"/profile?q={typed}").says("条件に合うご契約がありません。")


@pytest.mark.parametrize("cursor", ["x", "2026-13-45~A~1", "2026-01-01~A~x", "~~", "2026-01-01~A~99999999999999999999"])
def test_a_broken_place_shows_the_first_page(portal: Visit, cursor: str) -> None:
    assert serials(portal, f"/profile?after={cursor}") == ["CV4126AF0093"]


def test_the_page_takes_the_same_statements_however_many_lines_there_are(portal: Visit) -> None:
    with portal.work() as few:
        portal.client.get("/profile")
    with transaction(portal.engine) as session:
        people.add_certificate(session, "MANY", lines=[{"serial": f"N{n}"} for n in range(200)])
    with portal.work() as many:
        portal.client.get("/profile")

    assert many.statements == few.statements


def test_an_address_that_left_all_certificates_shows_an_empty_list_and_what_to_do(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    portal = visit(engine, clock, tmp_path)
    with transaction(engine) as session:
        people.sign_in_customer(portal.client, session, people.add_account(session, maintenance_email="gone@osaka.tozai.example"))

    assert portal.client.get("/profile").says("表示できるご契約がありません。", "お問合せは、これまでどおりいただけます。")


def test_a_renewal_is_named_where_the_other_contract_is_the_customers_too(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        known = people.add_certificate(session, "KNOWN", ends_on=date(2028, 3, 31))
        onward = people.add_certificate(session, "ONWARD", ends_on=date(2029, 3, 31))
        people.add_renewal(session, known, onward)
        people.add_renewal(session, onward, people.add_certificate(session, "STRANGE", end_user="x@other.example"))

    page = portal.client.get("/profile")

    assert page.says("更新後：ONWARD", "更新前：KNOWN") and "STRANGE" not in page.html

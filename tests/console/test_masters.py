"""The masters: added, changed and taken back, each with its line in the journal."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from models.database import transaction
from models.journal import JournalEntry
from models.masters import Category, CompanyDay, DomainKind, FamilyAlias, FamilyMailbox, MailDomain, PrivacyText, ProductFamily
from rules.rights import Role
from tests.client import Client, Page, filled_in
from tests.people import add_staff, sign_in_staff

MASTERS = "/console/masters"


@pytest.fixture(autouse=True)
def tanaka(engine: Engine, client: Client) -> None:
    """田中, an administrator, signed in."""
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "tanaka", name="田中", roles=(Role.ADMIN,)))


def last_act(engine: Engine) -> tuple[str, str, dict[str, Any]]:
    with transaction(engine, readonly=True) as session:
        entry = session.scalars(select(JournalEntry).order_by(JournalEntry.id.desc()).limit(1)).one()
        return entry.act, entry.subject_name, entry.facts


def ids(engine: Engine, statement: Any) -> list[Any]:
    with transaction(engine, readonly=True) as session:
        return list(session.scalars(statement))


def press(client: Client, label: str, *, expect: int = 200) -> Page:
    """Press a button of the bar below the preview, which stands outside its form."""
    assert client.page
    button = next(button for button in client.page.root.all("button") if button.text == label)
    form = client.page.form("/console/masters/privacy-text")
    return client.post(f"{MASTERS}/privacy-text", [*filled_in(form), (button.attributes["name"], button.attributes["value"])], expect=expect)


def test_a_product_is_added_at_the_end_and_customers_may_choose_it(client: Client, engine: Engine) -> None:
    client.get(f"{MASTERS}/products")

    page = client.submit(f"{MASTERS}/products", name="Ｆｏｒｔｉｎｅｔ", slug="fortinet", intake_hint="機種とバージョンをお書きください。")

    assert page.heading == "Fortinet"
    assert last_act(engine)[:2] == ("add_family", "Fortinet")
    with transaction(engine, readonly=True) as session:
        family = session.scalars(select(ProductFamily).where(ProductFamily.slug == "fortinet")).one()
        assert (family.active, family.position) == (True, 16)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": ""}, "名前を入力してください。"),
        ({"name": "x" * 81}, "名前は、80 文字以内で入力してください（いまは 81 文字です）。"),
        ({"name": "juniper-srx"}, "「juniper-srx」はすでにあります。"),
        ({"name": "IRONPORT"}, "「IRONPORT」はすでにあります。"),
        ({"slug": "ruckus"}, "「ruckus」はすでに使われています。"),
        ({"slug": "Forti Net"}, "URL の名前は、半角の英小文字・数字と「-」で、40 文字以内で入力してください"),
        ({"intake_hint": "あ" * 1001}, "受付時の案内は、1,000 文字以内で入力してください（いまは 1,001 文字です）。"),
    ],
)
def test_a_product_that_cannot_be_is_told_at_its_field(client: Client, fields: dict[str, Any], told: str) -> None:
    client.get(f"{MASTERS}/products")

    typed: dict[str, Any] = {"name": "Fortinet", "slug": "fortinet", **fields}
    page = client.submit(f"{MASTERS}/products", expect=422, **typed)

    assert told in page.fault_of(next(iter(fields)))


def test_a_product_is_changed_and_switched_off(client: Client, engine: Engine) -> None:
    client.get(f"{MASTERS}/products/5")

    client.submit(f"{MASTERS}/products/5", intake_hint="構成図もお送りください。", position="99", active=False)

    act, name, facts = last_act(engine)
    assert (act, name, facts["position"], facts["active"]) == ("change_family", "Juniper-SRX", [5, 99], [True, False])
    with transaction(engine, readonly=True) as session:
        assert not session.get_one(ProductFamily, 5).active


def test_a_product_may_change_the_case_of_its_own_name(client: Client, engine: Engine) -> None:
    client.get(f"{MASTERS}/products/5")

    client.submit(f"{MASTERS}/products/5", name="JUNIPER-SRX")

    assert last_act(engine)[2]["name"] == ["Juniper-SRX", "JUNIPER-SRX"]


@pytest.mark.parametrize("position", ["", "0", "-1", "10000", "999999999999", "はち"])
def test_a_place_in_the_list_is_a_number(client: Client, position: str) -> None:
    client.get(f"{MASTERS}/products/5")

    page = client.submit(f"{MASTERS}/products/5", position=position, expect=422)

    assert page.fault_of("position").startswith("表示順は、1〜9,999 の数字で入力してください。")


def test_the_last_choice_stays(client: Client, engine: Engine) -> None:
    with transaction(engine) as session:
        session.execute(update(ProductFamily).where(ProductFamily.id != 5).values(active=False))
        session.execute(update(Category).where(Category.id != 1).values(active=False))
    client.get(f"{MASTERS}/products/5")

    assert "選べる製品が 1 つもなくなるため、停止できません。" in client.submit(f"{MASTERS}/products/5", active=False, expect=422).text

    client.get(f"{MASTERS}/categories")
    assert "選べるカテゴリが 1 つもなくなるため、停止できません。" in client.submit(f"{MASTERS}/categories/1", active=False, expect=422).text


def test_an_alias_comes_and_goes(client: Client, engine: Engine) -> None:
    client.get(f"{MASTERS}/products/5")
    client.submit(f"{MASTERS}/products/5/aliases", alias="ＳＲＸシリーズ")
    assert last_act(engine) == ("add_alias", "Juniper-SRX", {"alias": "SRXシリーズ"})

    page = client.submit(f"{MASTERS}/products/5/aliases", alias="srxシリーズ", expect=422)
    assert "「srxシリーズ」はすでにあります。" in page.fault_of("alias")

    number = ids(engine, select(FamilyAlias.id).where(FamilyAlias.alias == "SRXシリーズ"))[0]
    client.get(f"{MASTERS}/products/5")
    client.submit(f"{MASTERS}/products/5/aliases/{number}/removal")
    assert last_act(engine) == ("remove_alias", "Juniper-SRX", {"alias": "SRXシリーズ"})
    assert ids(engine, select(FamilyAlias.id).where(FamilyAlias.family_id == 5)) == []


def test_an_alias_of_another_product_cannot_be_taken_here(client: Client, engine: Engine) -> None:
    number = ids(engine, select(FamilyAlias.id))[0]
    client.get(f"{MASTERS}/products/5")

    client.post(f"{MASTERS}/products/5/aliases/{number}/removal", {"csrf_token": client.csrf_token()}, expect=404)


def test_a_mailbox_comes_and_goes(client: Client, engine: Engine) -> None:
    client.get(f"{MASTERS}/mailboxes")
    client.submit(f"{MASTERS}/mailboxes", family="5", address="SRX2_support@JSCOM.co.jp")
    assert last_act(engine) == ("add_mailbox", "Juniper-SRX", {"address": "srx2_support@jscom.co.jp"})

    page = client.submit(f"{MASTERS}/mailboxes", family="5", address="srx2_support@jscom.co.jp", expect=422)
    assert "この製品にすでにあります。" in page.fault_of("address")
    assert "対象の製品を選んでください。" in client.submit(f"{MASTERS}/mailboxes", family="", address="a@jscom.co.jp", expect=422).fault_of("family")
    assert "アドレス" in client.submit(f"{MASTERS}/mailboxes", family="5", address="a@", expect=422).fault_of("address")

    number = ids(engine, select(FamilyMailbox.id).where(FamilyMailbox.address == "srx2_support@jscom.co.jp"))[0]
    client.get(f"{MASTERS}/mailboxes")
    client.submit(f"{MASTERS}/mailboxes/{number}/removal")
    assert last_act(engine)[0] == "remove_mailbox"


def test_a_category_is_added_and_changed_in_its_row(client: Client, engine: Engine) -> None:
    client.get(f"{MASTERS}/categories")
    page = client.submit(f"{MASTERS}/categories", name="見積もり")
    assert page.says("「見積もり」を追加しました。")

    client.submit(f"{MASTERS}/categories/1", name="故障", position="3")

    assert last_act(engine) == ("change_category", "故障", {"name": ["障害", "故障"], "position": [1, 3]})


def test_a_category_refused_in_its_row_is_told_in_its_row(client: Client) -> None:
    client.get(f"{MASTERS}/categories")

    page = client.submit(f"{MASTERS}/categories/1", name="仕様", expect=422)

    row = next(row for row in page.root.all("li") if "「仕様」はすでにあります。" in row.text and row.all("form"))
    assert "障害の名前" in row.text
    assert page.root.first("a", href="#c1-name") is not None


@pytest.mark.parametrize(
    ("kind", "typed", "kept"), [("shared", "Ｍａｉｌ.Example.ne.jp", "mail.example.ne.jp"), ("own", "info@js.example.jp", "js.example.jp")]
)
def test_a_domain_comes_and_goes(client: Client, engine: Engine, kind: str, typed: str, kept: str) -> None:
    client.get(f"{MASTERS}/domains")
    button = "共有ドメインを追加する" if kind == "shared" else "当社のドメインを追加する"

    client.submit(button, domain=typed)

    assert last_act(engine) == ("add_domain", kept, {"kind": kind})
    number = ids(engine, select(MailDomain.id).where(MailDomain.domain == kept, MailDomain.kind == DomainKind(kind)))[0]
    client.submit(f"{MASTERS}/domains/{number}/removal")
    assert last_act(engine) == ("remove_domain", kept, {"kind": kind})


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "ドメインを入力してください。"),
        ("gmail.com", "「gmail.com」はすでに一覧にあります。"),
        ("jscom.co.jp", "「jscom.co.jp」はすでに一覧にあります。"),
        ("co.jp", "「co.jp」は、メールのドメインとして使えません。"),
        ("exa mple.jp", "メールのドメインとして使えません。"),
        ("例え.jp", "メールのドメインとして使えません。"),
        ("192.0.2.1", "メールのドメインとして使えません。"),
    ],
)
def test_what_is_no_domain_is_told_at_the_field_of_its_list(client: Client, typed: str, told: str) -> None:
    client.get(f"{MASTERS}/domains")

    page = client.submit("共有ドメインを追加する", domain=typed, expect=422)

    assert told in " ".join(page.alerts)
    assert page.root.first("a", href="#shared-domain") is not None


def test_a_company_day_closes_the_desk_and_opens_again(client: Client, engine: Engine) -> None:
    client.get(f"{MASTERS}/company-days")
    page = client.submit(f"{MASTERS}/company-days", day="2026/12/28", name="創立記念日")
    assert page.says("「創立記念日」を追加しました。", "2026/12/28")
    assert ids(engine, select(CompanyDay.day)) == [date(2026, 12, 28)]

    assert "その日はすでに休業日です。" in client.submit(f"{MASTERS}/company-days", day="2026-12-28", name="二度目", expect=422).fault_of("day")
    assert "日付を" in client.submit(f"{MASTERS}/company-days", day="2026-02-30", name="ない日", expect=422).fault_of("day")

    client.get(f"{MASTERS}/company-days")
    client.submit(f"{MASTERS}/company-days/{ids(engine, select(CompanyDay.id))[0]}/removal")
    assert last_act(engine) == ("remove_company_day", "創立記念日", {"day": "2026-12-28"})


def test_a_privacy_text_is_seen_before_it_is_published(client: Client, engine: Engine) -> None:
    client.get(f"{MASTERS}/privacy-text")

    page = client.submit(f"{MASTERS}/privacy-text", body="1. 新しい文\n<script>alert(1)</script>")
    assert page.heading == "公開前の確認（第 2 版）"
    assert page.says("<script>alert(1)</script>")
    assert ids(engine, select(PrivacyText.id)) == [1]

    page = press(client, "第 2 版を公開する")
    assert page.says("第 2 版を公開しました。")
    assert last_act(engine)[2] == {"version": [1, 2]}
    assert client.get(f"{MASTERS}/privacy-text/2").says("1. 新しい文")
    assert client.get(f"{MASTERS}/privacy-text/1").says("以前の版", "お預かりする情報")


def test_a_privacy_text_can_be_written_again_before_it_is_published(client: Client, engine: Engine) -> None:
    client.get(f"{MASTERS}/privacy-text")
    client.submit(f"{MASTERS}/privacy-text", body="1. 新しい文")

    page = press(client, "書き直す")

    assert page.value_of("body") == "1. 新しい文\n"
    assert ids(engine, select(PrivacyText.id)) == [1]


def test_the_same_text_or_none_is_no_new_version(client: Client) -> None:
    page = client.get(f"{MASTERS}/privacy-text")
    assert "いまの版と同じ文です。" in client.submit(f"{MASTERS}/privacy-text", body=page.value_of("body"), expect=422).fault_of("body")
    assert "本文を入力してください。" in client.submit(f"{MASTERS}/privacy-text", body=" \n", expect=422).fault_of("body")


def test_two_who_publish_at_once_see_each_other(client: Client, engine: Engine) -> None:
    client.get(f"{MASTERS}/privacy-text")
    client.submit(f"{MASTERS}/privacy-text", body="1. 新しい文")
    with transaction(engine) as session:
        session.add(PrivacyText(body="2. 別の人の文\n", published_at=session.get_one(PrivacyText, 1).published_at))

    page = press(client, "第 2 版を公開する", expect=422)

    assert "表示したあとで、別の版が公開されました。" in " ".join(page.alerts)
    assert page.value_of("body").startswith("1. 新しい文")


def test_every_master_is_one_click_from_the_first_page(client: Client) -> None:
    page = client.get(MASTERS)

    for link in [element.attributes["href"] for element in page.root.all("a") if element.attributes["href"].startswith(f"{MASTERS}/")]:
        assert client.get(link).status == 200


def test_an_auditor_reads_the_masters_and_finds_nothing_to_press(client: Client, engine: Engine) -> None:
    client.cookies.clear()
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "kansa", name="監査", roles=(Role.AUDITOR,)))

    for path in ("products", "products/5", "mailboxes", "categories", "domains", "company-days", "privacy-text", "privacy-text/1"):
        page = client.get(f"{MASTERS}/{path}")
        assert [form.attributes["action"] for form in page.root.all("form") if form.attributes.get("method") == "post"] == ["/console/sign-out"], path

"""Letting people into the console, and what nobody may do to themselves."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, select

from models.database import transaction
from models.journal import JournalEntry
from models.people import QueueMember, Staff
from models.tickets import Ticket
from rules.rights import Role
from rules.tickets import State
from tests.client import Client
from tests.people import PASSWORD, add_account, add_staff, add_ticket, family_id, sign_in_staff


@pytest.fixture
def tanaka(engine: Engine, client: Client) -> Staff:
    """田中, the only administrator, signed in."""
    with transaction(engine) as session:
        member = add_staff(session, "tanaka", name="田中", roles=(Role.ADMIN,))
        sign_in_staff(client, session, member)
    return member


@pytest.fixture
def nakamura(engine: Engine) -> Staff:
    with transaction(engine) as session:
        return add_staff(session)


def acts(engine: Engine) -> list[tuple[str, dict[str, object]]]:
    with transaction(engine, readonly=True) as session:
        return [(entry.act, entry.facts) for entry in session.scalars(select(JournalEntry).order_by(JournalEntry.id))]


def now_is(engine: Engine, staff: Staff) -> Staff:
    with transaction(engine, readonly=True) as session:
        return session.get_one(Staff, staff.id)


def test_a_new_member_with_a_password_can_sign_in(client: Client, engine: Engine, tanaka: Staff) -> None:
    client.get("/console/staff")

    page = client.submit(
        "/console/staff",
        name="佐藤　由美",
        user_id="ｓａｔｏ",
        email="Sato@JSCOM.co.jp",
        password="kaede-no-ki-no-shita-de",
        roles=["support", "desk"],
        families=["5"],
    )

    assert page.says("佐藤 由美さんを登録しました。")
    with transaction(engine, readonly=True) as session:
        sato = session.scalars(select(Staff).where(Staff.user_id == "sato")).one()
        assert (sato.email, sato.email_key, sato.roles) == ("Sato@jscom.co.jp", "sato@jscom.co.jp", ["support", "desk"])
        assert session.scalars(select(QueueMember.family_id).where(QueueMember.staff_id == sato.id)).all() == [5]
    client.submit("/console/sign-out")
    page = client.submit(user_id="sato", password="kaede-no-ki-no-shita-de")
    assert page.heading == "確認コードの登録"


def test_the_journal_says_who_was_let_in_with_what(client: Client, engine: Engine, tanaka: Staff) -> None:
    client.get("/console/staff")
    client.submit("/console/staff", name="佐藤", user_id="sato", email="sato@jscom.co.jp", roles=["support"])

    page = client.get("/console/journal")

    assert page.says("職員を登録しました", "職員 佐藤", "サポートエンジニア", "sato@jscom.co.jp")
    assert "kaede" not in page.text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": " "}, "お名前を入力してください。"),
        ({"name": "あ" * 101}, "お名前は、100 文字以内で入力してください（いまは 101 文字です）。"),
        ({"user_id": "NAKAMURA"}, "このユーザーIDはすでに使われています。"),
        ({"user_id": "ab"}, "ユーザーIDは、半角 3 文字以上で入力してください（いまは 2 文字です）。"),
        ({"email": "nakamura@jscom.co.jp"}, "このメールアドレスは、ほかの職員が使っています。"),
        ({"email": "sato"}, "メールアドレスに「@」がありません。"),
        ({"roles": []}, "役割を 1 つ以上選んでください。"),
        ({"password": "short"}, "パスワードは、半角 15 文字以上にしてください。"),
        ({"password": "sato@jscom.co.jp"}, "パスワードは、メールアドレスと違うものにしてください。"),
    ],
)
def test_what_was_typed_stays_and_the_refusal_says_what_to_do(client: Client, tanaka: Staff, nakamura: Staff, fields: dict[str, Any], told: str) -> None:
    client.get("/console/staff")

    typed: dict[str, Any] = {"name": "佐藤", "user_id": "sato", "email": "sato@jscom.co.jp", "roles": ["support"], **fields}
    page = client.submit("/console/staff", expect=422, **typed)

    assert told in " ".join(page.alerts)
    assert page.value_of("password") == ""


@pytest.mark.parametrize(("name", "value", "told"), [("roles", "god", "役割を一覧から選んでください。"), ("families", "999", "製品を一覧から選んでください。")])
def test_choices_nobody_offered_are_refused(client: Client, tanaka: Staff, name: str, value: str, told: str) -> None:
    client.get("/console/staff")
    typed = [("csrf_token", client.csrf_token()), ("name", "佐藤"), ("user_id", "sato"), ("email", "sato@jscom.co.jp"), ("roles", "support"), (name, value)]

    page = client.post("/console/staff", typed, expect=422)

    assert told in " ".join(page.alerts)


def test_a_change_is_journalled_with_before_and_after(client: Client, engine: Engine, tanaka: Staff, nakamura: Staff) -> None:
    client.get(f"/console/staff/{nakamura.id}")

    page = client.submit(f"/console/staff/{nakamura.id}", name="中村 健", roles=["support", "lead"], families=["5", "2"])

    assert page.says("中村 健さんの登録を変更しました。")
    assert acts(engine) == [("change_staff", {"name": ["中村", "中村 健"], "roles": ["support", "support lead"], "queues": ["", "Juniper-EX、Juniper-SRX"]})]


def test_nothing_changed_is_nothing_journalled(client: Client, engine: Engine, tanaka: Staff, nakamura: Staff) -> None:
    client.get(f"/console/staff/{nakamura.id}")

    client.submit(f"/console/staff/{nakamura.id}")

    assert acts(engine) == []


@pytest.mark.parametrize("change", [{"roles": ["auditor"]}, {"active": False}])
def test_other_roles_or_none_end_the_sessions(client: Client, engine: Engine, tanaka: Staff, nakamura: Staff, change: dict[str, Any]) -> None:
    own = client.cookies.get("jtickets_console")
    with transaction(engine) as session:
        sign_in_staff(client, session, nakamura)
        theirs = client.cookies.get("jtickets_console", domain="")
    client.cookies.clear()
    client.cookies.set("jtickets_console", own)
    client.get(f"/console/staff/{nakamura.id}")
    client.submit(f"/console/staff/{nakamura.id}", **change)

    client.cookies.clear()
    client.cookies.set("jtickets_console", theirs)

    assert client.get("/console/contracts").path.startswith("/console/sign-in")


def test_nobody_takes_the_keys_from_themselves(client: Client, engine: Engine, tanaka: Staff) -> None:
    with transaction(engine) as session:
        add_staff(session, "suzuki", name="鈴木", roles=(Role.ADMIN,))
    client.get(f"/console/staff/{tanaka.id}")

    page = client.submit(f"/console/staff/{tanaka.id}", roles=["support"], expect=422)
    assert "ご自身の「管理者」の役割は外せません。" in " ".join(page.alerts)

    page = client.submit(f"/console/staff/{tanaka.id}", roles=["admin"], active=False, expect=422)
    assert "ご自身の利用は停止できません。" in " ".join(page.alerts)
    assert now_is(engine, tanaka).active


def test_a_second_code_is_enrolled_after_a_reset(client: Client, engine: Engine, tanaka: Staff, nakamura: Staff) -> None:
    with transaction(engine) as session:
        member = session.get_one(Staff, nakamura.id)
        member.totp_secret, member.totp_enrolled_at, member.totp_step = "JBSWY3DPEHPK3PXP", member.created_at, 7
    client.get(f"/console/staff/{nakamura.id}")

    page = client.submit(f"/console/staff/{nakamura.id}/totp-reset")

    assert page.says("確認コードを解除しました。")
    assert acts(engine) == [("reset_totp", {})]
    assert (now_is(engine, nakamura).totp_secret, now_is(engine, nakamura).totp_enrolled_at) == (None, None)


def test_a_password_set_by_an_administrator_opens_the_door(client: Client, engine: Engine, tanaka: Staff, nakamura: Staff) -> None:
    client.get(f"/console/staff/{nakamura.id}")
    page = client.submit(f"/console/staff/{nakamura.id}/password", password="nakamura", expect=422)
    assert "パスワードは、半角 15 文字以上にしてください。" in " ".join(page.alerts)

    client.submit(f"/console/staff/{nakamura.id}/password", password="midori-no-kaze-2026")
    client.submit("/console/sign-out")

    client.submit(user_id="nakamura", password=PASSWORD, expect=422)
    assert client.submit(user_id="nakamura", password="midori-no-kaze-2026").heading == "確認コードの登録"


def test_an_auditor_reads_and_finds_nothing_to_press(client: Client, engine: Engine, nakamura: Staff) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "kansa", name="監査", roles=(Role.AUDITOR,)))

    for path in ("/console/staff", f"/console/staff/{nakamura.id}"):
        page = client.get(path)
        assert page.says("中村")
        assert [form.attributes["action"] for form in page.root.all("form") if form.attributes.get("method") == "post"] == ["/console/sign-out"]


def test_a_member_that_is_not_there_is_not_found(client: Client, tanaka: Staff) -> None:
    client.get("/console/staff/987654", expect=404)


def test_queues_are_told_in_the_list(client: Client, engine: Engine, tanaka: Staff, nakamura: Staff) -> None:
    with transaction(engine) as session:
        session.add(QueueMember(family_id=family_id(session, "ruckus"), staff_id=nakamura.id))

    row = next(row for row in client.get("/console/staff").root.all("tr") if "中村" in row.text)

    assert "Ruckus" in row.text
    assert "サポートエンジニア" in row.text


@pytest.mark.parametrize("change", [{"active": []}, {"roles": ["auditor"]}])
def test_the_open_tickets_of_who_answers_no_more_are_nobodys(client: Client, engine: Engine, tanaka: Staff, nakamura: Staff, change: dict[str, Any]) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        tickets = [add_ticket(session, account, state=state, assignee=nakamura).id for state in (State.OPEN, State.WAITING_VENDOR, State.CLOSED)]
    client.get(f"/console/staff/{nakamura.id}")

    client.submit(f"/console/staff/{nakamura.id}", **change)

    with transaction(engine, readonly=True) as session:
        assert [session.get_one(Ticket, number).assignee_id for number in tickets] == [None, None, nakamura.id]
    assert ("assign", {"assignee": ["中村", ""]}) in acts(engine)
    assert client.get("/console/tickets?view=unassigned").says(f"#{tickets[0]}", f"#{tickets[1]}")

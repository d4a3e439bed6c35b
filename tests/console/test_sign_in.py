"""The console's door: passwords, codes, sessions, and what is limited."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pyotp.totp import TOTP
from sqlalchemy import Engine, select
from starlette.types import ASGIApp

from asgi import application
from models.admission import SignIn
from models.database import transaction
from models.people import RateCount, Staff, StaffSession
from settings import Settings
from tests.client import Client, Page
from tests.clock import Clock
from tests.console.counting import counted
from tests.people import PASSWORD, add_account, add_staff, sign_in_customer, sign_in_staff
from web.wiring import Wiring

DOOR = "/console/sign-in"
WRONG = "ユーザーIDまたはパスワードが違います。"


@pytest.fixture
def nakamura(engine: Engine) -> Staff:
    with transaction(engine) as session:
        return add_staff(session)


@pytest.fixture
def app(wiring: Wiring, settings: Settings) -> ASGIApp:
    """The desk as `make run` starts it: who has enrolled no code needs none."""
    return application(replace(wiring, settings=replace(settings, staff_totp="optional")))


@pytest.fixture
def strict(wiring: Wiring) -> ASGIApp:
    """The desk as it runs in production: everybody with a password needs a code too."""
    return application(wiring)


def sign_in(client: Client, user_id: str = "nakamura", password: str = PASSWORD, *, expect: int = 200, path: str = DOOR) -> Page:
    client.get(path)
    return client.submit(user_id=user_id, password=password, expect=expect)


def enrolled(client: Client, clock: Clock) -> str:
    """Enrol as a person without a camera does, by the text below the picture, and leave again; the secret."""
    shown = sign_in(client).root.first("code")
    assert shown is not None
    secret = shown.text.replace(" ", "")
    client.submit(code=TOTP(secret).at(clock()))
    client.submit("/console/sign-out")
    return secret


def test_the_right_password_opens_the_console(client: Client, nakamura: Staff) -> None:
    page = sign_in(client, "ＮＡＫＡＭＵＲＡ")

    assert page.path == "/console/tickets"
    assert page.says("中村")


def test_after_the_door_one_is_where_one_wanted_to_be(client: Client, nakamura: Staff) -> None:
    client.get("/console/contracts?q=%E5%A4%A7%E9%98%AA")

    page = client.submit(user_id="nakamura", password=PASSWORD)

    assert page.path == "/console/contracts?q=%E5%A4%A7%E9%98%AA"


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/console", "/\\evil.example", "javascript:alert(1)", "/tickets", "/console/../login"]
)
def test_a_made_up_next_leads_to_the_first_page(client: Client, nakamura: Staff, target: str) -> None:
    client.get(DOOR)

    page = client.post(DOOR, {"csrf_token": client.csrf_token(), "user_id": "nakamura", "password": PASSWORD, "next": target})

    assert page.path == "/console/tickets"


def test_a_line_break_in_next_writes_no_header(client: Client, nakamura: Staff) -> None:
    client.get(DOOR)

    page = client.post(
        DOOR, {"csrf_token": client.csrf_token(), "user_id": "nakamura", "password": PASSWORD, "next": "/console\r\nset-cookie: a=b"}, follow=False
    )

    assert page.headers["location"] == "/console/tickets"


@pytest.mark.parametrize("prepare", ["unknown", "wrong", "disabled", "without_password"])
def test_nobody_learns_why_the_door_stays_shut(client: Client, engine: Engine, prepare: str) -> None:
    with transaction(engine) as session:
        member = add_staff(session)
        member.active = prepare != "disabled"
        member.password_hash = None if prepare == "without_password" else member.password_hash
        member.user_id_key = "somebody" if prepare == "unknown" else member.user_id_key
    client.get(DOOR)

    with counted(engine) as statements:
        page = client.submit(user_id="nakamura", password="Something-Else-1" if prepare == "wrong" else PASSWORD, expect=422)

    assert page.alerts == ["1件の入力をお確かめください 1. " + WRONG] or WRONG in " ".join(page.alerts)
    assert page.value_of("user_id") == "nakamura"
    assert page.value_of("password") == ""
    assert len(statements) == 5, "the work is the same for everybody: three counts, one look-up, one line of history"


def test_a_failure_stands_in_the_history_of_whom_it_named(client: Client, engine: Engine, nakamura: Staff) -> None:
    sign_in(client, password="Wrong-Password-1", expect=422)
    sign_in(client)

    with transaction(engine, readonly=True) as session:
        told = session.execute(select(SignIn.succeeded, SignIn.how, SignIn.client).where(SignIn.staff_id == nakamura.id).order_by(SignIn.id)).all()
    assert [tuple(row) for row in told] == [(False, "password", "203.0.113.7"), (True, "password", "203.0.113.7")]


def test_ten_failures_are_told_and_the_eleventh_try_waits(client: Client, clock: Clock, nakamura: Staff) -> None:
    for _ in range(10):
        sign_in(client, password="Wrong-Password-1", expect=422)

    page = sign_in(client, expect=429)
    assert page.says("しばらく受け付けを止めています。10:05 以降に")
    assert not page.says(WRONG)

    clock.advance(minutes=5)
    assert sign_in(client).path == "/console/tickets"


def test_one_client_cannot_try_one_password_on_many(client: Client, app: ASGIApp, nakamura: Staff) -> None:
    for number in range(10):
        sign_in(client, f"somebody{number}", expect=422)

    sign_in(client, expect=429)
    with Client(app, address="198.51.100.9") as another:
        assert sign_in(another).path == "/console/tickets"


def test_many_clients_cannot_try_one_user(app: ASGIApp, nakamura: Staff) -> None:
    for number in range(10):
        with Client(app, address=f"198.51.100.{number}") as each:
            sign_in(each, password="Wrong-Password-1", expect=422)

    with Client(app, address="198.51.100.99") as last:
        sign_in(last, expect=429)


def test_one_client_past_its_limit_uses_up_nothing_of_the_others(client: Client, engine: Engine, nakamura: Staff) -> None:
    for number in range(14):
        sign_in(client, f"somebody{number}", expect=422 if number < 10 else 429)

    with transaction(engine, readonly=True) as session:
        rows = session.execute(select(RateCount.bucket, RateCount.count).where(RateCount.bucket != "staff_sign_in_user")).all()
        counts = {row.bucket: row.count for row in rows}
    assert counts == {"staff_sign_in_client": 10, "staff_sign_in_all": 10}


def test_the_addresses_of_one_network_are_one_client(app: ASGIApp, nakamura: Staff) -> None:
    for number in range(11):
        with Client(app, address=f"2001:db8::{number:x}") as each:
            sign_in(each, f"somebody{number}", expect=422 if number < 10 else 429)


def test_right_passwords_are_never_limited(client: Client, nakamura: Staff) -> None:
    for _ in range(12):
        assert sign_in(client).path == "/console/tickets"
        client.submit("/console/sign-out")


def test_signing_in_again_ends_the_session_this_browser_had(client: Client, engine: Engine, nakamura: Staff) -> None:
    with transaction(engine) as session:
        other = add_staff(session, "sato", name="佐藤")
        sign_in_staff(client, session, other)
    client.get("/console/contracts")

    client.post(DOOR, {"csrf_token": client.csrf_token(), "user_id": "nakamura", "password": PASSWORD})

    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(StaffSession.staff_id)).all() == [nakamura.id]


def test_a_cookie_is_worth_nothing_after_signing_out(client: Client, engine: Engine, nakamura: Staff) -> None:
    sign_in(client)
    kept = client.cookies.get("jtickets_console")

    page = client.submit("/console/sign-out")
    assert page.says("サインアウトしました。")

    client.cookies.set("jtickets_console", kept)
    assert client.get("/console/contracts").path.startswith(DOOR)


def test_a_field_that_comes_twice_is_no_form(client: Client, nakamura: Staff) -> None:
    client.get(DOOR)

    client.post(DOOR, [("csrf_token", client.csrf_token()), ("user_id", "nakamura"), ("user_id", "sato"), ("password", PASSWORD)], expect=400)


@pytest.mark.parametrize("typed", ["naka\x00mura", "%", "' OR 1=1 --", "あ" * 400, ""])
def test_odd_user_ids_are_simply_wrong(client: Client, nakamura: Staff, typed: str) -> None:
    sign_in(client, typed, expect=422)


def test_a_customer_stays_outside(client: Client, engine: Engine) -> None:
    with transaction(engine) as session:
        sign_in_customer(client, session, add_account(session))

    client.get("/console/contracts", expect=404)
    sign_in(client, "kimura", expect=422)


def test_the_first_sign_in_enrols_a_code(strict: ASGIApp, clock: Clock, engine: Engine, nakamura: Staff) -> None:
    with Client(strict) as client:
        page = sign_in(client, path=f"{DOOR}?next=%2Fconsole%2Fcontracts")
        assert page.heading == "確認コードの登録"
        secret = page.root.first("code")
        assert secret is not None

        page = client.submit(code=TOTP(secret.text.replace(" ", "")).at(clock()))

        assert page.path == "/console/contracts"
    with transaction(engine, readonly=True) as session:
        assert session.get_one(Staff, nakamura.id).totp_enrolled_at == clock()


def test_between_password_and_code_nothing_is_open(strict: ASGIApp, nakamura: Staff) -> None:
    with Client(strict) as client:
        sign_in(client)

        assert client.get("/console/contracts").path.startswith(DOOR)
        assert client.get("/console/profile").path.startswith(DOOR)


def test_the_code_is_asked_at_every_sign_in_and_counts_once(strict: ASGIApp, clock: Clock, nakamura: Staff) -> None:
    with Client(strict) as client:
        secret = enrolled(client, clock)

        page = sign_in(client)
        assert page.heading == "確認コード"
        assert page.root.first("code") is None, "an enrolled secret is never shown again"
        page = client.submit(code=TOTP(secret).at(clock()), expect=422)
        assert page.fault_of("code").startswith("確認コードが違います。")

        clock.advance(seconds=30)
        assert client.submit(code=TOTP(secret).at(clock())).path == "/console/tickets"


def test_a_clock_half_a_minute_off_is_forgiven_and_more_is_not(strict: ASGIApp, clock: Clock, nakamura: Staff) -> None:
    with Client(strict) as client:
        secret = enrolled(client, clock)
        clock.advance(minutes=5)
        for seconds, passes in ((-61, False), (61, False), (-30, True)):
            sign_in(client)
            page = client.submit(code=TOTP(secret).at(int(clock().timestamp()) + seconds), expect=200 if passes else 422)
            assert (page.path == "/console/tickets") is passes


def test_ten_wrong_codes_and_the_eleventh_waits(strict: ASGIApp, clock: Clock, nakamura: Staff) -> None:
    with Client(strict) as client:
        secret = enrolled(client, clock)
        clock.advance(minutes=5)
        sign_in(client)
        right = TOTP(secret).at(clock())
        wrong = f"{(int(right) + 111_111) % 1_000_000:06}"
        for _ in range(10):
            client.submit(code=wrong, expect=422)

        client.submit(code=right, expect=429)


def test_the_page_of_the_code_is_nobodys_without_a_password(strict: ASGIApp, nakamura: Staff) -> None:
    with Client(strict) as client:
        assert client.get("/console/sign-in/code").path == DOOR


def test_a_disabled_member_is_outside_at_the_next_click(client: Client, engine: Engine, nakamura: Staff) -> None:
    sign_in(client)
    with transaction(engine) as session:
        session.get_one(Staff, nakamura.id).active = False

    assert client.get("/console/contracts").path.startswith(DOOR)

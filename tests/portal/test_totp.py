"""確認コード: a customer's own second factor, sealed at rest, with recovery codes; nobody is forced to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pyotp.totp import TOTP
from sqlalchemy import Engine, select

from actions import staff_sign_in
from models.actors import SYSTEM
from models.admission import AccountTotp, SignIn
from models.database import transaction
from models.sealing import open_secret, seal_secret
from rules.refusal import Refused
from tests import people
from tests.client import Client, Page
from tests.clock import Clock
from tests.portal.visit import Visit, visit

EARLIER = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
KEY = b"a-secret-only-the-tests-know-0123456789"


@pytest.fixture
def portal(engine: Engine, clock: Clock, tmp_path: Path) -> Visit:
    opened = visit(engine, clock, tmp_path)
    with transaction(engine) as session:
        people.add_account(session)
    opened.sign_in()
    return opened


def enrol(portal: Visit) -> tuple[str, list[str]]:
    """Turn the second factor on; the secret and the recovery codes as the pages show them."""
    portal.client.get("/profile")
    portal.client.click("確認コードの設定")
    portal.client.submit("/profile/totp/offer", current_password=people.PASSWORD)
    secret = code_of(portal.client.page).replace(" ", "")
    page = portal.client.submit("/profile/totp", code=TOTP(secret).at(portal.clock()))
    assert page.says("予備コードを保管してください")
    portal.clock.advance(minutes=1)
    return secret, re.findall(r"\b[2-9a-z]{5}-[2-9a-z]{5}\b", page.text)


def code_of(page: Page | None) -> str:
    assert page
    found = page.root.first("code")
    assert found
    return found.text


def sign_in(portal: Visit, code: str, *, visitor: Client | None = None, expect: int = 200) -> Page:
    client = visitor or portal.another()
    assert portal.sign_in(client).heading == "確認コード"
    return client.submit("/login/code", code=code, expect=expect)


def test_a_sign_in_asks_for_the_code_once_it_is_turned_on(portal: Visit) -> None:
    secret, recovery = enrol(portal)
    assert len(recovery) == 10
    visitor = portal.another()
    page = sign_in(portal, "000000", visitor=visitor, expect=422)
    assert "確認コードが違います" in page.fault_of("code")
    assert visitor.get("/tickets").path.startswith("/login")

    code = TOTP(secret).at(portal.clock())
    assert sign_in(portal, code).path == "/tickets"
    assert sign_in(portal, code, expect=422).fault_of("code")
    with transaction(portal.engine, readonly=True) as session:
        assert [(row.succeeded, row.how) for row in session.scalars(select(SignIn).order_by(SignIn.id))][1:] == [
            (False, "code"),
            (True, "code"),
            (False, "code"),
        ]
    assert [to for to, _ in portal.letters("totp_changed")] == [people.EMAIL]


def test_a_recovery_code_is_good_once(portal: Visit) -> None:
    _, recovery = enrol(portal)

    assert sign_in(portal, recovery[3].upper()).path == "/tickets"
    assert sign_in(portal, recovery[3], expect=422).fault_of("code")
    assert sign_in(portal, recovery[4].replace("-", "")).path == "/tickets"
    assert portal.client.get("/profile/totp").says("あと 8 個")


def test_it_is_turned_off_with_the_password_and_by_the_desk(portal: Visit) -> None:
    enrol(portal)
    portal.client.get("/profile/totp")
    assert "現在のパスワードが違います" in portal.client.submit("/profile/totp/removal", current_password="Wrong-1a", expect=422).fault_of("current_password")

    assert portal.client.submit("/profile/totp/removal", current_password=people.PASSWORD).says("確認コードの利用をやめました。")
    assert portal.sign_in(portal.another()).path == "/tickets"


def test_it_is_turned_on_only_with_the_password_and_a_right_code(portal: Visit) -> None:
    portal.client.get("/profile/totp")
    assert portal.client.submit("/profile/totp/offer", current_password="x", expect=422).fault_of("current_password")
    portal.client.submit("/profile/totp/offer", current_password=people.PASSWORD)

    assert "確認コードが違います" in portal.client.submit("/profile/totp", code="123", expect=422).fault_of("code")
    assert portal.sign_in(portal.another()).path == "/tickets"


def test_codes_are_limited_like_sign_ins_whoever_types_them(portal: Visit) -> None:
    secret, _ = enrol(portal)
    for number in range(10):
        sign_in(portal, "000000", visitor=portal.another(f"198.51.100.{number}"), expect=422)

    page = sign_in(portal, TOTP(secret).at(portal.clock()), visitor=portal.another("198.51.100.99"), expect=429)
    assert page.says("しばらく受け付けを止めています")


def test_the_step_between_password_and_code_ends_with_a_new_password_and_belongs_to_nobody_else(portal: Visit) -> None:
    secret, _ = enrol(portal)
    visitor = portal.another()
    portal.sign_in(visitor)
    with transaction(portal.engine) as session:
        people.add_account(session, "other")
        session.scalars(select(people.Account).where(people.Account.user_id == "kimura")).one().password_hash = "changed"

    assert visitor.submit("/login/code", code=TOTP(secret).at(portal.clock())).path.startswith("/login")


def test_what_lies_in_the_table_opens_only_with_the_key_and_in_its_own_row(portal: Visit) -> None:
    secret, recovery = enrol(portal)

    with transaction(portal.engine, readonly=True) as session:
        kept = session.scalars(select(AccountTotp)).one()
    assert secret not in kept.secret and not set(recovery) & set(kept.recovery)
    owner = f"account:{kept.account_id}"
    assert open_secret(kept.secret, owner, KEY) == secret
    assert open_secret(kept.secret, "account:999", KEY) == open_secret(kept.secret, owner, b"another key") == ""


def test_a_staff_secret_of_an_earlier_version_still_works_and_is_sealed_at_its_next_use(engine: Engine, clock: Clock) -> None:
    with transaction(engine) as session:
        member = people.add_staff(session)
        member.totp_secret, member.totp_enrolled_at = EARLIER, clock()
        by = SYSTEM
        staff_sign_in.use_code(session, member, TOTP(EARLIER).at(clock()), key=KEY, by=by, now=clock())

        assert len(member.totp_secret or "") == 64
        assert staff_sign_in.secret_of(member, key=KEY) == EARLIER
        with pytest.raises(Refused):
            staff_sign_in.use_code(session, member, TOTP(EARLIER).at(clock()), key=b"another key", by=by, now=clock.advance(minutes=1))
    assert len(seal_secret(EARLIER, "staff:1", KEY)) == 64

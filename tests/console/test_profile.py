"""One's own page: the password changed with the old one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine
from starlette.types import ASGIApp

from asgi import application
from models.database import transaction
from models.people import Staff
from settings import Settings
from tests.client import Client
from tests.people import PASSWORD, add_staff, sign_in_staff
from web.wiring import Wiring

NEW = "shizuka-na-mori-no-kokage"


@pytest.fixture
def app(wiring: Wiring, settings: Settings) -> ASGIApp:
    """The desk as `make run` starts it: who has enrolled no code needs none."""
    return application(replace(wiring, settings=replace(settings, staff_totp="optional")))


@pytest.fixture
def nakamura(engine: Engine, client: Client) -> Staff:
    with transaction(engine) as session:
        member = add_staff(session)
        sign_in_staff(client, session, member)
    client.get("/console/profile")
    return member


def change(client: Client, old: str = PASSWORD, new: str = NEW, again: str = NEW, *, expect: int = 200) -> str:
    return client.submit("/console/profile/password", password=old, new_password=new, new_password_confirmation=again, expect=expect).text


def test_the_new_password_opens_the_door_and_the_old_one_does_not(client: Client, nakamura: Staff) -> None:
    assert "パスワードを変更しました。" in change(client)

    client.submit("/console/sign-out")
    client.submit(user_id="nakamura", password=PASSWORD, expect=422)
    assert client.submit(user_id="nakamura", password=NEW).path == "/console/tickets"


def test_every_other_session_ends(client: Client, engine: Engine, nakamura: Staff) -> None:
    with transaction(engine) as session:
        kept = client.cookies.get("jtickets_console")
        sign_in_staff(client, session, nakamura)
        elsewhere = client.cookies.get("jtickets_console")
    client.cookies.set("jtickets_console", kept)

    change(client)

    assert client.get("/console/profile").heading == "個人設定"
    client.cookies.set("jtickets_console", elsewhere)
    assert client.get("/console/profile").path.startswith("/console/sign-in")


@pytest.mark.parametrize(
    ("old", "new", "again", "told"),
    [
        ("Wrong-Password-1", NEW, NEW, "現在のパスワードが違います。もう一度入力してください。"),
        (PASSWORD, "Kaede-2026", "Kaede-2026", "パスワードは、半角 15 文字以上にしてください。"),
        (PASSWORD, NEW, NEW + "x", "2 回入力したパスワードが一致しません。"),
        (PASSWORD, "nakamura@jscom.co.jp", "nakamura@jscom.co.jp", "パスワードは、メールアドレスと違うものにしてください。"),
        (PASSWORD, "パスワードは長いほどよいです", "パスワードは長いほどよいです", "パスワードに全角の文字が入っています。"),
    ],
)
def test_each_refusal_says_what_to_do(client: Client, nakamura: Staff, old: str, new: str, again: str, told: str) -> None:
    assert told in change(client, old, new, again, expect=422)


def test_the_old_password_cannot_be_guessed_here_either(client: Client, nakamura: Staff) -> None:
    for _ in range(10):
        change(client, "Wrong-Password-1", expect=422)

    assert "しばらく受け付けを止めています。" in change(client, expect=429)

"""What the browser tests share: visitors of a running desk, the keyboard in their hands, and what 木村 はるか writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page
from sqlalchemy import Engine, select

from models.database import transaction
from models.outbox import Letter
from tests import people
from tests.services.browser import new_context, watched_page

SIZE = (1440, 900)
NOBODY = "visitor"
_LINK = re.compile(r"http://[^/\s]+(/(?:register/confirm|exceptions)/\S+)")


@dataclass
class Demo:
    """A running desk with the demo's people and tickets."""

    address: str
    cookies: dict[str, tuple[str, str]]

    def enter(self, context: BrowserContext, user_id: str) -> None:
        """Let the browser be signed in as somebody of the demo."""
        if user_id != NOBODY:
            name, value = self.cookies[user_id]
            context.add_cookies([{"name": name, "value": value, "url": self.address}])


@contextmanager
def visiting(browser: Browser, demo: Demo | None = None, user_id: str = NOBODY, **options: Any) -> Iterator[Page]:
    """A page of a fresh visitor, signed in as somebody of the demo, which may not complain."""
    context = new_context(browser, SIZE, **options)
    if demo:
        demo.enter(context, user_id)
    with watched_page(context) as page:
        yield page
    context.close()


def registration() -> list[tuple[str, str]]:
    """What 木村 はるか writes into the fields, in their order, by the labels."""
    return [
        ("会社名", "東西ネットワーク株式会社"),
        ("お名前", "木村 はるか"),
        ("ユーザーID", "kimura"),
        ("パスワード", people.PASSWORD),
        ("パスワードの確認", people.PASSWORD),
        ("メールアドレス", people.EMAIL),
        ("保守登録メール", people.MAINTENANCE),
        ("ご契約番号", people.CONTRACT),
    ]


def reach(page: Page, wanted: Locator) -> None:
    """Go to `wanted` with the Tab key; what has the focus can be seen."""
    for _ in range(120):
        if wanted.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Tab")
    else:
        pytest.fail(f"the Tab key does not reach {wanted}")
    # A choice shows the ring around its whole card.
    outlined = wanted.evaluate("x => { const s = getComputedStyle(x.closest('.choice') ?? x); return s.outlineStyle !== 'none' || s.boxShadow !== 'none' }")
    assert outlined, f"nobody sees that {wanted} has the focus"


def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    reach(page, wanted)
    page.keyboard.press(key)


def write(page: Page, wanted: Locator, text: str) -> None:
    reach(page, wanted)
    page.keyboard.insert_text(text)


def link_of_the_letter(engine: Engine, kind: str = "registration_link") -> str:
    """The path of the link in the letter of `kind` that was written last."""
    with transaction(engine, readonly=True) as session:
        body = session.scalars(select(Letter.body).where(Letter.kind == kind).order_by(Letter.id.desc())).first()
    found = _LINK.search(body or "")
    assert found, "no letter with a link"
    return found.group(1)

"""The browser of the tests sees what a person would, and complains about what a person would not see."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.services.browser import axe_faults, new_context, watched_page

pytestmark = pytest.mark.browser

_SOUND = '<!doctype html><html lang="ja"><head><title>件</title></head><body><main><h1>障害の受付</h1><p>本文</p></main></body></html>'


def test_a_page_is_shown_as_in_japan(browser_page: Page) -> None:
    browser_page.set_content(_SOUND)

    expect(browser_page.get_by_role("heading")).to_have_text("障害の受付")
    assert browser_page.evaluate("navigator.language") == "ja-JP"
    assert browser_page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone") == "Asia/Tokyo"


@pytest.mark.node
def test_axe_names_what_is_wrong_with_a_page(browser_page: Page) -> None:
    browser_page.set_content(_SOUND)
    assert axe_faults(browser_page) == []

    browser_page.set_content(_SOUND.replace("<p>本文</p>", '<input name="x">'))
    assert any(fault.startswith("label: ") for fault in axe_faults(browser_page))


def test_an_error_in_a_script_fails_the_test(browser: Browser) -> None:
    context = new_context(browser)

    with pytest.raises(AssertionError, match="script: "), watched_page(context) as page:
        page.set_content("<script>throw new Error('x')</script>")

    context.close()

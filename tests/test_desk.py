"""The desk as a whole answers: by client, by browser, on both databases."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.client import Client


def test_the_top_page_shows_the_way_in(client: Client) -> None:
    page = client.get("/")

    assert page.says("ログイン", "新規アカウント登録")


def test_an_unknown_page_says_so(client: Client) -> None:
    page = client.get("/nothing-here", expect=404)

    assert page.heading


@pytest.mark.browser
def test_a_browser_shows_the_top_page_without_complaint(browser_page: Page, desk_address: str) -> None:
    browser_page.goto(desk_address)

    expect(browser_page.get_by_role("heading", level=1)).to_be_visible()

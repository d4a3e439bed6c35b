"""A real browser for the tests: Debian's Chromium, or another Chromium of the machine, driven by playwright."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, sync_playwright

from tests.services.node import node, script

_COMMANDS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-software-rasterizer"]
"""Nobody looks: drawing in software what a graphics card would draw is a tenth of a page."""
_AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDE = (1280, 900)
NARROW = (390, 844)


def find_chromium() -> str | None:
    """The path of a Chromium: JTICKETS_CHROMIUM, else what the machine has, else None."""
    named = os.environ.get("JTICKETS_CHROMIUM")
    candidates = [named] if named else [*(shutil.which(command) for command in _COMMANDS), *_MAC]
    return next((path for path in candidates if path and Path(path).exists()), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running headless Chromium."""
    # Playwright's own Node wants libatomic, which a bare Debian lacks.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", node())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def new_context(browser: Browser, size: tuple[int, int] = WIDE, **options: Any) -> BrowserContext:
    """A visitor of their own: Japanese, in Tokyo, without motion; `options` are playwright's (``java_script_enabled=False``)."""
    context = browser.new_context(**_visitor(size, options))
    context.set_default_timeout(10_000)
    return context


def own_browser(browser: Browser, folder: Path) -> BrowserContext:
    """The visitor of a browser process of its own, whose profile lies in `folder` and is there again when it is begun anew."""
    options = _visitor(WIDE, {})
    context = browser.browser_type.launch_persistent_context(folder, executable_path=find_chromium(), args=_ARGUMENTS, **options)
    context.set_default_timeout(10_000)
    return context


def kill(context: BrowserContext) -> None:
    """End the whole browser process of `own_browser` at once, as when the machine loses its power: nothing is asked, nothing written."""
    assert context.browser is not None
    session: Any = context.browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    os.kill(next(process["id"] for process in processes if process["type"] == "browser"), signal.SIGKILL)
    with suppress(Error):
        context.close()


def _visitor(size: tuple[int, int], options: dict[str, Any]) -> dict[str, Any]:
    return {
        "viewport": {"width": size[0], "height": size[1]},
        "locale": "ja-JP",
        "timezone_id": "Asia/Tokyo",
        "reduced_motion": "reduce",
        "color_scheme": "light",
        **options,
    }


@contextmanager
def watched_page(context: BrowserContext) -> Iterator[Page]:
    """A page that may not complain: script errors, refused sources (CSP) and answers of 500 fail the test."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("console", lambda message: faults.extend(_complaints(message)))
    page.on("response", lambda response: faults.append(f"{response.status} {response.url}") if response.status >= 500 else None)
    yield page
    page.close()
    assert not faults, "\n".join(faults)


def axe_faults(page: Page) -> list[str]:
    """What axe-core finds wrong on the page as it is now, a line each: rule, help, first element."""
    page.evaluate(_axe())
    found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", _AXE_TAGS)
    return [f"{rule['id']}: {rule['help']}: {rule['nodes'][0]['html']}" for rule in found["violations"]]


@cache
def _axe() -> str:
    return script("axe-core/axe.min.js")


def _complaints(message: ConsoleMessage) -> list[str]:
    # The browser logs every 4xx answer as an error; a refused form is none.
    if message.type not in {"error", "warning"} or message.text.startswith("Failed to load resource"):
        return []
    return [f"console: {message.text}"]

"""A post that breaks off at any of its writes: a clear page, nothing half, and the same form pressed again is taken, once."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from models.database import transaction
from models.outbox import Letter
from models.tickets import Attachment, Message, Ticket
from tests.attacks.wire import running
from tests.services.cutting import breaking_way
from tests.web.test_full_disk import Customer, come_in, let_write

STEPS = [pytest.param(6, id="some"), pytest.param(1, id="every", marks=pytest.mark.proof)]
_FRAME = 4096 + 24
"""Bytes by which SQLite's log grows for each page that is written."""
_ABOUT = {"subject": "VPN が切れる", "contract_key": "JSC26040123A", "serial": "不明", "category": "障害", "confirmed": "1"}
Post = Callable[[str], tuple[int, str]]


def posts_of(customer: Customer) -> list[Post]:
    """A reply and a new ticket, each with a file."""
    return [lambda mark: customer.reply(mark, b"log\n"), lambda mark: customer.open(mark, _ABOUT, b"log\n")]


def standing(engine: Engine, folder: Path) -> tuple[int, ...]:
    """How many tickets, posts, files of posts and letters there are; what the storage keeps agrees with the rows, those of files that wait for a post too."""
    with transaction(engine, readonly=True) as session:
        rows = [session.scalar(select(func.count()).select_from(table)) or 0 for table in (Ticket, Message, Attachment, Letter)]
        waiting = session.scalar(select(func.count()).where(Attachment.message_id.is_(None))) or 0
    assert rows[2] == sum(1 for found in (folder / "state" / "attachments").rglob("*") if found.is_file())
    return rows[0], rows[1], rows[2] - waiting, rows[3]


def check_once(engine: Engine, folder: Path, post: Post, mark: str, before: tuple[int, ...]) -> tuple[int, ...]:
    """The form is pressed again: whatever became of it the first time, it stands there once and whole."""
    status, text = post(mark)
    assert status == 303, (mark, status, text)
    after = standing(engine, folder)
    tickets, posts, files, letters = (now - then for now, then in zip(after, before, strict=True))
    assert (posts, files) == (1, 1), (mark, before, after)
    assert tickets in (0, 1) and letters in (1, 2), (mark, before, after)
    return after


def empty_log(file: str) -> None:
    """Let SQLite's log begin anew, so that its length tells what a post writes."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("step", STEPS)
def test_a_disk_that_is_full_at_any_page_of_a_post_leaves_nothing_half(engine: Engine, database_url: str, tmp_path: Path, step: int) -> None:
    with running(database_url, tmp_path) as desk:
        customer = come_in(engine, desk)
        assert customer.look() == 200
        for number, post in enumerate(posts_of(customer)):
            refused, before, frames = 0, standing(engine, tmp_path), 0
            while True:
                mark = f"{number}-{frames}"
                empty_log(database_url.removeprefix("sqlite:///"))
                let_write(desk, 32 + frames * _FRAME + 64)
                status, text = post(mark)
                let_write(desk, resource.RLIM_INFINITY)
                if status == 303:
                    break
                refused += 1
                assert (status, "保存できませんでした" in text) == (507, True), (mark, status, text)
                assert standing(engine, tmp_path) == before, "nothing half"
                before = check_once(engine, tmp_path, post, mark, before)
                frames += step
            assert refused > 10 / step, "a post writes many pages"
        assert customer.look() == 200


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("step", STEPS)
def test_a_database_that_is_lost_at_any_word_of_a_post_leaves_nothing_half(engine: Engine, database_url: str, tmp_path: Path, step: int) -> None:
    with breaking_way(database_url) as way, running(way.url, tmp_path) as desk:
        customer = come_in(engine, desk)
        assert customer.look() == 200
        for number, post in enumerate(posts_of(customer)):
            said, broken = 1, 0
            while True:
                mark, before, cut = f"{number}-{said}", standing(engine, tmp_path), way.cut
                way.left = said
                status, text = post(mark)
                way.left = None
                if way.cut == cut:
                    break
                broken += 1
                assert status in (303, 503), (mark, status, text)
                assert status == 303 or "受付番号" in text
                check_once(engine, tmp_path, post, mark, before)
                said += step
            assert broken > 10 / step, "a post says many things"
        assert customer.look() == 200
        assert desk.process.poll() is None

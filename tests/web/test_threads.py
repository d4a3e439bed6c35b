"""Pages are answered one after the other; a slow one holds up nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from starlette.responses import Response

from tests.client import Client
from web.access import VISITOR
from web.app import build
from web.call import Call
from web.endpoint import Threads, get
from web.wiring import Wiring

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """In a thread without a loop of its own, whatever other tests left in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def test_in_turn_the_second_begins_when_the_first_has_ended() -> None:
    at_work: list[int] = []

    def work() -> int:
        at_work.append(1)
        together = len(at_work)
        at_work.pop()
        return together

    async def ask() -> list[int]:
        threads = Threads(2, "in-turn", in_turn=True)
        return await asyncio.gather(*(threads.run(work) for _ in range(50)))

    assert set(run(ask())) == {1}


@pytest.mark.parametrize("in_turn", [True, False])
def test_a_slow_page_holds_up_nobody(in_turn: bool) -> None:
    ended = threading.Event()

    async def ask() -> list[bool | None]:
        threads = Threads(2, "slow", in_turn=in_turn)
        slow = asyncio.create_task(threads.run(lambda: ended.wait(5)))
        await asyncio.sleep(0)
        return [await threads.run(ended.set), await slow, await threads.run(ended.is_set)]

    assert run(ask()) == [None, True, True]


def test_what_fails_gives_its_turn_on() -> None:
    def fail() -> None:
        raise StopIteration

    async def ask() -> str:
        threads = Threads(1, "failing", in_turn=True)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await threads.run(fail)
        return await threads.run(lambda: "next")

    assert run(ask()) == "next"


def test_quick_work_stays_where_it_is_unless_somebody_has_the_turn() -> None:
    async def ask() -> list[bool]:
        ended = threading.Event()
        threads = Threads(2, "quick", in_turn=True)
        before = threads.are_idle
        slow = asyncio.create_task(threads.run(lambda: ended.wait(5)))
        await asyncio.sleep(0)
        meanwhile = threads.are_idle
        ended.set()
        await slow
        return [before, meanwhile, threads.are_idle, Threads(2, "side by side").are_idle]

    assert run(ask()) == [True, False, True, False]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_quick_page_that_proves_to_be_long_leaves_the_loop(wiring: Wiring) -> None:
    answered_by: list[str] = []

    def show(call: Call) -> Response:
        call.expect(int(call.query("characters")))
        answered_by.append(threading.current_thread().name)
        return Response("seen")

    client = Client(build(wiring, [get("/long", show, VISITOR, quick=True)]))
    for characters in (100, 10_000_000):
        client.get(f"/long?characters={characters}")
    assert [name.startswith("reading") for name in answered_by] == [False, True]

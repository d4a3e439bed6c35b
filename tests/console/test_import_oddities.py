"""Files that people or strangers really send, the whole way through the console: a plan or one clear reason, and every page of them stands."""

from __future__ import annotations

import resource
from random import Random

import pytest
from starlette.types import ASGIApp

from models.database import transaction
from models.imports import BatchState, ImportBatch
from tests.clock import Clock
from tests.console.test_imports import Center
from tests.importers.oddities import KINDS
from web.wiring import Wiring

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
_PAGES = ("", "/file", "/mapping", "/review?show=all", "/review?show=problem&columns=all", "/corrections", "/workbook")
_MOST_GROWTH = 300 << 10
"""kB by which the process of pages and jobs may grow while all of them are read."""


def test_every_kind_gets_a_plan_or_a_reason_and_its_pages_stand(app: ASGIApp, wiring: Wiring, clock: Clock) -> None:
    center = Center(app, wiring, clock)
    first = Random().randrange(1_000_000)
    files = [(kind.__name__, *kind(Random(first + number))) for number, kind in enumerate(KINDS)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, (kind, name, content) in enumerate(files):
        try:
            go_through(center, name, content)
        except BaseException as fault:
            fault.add_note(f"{kind}(Random({first + number}))")
            raise
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < _MOST_GROWTH, f"seed {first}"


def go_through(center: Center, name: str, content: bytes) -> None:
    """Upload, plan, look at every page, hand back."""
    center.client.get("/console/imports")
    page = center.client.submit("読み込んで確認する", files={"files": [(name, content)]}, expect=200 if content else 422)
    if not content:
        assert page.says("空です") or page.alerts
        return
    path = page.path
    center.plan()
    with transaction(center.engine, readonly=True) as session:
        batch = session.get_one(ImportBatch, int(path.rpartition("/")[2]))
        state, refusal = batch.state, batch.refusal
    assert state in (BatchState.PLANNED, BatchState.MAPPING) or (state == BatchState.FAILED and refusal.endswith(("。", "（DTD 不可）。"))), (state, refusal)
    for page_of in _PAGES:
        center.client.get(f"{path}{page_of}")
    center.client.get(f"{path}/workbook")
    if state == BatchState.PLANNED:
        center.client.submit("ファイルを作る")
        center.hand_back()
        page = center.client.get(f"{path}/workbook")
        assert any(page.says(text) for text in ("ファイルを受け取る", "直す行はありません。", "ファイルは作られていません。")), page.text

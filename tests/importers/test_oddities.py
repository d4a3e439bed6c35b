"""Every file that people or strangers send gives its rows or one clear reason in time, and no process dies of it or outgrows its limit."""

from __future__ import annotations

import logging
import resource
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from importers.child import MEMORY_ABOVE
from rules.limits import Limits
from rules.refusal import Refused
from tests.importers.oddities import KINDS, File
from tests.importers.workbooks import reading
from wording.refusals import say

SECONDS = 10
_TELLING = ("long_text", "declared_rows", "compound", "layouts", "odd_markup", "control_characters")
"""Kinds that `make test` tries; `make proof` tries all of them, many times."""
_TIMES = 14


def look_at(folder: Path, kind: Callable[[Random], File], seed: int, caplog: pytest.LogCaptureFixture) -> str:
    """Read one file: "rows", "no rows", or the code with which it is refused."""
    name, content = kind(Random(seed))
    path = folder / name.replace("/", "_")
    path.write_bytes(content)
    begun = _work()
    caplog.clear()
    try:
        with reading(path, limits=Limits(workbook_rows=20_000)) as found:
            answer = "rows" if sum(1 for _ in found.rows()) else "no rows"
            assert answer == "rows" or found.sheets
    except Refused as refused:
        assert say(refused).endswith(("。", "（DTD 不可）。"))
        answer = refused.code
    assert _work() - begun < SECONDS
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < (MEMORY_ABOVE >> 10) + 200_000
    assert [record.getMessage() for record in caplog.records if record.name == "importers.reader"] == []
    return answer


def _work() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.__name__ in _TELLING], ids=lambda kind: kind.__name__)
def test_the_telling_kinds_are_read_or_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: Callable[[Random], File]) -> None:
    caplog.set_level(logging.WARNING)
    look_at(tmp_path, kind, 0, caplog)


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_is_read_or_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: Callable[[Random], File]) -> None:
    caplog.set_level(logging.WARNING)
    first = Random().randrange(1_000_000)
    for seed in range(first, first + _TIMES):
        try:
            look_at(tmp_path, kind, seed, caplog)
        except BaseException as fault:
            fault.add_note(f"{kind.__name__}(Random({seed}))")
            raise

"""Workbooks from the wild: each gets its rows or one clear reason in time, and the reading process ends as it should."""

from __future__ import annotations

import json
import logging
import resource
from pathlib import Path
from random import Random

import pytest

from rules.limits import Limits
from rules.lines import FIELDS
from rules.refusal import Refused
from tests.importers.mutants import mutant
from tests.importers.workbooks import reading
from wording.imports import FINDINGS
from wording.refusals import say

SECONDS = 10
SWEEPS, SIZE = 60, 50


def look_at(folder: Path, seed: str, caplog: pytest.LogCaptureFixture) -> None:
    """Read the mutant of that seed; every fault names the seed and how the file was made."""
    told, content = mutant(Random(seed))
    path = folder / "wild.xlsx"
    path.write_bytes(content)
    where = f"seed {seed!r}: {told}"
    begun = _work()
    caplog.clear()
    try:
        with reading(path, limits=Limits(workbook_rows=20_000)) as found:
            for block in found.blocks():
                assert len(block.columns) == len(FIELDS) and {len(column) for column in block.columns} == {len(block.rows)}, where
            for sheet in found.sheets:
                assert {each["code"] for each in sheet.findings} <= set(FINDINGS), where
                assert len(json.dumps([sheet.preview, sheet.head, sheet.findings])) < 100_000, where
    except Refused as refused:
        assert say(refused), where
    assert _work() - begun < SECONDS, where
    assert [record.getMessage() for record in caplog.records if record.name == "importers.reader"] == [], where


def _work() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_few_files_from_the_wild_are_read_or_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for number in range(20):
        look_at(tmp_path, f"short {number}", caplog)


@pytest.mark.proof
@pytest.mark.parametrize("sweep", range(SWEEPS))
def test_thousands_of_files_from_the_wild_are_read_or_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture, sweep: int) -> None:
    caplog.set_level(logging.WARNING)
    for number in range(SIZE):
        look_at(tmp_path, f"sweep {sweep} {number}", caplog)

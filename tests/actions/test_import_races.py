"""Two people apply overlapping plans at once: the result is that of one after the other."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import Engine, delete, select

from actions.import_apply import Written
from models.contracts import Certificate, ContractLine, Party
from models.database import retrying, transaction
from models.images import CertificateImage, LineImage, PartyImage
from rules.refusal import Refused
from tests.workbooks import apply_batch, compare_lines, keep_plan

_ENDS = ("2028-03-31", "2029-03-31")


def test_two_importers_of_overlapping_files_give_a_serial_result(engine: Engine) -> None:
    race(engine, 5)


@pytest.mark.proof
def test_two_hundred_races_of_two_importers_give_serial_results(engine: Engine) -> None:
    race(engine, 100)


def race(engine: Engine, times: int) -> None:
    """Each time two plans name one certificate with different ends, and one of their own each: the later one must look again."""
    seed = random.randrange(10_000)
    order = random.Random(seed)
    with ThreadPoolExecutor(max_workers=2) as pool:
        for _ in range(times):
            empty(engine)
            plans = [compare_lines(engine, {"ends_on": end}, {"contract": f"JSC2604000{place}A", "serial": f"B{place}"}) for place, end in enumerate(_ENDS)]
            batches = [keep_plan(engine, plan) for plan in plans]
            order.shuffle(batches)

            written = list(pool.map(partial(attempt, engine), batches))

            assert sorted((each.certificates, each.outdated) for each in written) == [(0, 1), (2, 0)], f"seed {seed}"
            with transaction(engine, readonly=True) as session:
                assert len(session.scalars(select(Certificate.id)).all()) == 2
                lines = session.execute(select(ContractLine.batch_id, ContractLine.ends_on)).all()
                assert len({batch_id for batch_id, _ in lines}) == 1
            later = batches[next(place for place, each in enumerate(written) if each.outdated)]
            assert attempt(engine, later).certificates == 2


def attempt(engine: Engine, batch_id: int) -> Written:
    """As a request does: again where the database asks for it."""
    try:
        return retrying(lambda: apply_batch(engine, batch_id))
    except Refused as refused:
        raise AssertionError(refused.code) from refused


def empty(engine: Engine) -> None:
    with transaction(engine) as session:
        for table in (LineImage, PartyImage, CertificateImage, ContractLine, Party, Certificate):
            session.execute(delete(table))

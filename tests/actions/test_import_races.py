"""Two people apply overlapping plans at once, or one applies what the other leaves: the result is that of one after the other."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier, Event

import pytest
from sqlalchemy import Engine, delete, func, select, text
from sqlalchemy.orm import Session

from actions import import_batches, import_mapping
from actions.import_apply import Written
from jobs.plan_import import Dropped, keep
from models.contracts import Certificate, ContractLine, Party
from models.database import retrying, transaction
from models.images import CertificateImage, LineImage, PartyImage
from models.imports import BatchState, ImportBatch
from rules.refusal import Refused
from storage.store import Stored
from tests.people import NOW
from tests.services.waiting import PATIENCE, until
from tests.workbooks import NAKAMURA, apply_batch, compare_lines, keep_plan

Act = Callable[[Session, ImportBatch], object]
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


def test_of_applying_and_discarding_at_once_one_is_refused(engine: Engine) -> None:
    for _ in range(5):
        empty(engine)
        batch_id = keep_plan(engine, compare_lines(engine, {}))
        start = Barrier(2)

        with ThreadPoolExecutor(max_workers=2) as pool:
            applied = pool.submit(refusal, start, partial(apply_batch, engine, batch_id))
            discarded = pool.submit(refusal, start, partial(discard, engine, batch_id))

        assert sorted((applied.result(), discarded.result())) == ["", "batch_state"]
        with transaction(engine, readonly=True) as session:
            state, lines = session.get_one(ImportBatch, batch_id).state, session.scalar(select(func.count(ContractLine.id)))
        assert (state, lines) == ((BatchState.DISCARDED, 0) if applied.result() else (BatchState.APPLIED, 1))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("name", ["discard", "confirm", "confirm_all", "confirm_renewals", "settle"])
def test_what_was_applied_since_it_was_looked_at_stays_so(engine: Engine, name: str) -> None:
    acts: dict[str, Act] = {
        "discard": partial(import_batches.discard, by=NAKAMURA, now=NOW),
        "confirm": partial(import_batches.confirm, ticked=[], shown=[], by=NAKAMURA, now=NOW),
        "confirm_all": partial(import_batches.confirm_all, by=NAKAMURA, now=NOW),
        "confirm_renewals": partial(import_batches.confirm_renewals, by=NAKAMURA, now=NOW),
        "settle": partial(import_batches.settle, theirs=[], shown=[], by=NAKAMURA, now=NOW),
    }
    batch_id = keep_plan(engine, compare_lines(engine, {}))

    check_refused(engine, batch_id, acts[name], meanwhile=lambda: apply_batch(engine, batch_id))

    assert state_of(engine, batch_id) == BatchState.APPLIED


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("name", ["finish", "fail", "ask"])
def test_what_was_discarded_while_it_was_read_stays_so(engine: Engine, name: str) -> None:
    acts: dict[str, Act] = {
        "finish": partial(import_batches.finish, made=compare_lines(engine, {}), sheets=[], by=NAKAMURA, now=NOW),
        "fail": partial(import_batches.fail, sentence="空です。", by=NAKAMURA, now=NOW),
        "ask": partial(import_mapping.ask, sheets=[], by=NAKAMURA, now=NOW),
    }
    batch_id = received(engine)

    check_refused(engine, batch_id, acts[name], meanwhile=lambda: discard(engine, batch_id))

    assert state_of(engine, batch_id) == BatchState.DISCARDED


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_plan_is_dropped_whose_batch_is_discarded_at_its_last_step(engine: Engine) -> None:
    batch_id, plan = received(engine), compare_lines(engine, {})
    steps: list[Session] = []
    last, left = Event(), Event()

    def guard(session: Session) -> None:
        steps.append(session)
        if len(steps) == 2:
            last.set()
            assert left.wait(PATIENCE)

    with ThreadPoolExecutor(max_workers=1) as pool:
        kept = pool.submit(partial(keep, engine, batch_id, plan, [], by=NAKAMURA, now=NOW, guard=guard))
        assert last.wait(PATIENCE)
        with transaction(engine) as session:
            import_batches.discard(session, session.get_one(ImportBatch, batch_id), by=NAKAMURA, now=NOW)
            session.flush()
            left.set()
            until(lambda: somebody_waits(engine))
        with pytest.raises(Dropped):
            kept.result()

    assert state_of(engine, batch_id) == BatchState.DISCARDED


def refusal(start: Barrier, act: Callable[[], object]) -> str:
    """The code with which `act` is refused, "" where it is not."""
    start.wait()
    try:
        retrying(act)
    except Refused as refused:
        return refused.code
    return ""


def check_refused(engine: Engine, batch_id: int, act: Act, *, meanwhile: Callable[[], object]) -> None:
    """`act` looks at the batch, then somebody else does something with it, then `act` goes on."""
    with transaction(engine) as session:
        batch = session.get_one(ImportBatch, batch_id)
        meanwhile()
        with pytest.raises(Refused) as refused:
            act(session, batch)
    assert refused.value.code == "batch_state"


def received(engine: Engine) -> int:
    with transaction(engine) as session:
        return import_batches.receive(session, file_name="lines.csv", stored=Stored("imports/none", 1, "0" * 64), by=NAKAMURA, now=NOW).id


def discard(engine: Engine, batch_id: int) -> None:
    with transaction(engine) as session:
        import_batches.discard(session, session.get_one(ImportBatch, batch_id), by=NAKAMURA, now=NOW)


def state_of(engine: Engine, batch_id: int) -> BatchState:
    with transaction(engine, readonly=True) as session:
        return session.get_one(ImportBatch, batch_id).state


def somebody_waits(engine: Engine) -> bool:
    """Whether a transaction of this database waits for another one."""
    asked = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    with transaction(engine, readonly=True) as session:
        return bool(session.scalar(asked))

"""Whatever imports, corrections and undoings follow each other, every day shows again what stood at its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from actions import contracts as acts
from actions import import_undo
from models.contract_versions import ContractVersion, contract_as_of
from models.contracts import Certificate, ContractLine
from models.database import transaction
from models.imports import BatchState, ImportBatch
from rules.limits import Limits
from rules.refusal import Refused
from tests.people import CONTRACT
from tests.workbooks import NAKAMURA, import_lines

FIRST_DAY = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
ENDS = ("2026-12-31", "2027-03-31", "2027-06-30")
EMAILS = ("kiban@osaka.tozai.example", "soumu@tozai.example", "")


def told(version: ContractVersion | None) -> object:
    """What a version says, for comparing."""
    if version is None:
        return None
    parties = sorted((party.role, party.name, party.email) for party in version.parties.values() if party.name or party.email)
    lines = sorted((line.product_number, line.serial, line.ends_on, line.service, line.family) for line in version.lines.values())
    return version.issued_on, parties, lines


def seen(engine: Engine, moment: datetime) -> object:
    with transaction(engine, readonly=True) as session:
        certificate = session.scalars(select(Certificate).where(Certificate.contract_key == CONTRACT)).one_or_none()
        return told(contract_as_of(session, certificate, moment)) if certificate else None


def act_upon(engine: Engine, folder: Path, chance: Random, now: datetime) -> None:
    """An import, a correction or an undoing, by chance."""
    deed = chance.choice(("import", "import", "head", "line", "undo"))
    if deed == "import":
        serials = chance.sample(("A1", "B2", "C3", "D4"), chance.randint(1, 4))
        head = {"issued_on": chance.choice(("2026-03-01", "2026-03-02")), "operator_email": chance.choice(("", "op@managed.example"))}
        ends = {serial: chance.choice(ENDS) for serial in serials}
        try:
            import_lines(engine, folder, *({"serial": serial, "ends_on": ends[serial], **head} for serial in serials), now=now)
        except Refused as refused:
            assert refused.code == "nothing_to_apply"
        return
    with transaction(engine) as session:
        certificate = session.scalars(select(Certificate).where(Certificate.contract_key == CONTRACT)).one_or_none()
        if deed == "undo":
            _undo_newest(session, now)
        elif certificate and deed == "head":
            values = acts.head_of(session, certificate) | {"end_user_email": chance.choice(EMAILS), "agent_name": chance.choice(("関西", "関東"))}
            acts.correct_certificate(session, certificate, values, reason="控え", seen=acts.seal(certificate), by=NAKAMURA, now=now)
        elif certificate and (line := session.scalars(select(ContractLine).order_by(ContractLine.id).limit(1)).one_or_none()):
            values = acts.line_of(session, line) | {"ends_on": chance.choice(ENDS), "family": chance.choice(("Juniper-EX", "Soliton"))}
            acts.correct_line(session, certificate, line, values, reason="控え", seen=acts.seal(certificate), by=NAKAMURA, now=now)


def _undo_newest(session: Session, now: datetime) -> None:
    newest = session.scalars(select(ImportBatch).where(ImportBatch.state == BatchState.APPLIED).order_by(ImportBatch.id.desc()).limit(1)).one_or_none()
    if newest:
        try:
            import_undo.undo(session, newest, by=NAKAMURA, now=now, limits=Limits())
        except Refused as refused:
            assert refused.code == "nothing_to_undo"


def check_days(engine: Engine, folder: Path, seed: int, days: int) -> None:
    chance, snapshots = Random(seed), list[tuple[datetime, object]]()
    for day in range(days):
        now = FIRST_DAY + timedelta(days=day)
        act_upon(engine, folder, chance, now)
        evening = now + timedelta(hours=12)
        snapshots.append((evening, seen(engine, evening)))

    # Nobody can look at a contract that is not there in the end.
    if snapshots[-1][1] is not None:
        assert [seen(engine, evening) for evening, _ in snapshots] == [snapshot for _, snapshot in snapshots], seed


@pytest.mark.parametrize("seed", [1, 2])
def test_every_day_shows_again_what_stood_at_its_end(engine: Engine, tmp_path: Path, seed: int) -> None:
    check_days(engine, tmp_path, seed, 10)


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(100, 130))
def test_every_day_of_longer_stories(engine: Engine, tmp_path: Path, seed: int) -> None:
    check_days(engine, tmp_path, seed, 25)

"""What goes wrong while many rows are added is told as with every other statement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from models.database import bulk_insert, is_unwritable, transaction
from models.masters import CompanyDay

_COLUMNS = ("day", "name")
_FIRST = date(2100, 1, 1)


def days(count: int) -> Iterator[tuple[date, str]]:
    return ((_FIRST + timedelta(days=number), "創立記念日" * 10) for number in range(count))


def added(engine: Engine) -> int:
    with transaction(engine, readonly=True) as session:
        return session.scalar(select(func.count()).select_from(CompanyDay).where(CompanyDay.day >= _FIRST)) or 0


@pytest.mark.parametrize("count", [3, 50])
def test_a_row_that_is_there_already(engine: Engine, count: int) -> None:
    with pytest.raises(IntegrityError) as fault, transaction(engine) as session:
        bulk_insert(session, CompanyDay, _COLUMNS, [*days(count), *days(1)])

    assert "創立記念日" not in str(fault.value)
    assert added(engine) == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_full_disk(engine: Engine) -> None:
    with transaction(engine) as session:
        pages = session.scalar(text("PRAGMA page_count"))
        session.execute(text(f"PRAGMA max_page_count={pages}"))
        with pytest.raises(OperationalError) as fault:
            bulk_insert(session, CompanyDay, _COLUMNS, days(20_000))
        session.rollback()
        session.execute(text("PRAGMA max_page_count=1073741823"))

    assert is_unwritable(fault.value)
    assert added(engine) == 0


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_connection_that_is_gone(engine: Engine) -> None:
    with transaction(engine) as session:
        process = session.scalar(text("SELECT pg_backend_pid()"))
        with transaction(engine) as other:
            other.execute(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process})
        with pytest.raises(OperationalError) as fault:
            bulk_insert(session, CompanyDay, _COLUMNS, days(3))
        session.rollback()

    assert fault.value.connection_invalidated
    assert added(engine) == 0

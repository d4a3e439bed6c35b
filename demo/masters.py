"""What an administrator of the demo has set: hours of one product's own, and how a service type is read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.calendars import add_calendar, change_calendar
from actions.service_types import read_service_as
from models.actors import StaffMember
from models.masters import ProductFamily
from rules.service_hours import Terms

_LONG_DAYS = (((8 * 60, 20 * 60),),) * 5 + (((9 * 60, 12 * 60),), ())
_FAMILY = "paloalto"


def add_masters(session: Session, by: StaffMember, now: datetime) -> None:
    """Paloalto is answered from 8:00 to 20:00 and on Saturday mornings; センドバック promises no hours, and ソフトウェア is still to be read."""
    calendar = add_calendar(session, name="延長受付", by=by, now=now)
    families = session.scalars(select(ProductFamily.id).where(ProductFamily.slug == _FAMILY)).all()
    change_calendar(
        session, calendar, name=calendar.name, terms=Terms(_LONG_DAYS), active=True, families=families, version=calendar.version or 1, by=by, now=now
    )
    read_service_as(session, "センドバック保守", "センドバック 対応時間なし", by=by, now=now)

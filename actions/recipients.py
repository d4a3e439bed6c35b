"""Which of the staff a letter goes to."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import QueueMember, Staff
from rules.rights import Role

_ANSWERING = frozenset({Role.SUPPORT, Role.LEAD})


def staff_with(session: Session, roles: Iterable[Role]) -> list[str]:
    """The addresses of the active staff who hold one of `roles`."""
    wanted = set(roles)
    rows = session.execute(select(Staff.email, Staff.roles).where(Staff.active).order_by(Staff.id))
    return [row.email for row in rows if wanted & set(row.roles)]


def queue_staff(session: Session, family_id: int, *, besides: int | None = None) -> list[str]:
    """The addresses of those who answer for a family: its queue's members, without any all of support and lead; `besides` is left out."""
    rows = session.execute(
        select(Staff.id, Staff.email, Staff.roles, QueueMember.id.label("member_id"))
        .outerjoin(QueueMember, (QueueMember.staff_id == Staff.id) & (QueueMember.family_id == family_id))
        .where(Staff.active)
        .order_by(Staff.id)
    ).all()
    members = [row for row in rows if row.member_id is not None]
    chosen = members or [row for row in rows if _ANSWERING & set(row.roles)]
    return [row.email for row in chosen if row.id != besides]

"""The staff: who may enter the console, with which roles, and for which queues."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from actions import journal
from actions.tickets import leave_to_queues
from models.actors import Actor
from models.database import lock
from models.masters import ProductFamily
from models.people import QueueMember, Staff, StaffSession, staff_by_user_id
from rules.addresses import parse_address
from rules.credentials import parse_user_id, user_id_key
from rules.refusal import Refused
from rules.rights import Area, Right, Role, may
from rules.text import fold, one_line

NAME_CHARACTERS = 100


def parse_staff_user_id(typed: str) -> str:
    """The stored form of a staff member's user ID: as a customer's, but the house may use the house's own words."""
    try:
        return parse_user_id(typed, "user_id")
    except Refused as refused:
        if refused.code != "user_id_reserved":
            raise
        return fold(typed)


def parse_staff_name(typed: str) -> str:
    """A staff member's name on one line. Refuses at name: text_empty, text_long(max, n)."""
    name = one_line(typed)
    if not name:
        raise Refused("text_empty", "name")
    if len(name) > NAME_CHARACTERS:
        raise Refused("text_long", "name", max=NAME_CHARACTERS, n=len(name))
    return name


def parse_roles(chosen: Iterable[str]) -> list[str]:
    """The chosen roles in DOMAIN's order. Refuses at roles: roles_empty, role_unknown."""
    names = set(chosen)
    if not names:
        raise Refused("roles_empty", "roles")
    if not names <= {role.value for role in Role}:
        raise Refused("role_unknown", "roles")
    return [role.value for role in Role if role.value in names]


def add_staff(
    session: Session,
    *,
    user_id: str,
    name: str,
    email: str,
    roles: Sequence[str],
    families: Collection[int] = (),
    password_hash: str | None = None,
    by: Actor,
    now: datetime,
) -> Staff:
    """Prepare a staff member; without a password only OpenID leads in, once the provider has verified this e-mail.

    Refuses what the parsers refuse, and staff_user_id_taken, staff_email_taken, family_unknown.
    """
    user_id, address = parse_staff_user_id(user_id), parse_address(email)
    if staff_by_user_id(session, user_id_key(user_id)):
        raise Refused("staff_user_id_taken", "user_id")
    _check_email(session, address.key)
    staff = Staff(
        user_id=user_id,
        user_id_key=user_id_key(user_id),
        name=parse_staff_name(name),
        email=address.value,
        email_key=address.key,
        roles=parse_roles(roles),
        password_hash=password_hash,
        created_at=now,
    )
    session.add(staff)
    session.flush()
    queues = _answer_for(session, staff, families)
    journal.record(
        session,
        "add_staff",
        "staff",
        staff.id,
        by=by,
        now=now,
        subject_name=staff.name,
        user_id=staff.user_id,
        email=staff.email,
        roles=" ".join(staff.roles),
        queues="、".join(queues[1]),
        local_password=password_hash is not None,
    )
    return staff


def change_staff(
    session: Session, staff: Staff, *, name: str, email: str, roles: Sequence[str], active: bool, families: Collection[int], by: Actor, now: datetime
) -> None:
    """Change who a staff member is and what they may do. Other roles or none end their sessions at once; who answers no more holds no open tickets.

    Refuses what the parsers refuse, and staff_email_taken, family_unknown, own_admin_role, own_deactivation, last_admin.
    """
    address, chosen = parse_address(email), parse_roles(roles)
    if address.key != staff.email_key:
        _check_email(session, address.key)
    _check_admins(session, staff, chosen, active=active, by=by)
    before = _facts(staff)
    ended = set(chosen) != set(staff.roles) or (staff.active and not active)
    staff.name, staff.email, staff.email_key = parse_staff_name(name), address.value, address.key
    staff.roles, staff.active = chosen, active
    queues = _answer_for(session, staff, families)
    if ended:
        end_staff_sessions(session, staff.id)
    if not active or not may(map(Role, chosen), Area.TICKETS, Right.WRITE):
        leave_to_queues(session, staff.id, staff.name, by=by, now=now)
    changed: dict[str, object] = {key: [before[key], value] for key, value in _facts(staff).items() if before[key] != value}
    if queues[0] != queues[1]:
        changed["queues"] = ["、".join(names) for names in queues]
    if changed:
        journal.record(session, "change_staff", "staff", staff.id, by=by, now=now, subject_name=staff.name, **changed)


def set_staff_password(session: Session, staff: Staff, password_hash: str, *, keep_session: int | None = None, by: Actor, now: datetime) -> None:
    """Give a staff member a (new) local password; every session but `keep_session` ends."""
    staff.password_hash = password_hash
    end_staff_sessions(session, staff.id, but=keep_session)
    journal.record(session, "set_staff_password", "staff", staff.id, by=by, now=now, subject_name=staff.name)


def reset_totp(session: Session, staff: Staff, *, by: Actor, now: datetime) -> None:
    """Let a staff member who lost the device enrol anew at the next sign-in; their sessions end."""
    staff.totp_secret, staff.totp_enrolled_at, staff.totp_step = None, None, 0
    end_staff_sessions(session, staff.id)
    journal.record(session, "reset_totp", "staff", staff.id, by=by, now=now, subject_name=staff.name)


def end_staff_sessions(session: Session, staff_id: int, *, but: int | None = None) -> None:
    """End all sessions of a staff member, the one with the id `but` aside."""
    statement = delete(StaffSession).where(StaffSession.staff_id == staff_id)
    session.execute(statement if but is None else statement.where(StaffSession.id != but))


def _check_email(session: Session, key: str) -> None:
    if session.scalar(select(Staff.id).where(Staff.email_key == key)) is not None:
        raise Refused("staff_email_taken", "email")


def _check_admins(session: Session, staff: Staff, roles: Sequence[str], *, active: bool, by: Actor) -> None:
    """Somebody must stay who can let people in, and nobody takes that from themselves by a slip."""
    was, will = _is_admin(staff.roles, active=staff.active), _is_admin(roles, active=active)
    if by.kind == "staff" and by.id == staff.id and not active:
        raise Refused("own_deactivation", "active")
    if not was or will:
        return
    if by.kind == "staff" and by.id == staff.id:
        raise Refused("own_admin_role", "roles")
    lock(session, "staff_admins")
    others = session.scalars(select(Staff).where(Staff.active, Staff.id != staff.id))
    if not any(_is_admin(other.roles, active=True) for other in others):
        raise Refused("last_admin", "roles" if active else "active")


def _is_admin(roles: Iterable[str], *, active: bool) -> bool:
    return active and Role.ADMIN in set(roles)


def _facts(staff: Staff) -> dict[str, object]:
    return {"name": staff.name, "email": staff.email, "roles": " ".join(staff.roles), "active": staff.active}


def _answer_for(session: Session, staff: Staff, families: Collection[int]) -> tuple[list[str], list[str]]:
    """Let `staff` be told of these families' tickets; the queues' names before and after."""
    names = {row.id: row.name for row in session.execute(select(ProductFamily.id, ProductFamily.name).order_by(ProductFamily.position))}
    wanted = set(families)
    if not wanted <= set(names):
        raise Refused("family_unknown", "families")
    had = set(session.scalars(select(QueueMember.family_id).where(QueueMember.staff_id == staff.id)))
    session.execute(delete(QueueMember).where(QueueMember.staff_id == staff.id, QueueMember.family_id.in_(had - wanted)))
    session.add_all(QueueMember(family_id=family_id, staff_id=staff.id) for family_id in sorted(wanted - had))
    return [name for key, name in names.items() if key in had], [name for key, name in names.items() if key in wanted]

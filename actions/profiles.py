"""プロフィール: what changes at once, what waits for its link, and the 契約情報一覧 of a maintenance e-mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions import journal, notices
from actions.decisions import Judged, entries_of, judge_profile, keep_refusal
from actions.links import find_link, issue_link, kill_links, use_link
from actions.registrations import domain_of, search_text
from mail.desk import Desk
from models.actors import Actor
from models.admission import AccountLink, LinkKind, SignIn
from models.base import AnyRow, AnySelect
from models.contracts import Certificate, ContractLine, Party
from models.database import lock
from models.masters import ProductFamily
from models.people import Account, AccountSession
from rules.addresses import Address, parse_address
from rules.contracts import LineState
from rules.credentials import user_id_key
from rules.limits import Limits
from rules.refusal import Refused
from rules.registration import Normalised, Trace
from rules.text import fold

_COLUMNS = ("company_name", "person_name", "user_id", "email", "maintenance_email", "contract_key")
GUARDED = frozenset({"user_id", "email", "password"})
"""What changes only with the present password."""
_PAIR = frozenset({"maintenance_email", "contract_key"})
_MOST_OFFERED = 10
_MOST_SIGN_INS = 10


def changes_of(account: Account, entries: Normalised) -> dict[str, tuple[str, str]]:
    """What `entries` would change: before and after by field."""
    new = {
        "company_name": entries.company_name,
        "person_name": entries.person_name,
        "user_id": entries.user_id or "",
        "email": _value(entries.email),
        "maintenance_email": _value(entries.maintenance_email),
        "contract_key": entries.contract_key or "",
    }
    return {name: (getattr(account, name), new[name]) for name in _COLUMNS if getattr(account, name) != new[name]}


def judge_edit(session: Session, account: Account, entries: Normalised, *, client: str, now: datetime) -> Judged:
    """Judge a change of the profile and keep a refusal; for a short transaction of its own."""
    trace = judge_profile(session, account, entries, now=now)
    return Judged(entries, trace, "" if trace.passed else keep_refusal(session, "profile", entries, trace, client=client, now=now, account=account.id))


def edit(
    session: Session, account: Account, entries: Normalised, *, password_hash: str = "", by: Actor, desk: Desk, limits: Limits, now: datetime
) -> dict[str, tuple[str, str]]:
    """Save the profile and return what changed. A new e-mail is not used yet: a link goes to it, and until then the old one stays.

    Where the new pair holds only together with the new e-mail, the whole change but the password waits for the link.
    Refuses: changed_meanwhile, user_id_taken.
    """
    lock(session, f"user_id:{user_id_key(entries.user_id or '')}")
    trace = judge_profile(session, account, entries, now=now)
    if not trace.passed:
        raise Refused("changed_meanwhile")
    changes = changes_of(account, entries)
    held = "email" in changes and bool(changes.keys() & _PAIR) and not _holds_with_present_email(session, account, entries, now=now)
    if not held:
        _apply(account, entries, trace.matched_party or "", now=now)
    if password_hash:
        _change_password(session, account, password_hash, now=now)
        notices.password_changed(session, account, desk=desk, now=now)
    _flush_user_id(session)
    if "email" in changes and entries.email:
        waiting = {name: changes[name][1] for name in changes if name != "email"} if held else None
        _ask_for_proof(session, account, entries.email, held=waiting, desk=desk, limits=limits, now=now)
    _record(session, account, "hold_profile" if held else "edit_profile", changes, password=bool(password_hash), by=by, now=now)
    return changes


def take_over(session: Session, account: Account, entries: Normalised, trace: Trace, *, password_hash: str = "", by: Actor, now: datetime) -> None:
    """Write the entries of an approved exception into the account, its e-mail aside. Refuses user_id_taken."""
    changes = changes_of(account, entries)
    _apply(account, entries, trace.matched_party or "", now=now)
    if password_hash:
        _change_password(session, account, password_hash, now=now)
    _flush_user_id(session)
    _record(session, account, "edit_profile", changes, password=bool(password_hash), by=by, now=now)


def _change_password(session: Session, account: Account, password_hash: str, *, now: datetime) -> None:
    account.password_hash = password_hash
    kill_links(session, account.id, now=now)


def _flush_user_id(session: Session) -> None:
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as fault:
        raise Refused("user_id_taken", "user_id") from fault


def _record(session: Session, account: Account, act: str, changes: dict[str, tuple[str, str]], *, password: bool, by: Actor, now: datetime) -> None:
    kept = {name: list(pair) for name, pair in changes.items()}
    journal.record(session, act, "account", account.id, by=by, now=now, subject_name=account.user_id, password=password, **kept)


def _holds_with_present_email(session: Session, account: Account, entries: Normalised, *, now: datetime) -> bool:
    """The pair opens a company's contract list, so it may not lean on an e-mail that is only typed and not yet proved."""
    return judge_profile(session, account, replace(entries, email=entries_of(account).email), now=now).passed


def _apply(account: Account, entries: Normalised, party_role: str, *, now: datetime) -> None:
    assert entries.user_id and entries.maintenance_email and entries.contract_key
    account.company_name = entries.company_name
    account.person_name = entries.person_name
    account.user_id = entries.user_id
    account.user_id_key = user_id_key(entries.user_id)
    account.maintenance_email = entries.maintenance_email.value
    account.maintenance_email_key = entries.maintenance_email.key
    account.contract_key = entries.contract_key
    account.party_role = party_role
    account.search_text = search_text(account)
    account.updated_at = now


def _ask_for_proof(session: Session, account: Account, email: Address, *, held: dict[str, Any] | None, desk: Desk, limits: Limits, now: datetime) -> None:
    expires_at = now + timedelta(hours=limits.confirmation_link_hours)
    token = issue_link(session, account.id, LinkKind.EMAIL_CHANGE, expires_at=expires_at, now=now, email=email.value, held=held)
    notices.email_link(session, account, new_email=email.value, token=token, desk=desk, now=now)


def entries_of_link(account: Account, link: AccountLink) -> Normalised:
    """The account's entries as they will be once the link is used: with its e-mail and all that waits with it."""
    entries, held = replace(entries_of(account), email=parse_address(link.email)), link.held or {}
    if "maintenance_email" in held:
        entries = replace(entries, maintenance_email=parse_address(held["maintenance_email"], "maintenance_email"))
    return replace(entries, **{name: held[name] for name in held if name != "maintenance_email"})


def prove_email(session: Session, token: str, email: Address, *, client: str, desk: Desk, now: datetime) -> Account | None:
    """Use the new e-mail of a living link from now on and tell the old one; None when the link lives no more.

    All sessions and other links of the account end: they were got with the old address. Refuses: changed_meanwhile.
    """
    found = find_link(session, LinkKind.EMAIL_CHANGE, token, now=now)
    if found is None or found[0].email != email.value or not use_link(session, found[0], now=now):
        return None
    link, account = found
    entries = entries_of_link(account, link)
    lock(session, f"user_id:{user_id_key(entries.user_id or '')}")
    trace = judge_profile(session, account, entries, now=now)
    if not trace.passed:
        raise Refused("changed_meanwhile")
    changes = {name: list(pair) for name, pair in changes_of(account, entries).items() if name != "email"}
    if link.held:
        _apply(account, entries, trace.matched_party or "", now=now)
    old = account.email
    account.email, account.email_key, account.email_domain = email.value, email.key, domain_of(email.value)
    account.search_text = search_text(account)
    account.updated_at = now
    session.execute(delete(AccountSession).where(AccountSession.account_id == account.id))
    kill_links(session, account.id, now=now)
    by = Actor(id=account.id, name=account.person_name, client=client, kind="customer")
    journal.record(session, "change_email", "account", account.id, by=by, now=now, subject_name=account.user_id, email=[old, account.email], **changes)
    notices.email_changed(session, account, old_email=old, desk=desk, now=now)
    return account


def waiting_email(session: Session, account_id: int, *, now: datetime) -> AnyRow | None:
    """The new e-mail that waits for its link (email, expires_at, held), or None."""
    return session.execute(
        select(AccountLink.email, AccountLink.expires_at, AccountLink.held).where(
            AccountLink.account_id == account_id,
            AccountLink.kind == LinkKind.EMAIL_CHANGE,
            AccountLink.used_at.is_(None),
            AccountLink.expires_at > now,
        )
    ).first()


def is_held(session: Session, account_id: int, *, now: datetime) -> bool:
    """Whether more than an e-mail waits for its link."""
    waiting = waiting_email(session, account_id, now=now)
    return bool(waiting and waiting.held)


def offered_contracts(session: Session, maintenance_key: str) -> Sequence[str]:
    """Contract keys that the maintenance e-mail stands on today, the newest certificates first."""
    statement = (
        select(Certificate.contract_key)
        .join(Party, Party.certificate_id == Certificate.id)
        .where(Party.email_key == maintenance_key)
        .group_by(Certificate.id, Certificate.contract_key, Certificate.issued_on)
        .order_by(Certificate.issued_on.desc(), Certificate.id.desc())
        .limit(_MOST_OFFERED)
    )
    return session.scalars(statement).all()


def sign_ins(session: Session, account_id: int) -> Sequence[AnyRow]:
    """The ログイン履歴: the last ten tries (at, succeeded, client), the newest first."""
    statement = select(SignIn.at, SignIn.succeeded, SignIn.client).where(SignIn.account_id == account_id).order_by(SignIn.id.desc())
    return session.execute(statement.limit(_MOST_SIGN_INS)).all()


@dataclass(frozen=True)
class Place:
    """A line's place in the list: what ends last comes first."""

    ends_on: date
    contract_key: str
    id: int


def contract_lines(
    session: Session,
    maintenance_key: str,
    *,
    text: str = "",
    period: LineState | None = None,
    today: date,
    after: Place | None = None,
    before: Place | None = None,
    rows: int,
) -> tuple[Sequence[AnyRow], bool, bool]:
    """A page of the 契約情報一覧: the lines of all certificates on which the address stands, whichever party's it is.

    Returns the rows (id, contract_key, family, product_number, serial, starts_on, ends_on, service), whether there are some before, and some after.
    """
    statement = _LINES.where(Certificate.id.in_(select(Party.certificate_id).where(Party.email_key == maintenance_key)))
    if text:
        statement = statement.where(_contains(text))
    if period is not None:
        statement = statement.where(_stands(period, today))
    if before is not None:
        found = session.execute(_backwards(statement.where(_is_before(before))).limit(rows + 1)).all()
        return found[:rows][::-1], len(found) > rows, True
    if after is not None:
        statement = statement.where(_is_after(after))
    found = session.execute(_forwards(statement).limit(rows + 1)).all()
    return found[:rows], after is not None, len(found) > rows


_LINES: AnySelect = (
    select(
        ContractLine.id,
        Certificate.contract_key,
        ProductFamily.name.label("family"),
        ContractLine.product_number,
        ContractLine.serial,
        ContractLine.starts_on,
        ContractLine.ends_on,
        ContractLine.service,
    )
    .join(Certificate, Certificate.id == ContractLine.certificate_id)
    .join(ProductFamily, ProductFamily.id == ContractLine.family_id)
)


def _stands(period: LineState, today: date) -> ColumnElement[bool]:
    if period is LineState.ENDED:
        return ContractLine.ends_on < today
    if period is LineState.NOT_STARTED:
        return ContractLine.starts_on > today
    return and_(ContractLine.starts_on <= today, ContractLine.ends_on >= today)


def _forwards(statement: AnySelect) -> AnySelect:
    return statement.order_by(ContractLine.ends_on.desc(), Certificate.contract_key, ContractLine.id)


def _backwards(statement: AnySelect) -> AnySelect:
    return statement.order_by(ContractLine.ends_on, Certificate.contract_key.desc(), ContractLine.id.desc())


def _is_after(place: Place) -> ColumnElement[bool]:
    same_key = and_(Certificate.contract_key == place.contract_key, ContractLine.id > place.id)
    return or_(ContractLine.ends_on < place.ends_on, and_(ContractLine.ends_on == place.ends_on, or_(Certificate.contract_key > place.contract_key, same_key)))


def _is_before(place: Place) -> ColumnElement[bool]:
    same_key = and_(Certificate.contract_key == place.contract_key, ContractLine.id < place.id)
    return or_(ContractLine.ends_on > place.ends_on, and_(ContractLine.ends_on == place.ends_on, or_(Certificate.contract_key < place.contract_key, same_key)))


def _contains(text: str) -> ColumnElement[bool]:
    """Whether contract, family, product number, serial or service hold the text; folded, whatever its case."""
    folded = fold(text).upper()
    columns = (Certificate.contract_key, ProductFamily.name, ContractLine.product_number, ContractLine.serial, ContractLine.service)
    return or_(*(func.upper(column).contains(folded, autoescape=True) for column in columns))


def _value(address: Address | None) -> str:
    return address.value if address else ""

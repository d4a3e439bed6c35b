"""例外申請: requests that wait for the desk, and the grants it gave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, and_, func, or_, select
from sqlalchemy.orm import Mapped, Session

from models.base import NEVER_REUSED, AnyRow, AnySelect, Base, mapped_column, words
from models.contracts import Certificate, ContractLine
from models.journal import JournalEntry
from models.paging import Place, Sheet, newest_first
from models.people import Account
from models.tokens import hash_token
from rules.requests import OPEN, RequestState


class RequestKind(StrEnum):
    REGISTRATION = "registration"
    PROFILE = "profile"


class ExceptionRequest(Base):
    """A registration or profile change that only the domain rule holds back, with everything typed; the password as its hash alone.

    `version` rises with every change of what a decider sees: a decision names the one it was made on.
    """

    __tablename__ = "exception_request"
    __table_args__ = (
        Index("ix_exception_request_state", "state", "id"),
        Index("ix_exception_request_pair", "maintenance_email_key", "email_key"),
        NEVER_REUSED,
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[RequestKind] = mapped_column(words(RequestKind, 12))
    state: Mapped[RequestState] = mapped_column(words(RequestState, 12))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    """At a profile change the account that asks; at a registration the one that an approval made."""
    user_id: Mapped[str] = mapped_column(String(128))
    user_id_key: Mapped[str] = mapped_column(String(128), index=True)
    password_hash: Mapped[str] = mapped_column(String(200), default="")
    """ "" at a profile change that keeps the password."""
    company_name: Mapped[str] = mapped_column(String(200))
    person_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    email_host: Mapped[str] = mapped_column(String(253))
    email_domain: Mapped[str] = mapped_column(String(253), index=True)
    """The registrable domain."""
    maintenance_email: Mapped[str] = mapped_column(String(254))
    maintenance_email_key: Mapped[str] = mapped_column(String(254))
    contract_key: Mapped[str] = mapped_column(String(80), index=True)
    party_role: Mapped[str] = mapped_column(String(10), default="")
    verdict: Mapped[str] = mapped_column(String(20))
    trace: Mapped[dict[str, Any]]
    reference: Mapped[str] = mapped_column(String(20), default="")
    """The 受付番号 of the refusal it began with."""
    privacy_version: Mapped[int]
    client: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """Until then the address must be proved (or, asked, the applicant must answer)."""
    proved_at: Mapped[datetime | None]
    handler_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    handler_name: Mapped[str] = mapped_column(String(100), default="")
    decision: Mapped[str] = mapped_column(String(30), default="")
    decided_by: Mapped[str] = mapped_column(String(100), default="")
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    message: Mapped[str] = mapped_column(Text, default="")
    """The text for the applicant: of the last question, or of the decision."""
    answer: Mapped[str] = mapped_column(Text, default="")
    """What the applicant answered last."""
    version: Mapped[int] = mapped_column(default=1)

    @property
    def number(self) -> str:
        """As people quote it: EX-0231."""
        return f"EX-{self.id:04}"


class RequestLink(Base):
    """A mailed link to follow one's request; the token is kept as its hash. Every letter has its own, and all of them live.

    `press` marks the secret below a refused form: it asks for the exception and opens nothing, for only a letter proves the address.
    """

    __tablename__ = "exception_link"
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("exception_request.id"), index=True)
    press: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class ExceptionGrant(Base):
    """許可: a host of e-mails with one maintenance e-mail, for one account or (None) for everyone with that maintenance e-mail."""

    __tablename__ = "exception_grant"
    __table_args__ = (Index("ix_exception_grant_pair", "maintenance_email_key", "host"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("exception_request.id"), index=True)
    host: Mapped[str] = mapped_column(String(253))
    maintenance_email: Mapped[str] = mapped_column(String(254))
    maintenance_email_key: Mapped[str] = mapped_column(String(254))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    ends_on: Mapped[date | None]
    reason: Mapped[str] = mapped_column(Text)
    granted_by: Mapped[str] = mapped_column(String(100))
    granted_at: Mapped[datetime]
    revoked_by: Mapped[str] = mapped_column(String(100), default="")
    revoked_at: Mapped[datetime | None]
    revoke_reason: Mapped[str] = mapped_column(Text, default="")


def living_grants(session: Session, maintenance_key: str, *, account_id: int | None) -> Sequence[AnyRow]:
    """The grants that may cover a pair with this maintenance e-mail, for everyone or for this account: id, host, maintenance_email_key, ends_on."""
    grant = ExceptionGrant
    own = grant.account_id.is_(None) if account_id is None else or_(grant.account_id.is_(None), grant.account_id == account_id)
    statement = select(grant.id, grant.host, grant.maintenance_email_key, grant.ends_on).where(
        grant.maintenance_email_key == maintenance_key, grant.revoked_at.is_(None), own
    )
    return session.execute(statement.order_by(grant.id)).all()


def request_of_link(session: Session, token: str, *, press: bool = False) -> ExceptionRequest | None:
    """The request that a mailed link follows, or the one that waits behind the `press`."""
    statement = select(ExceptionRequest).join(RequestLink, RequestLink.request_id == ExceptionRequest.id)
    return session.scalars(statement.where(RequestLink.token_hash == hash_token(token), RequestLink.press.is_(press))).one_or_none()


def holds_user_id(key: str, *, but: int = 0, now: datetime) -> ColumnElement[bool]:
    """Whether an open request of somebody else keeps a user ID."""
    request = ExceptionRequest
    living = or_(request.state != RequestState.UNPROVED, request.expires_at > now)
    return and_(request.user_id_key == key, request.kind == RequestKind.REGISTRATION, request.state.in_(sorted(OPEN)), living, request.id != but)


def open_request(session: Session, *, email_key: str, maintenance_key: str, now: datetime) -> ExceptionRequest | None:
    """The request for the same pair that still waits, if there is one."""
    request = ExceptionRequest
    living = or_(request.state != RequestState.UNPROVED, request.expires_at > now)
    statement = select(request).where(request.email_key == email_key, request.maintenance_email_key == maintenance_key, request.state.in_(sorted(OPEN)), living)
    return session.scalars(statement.order_by(request.id.desc()).limit(1)).one_or_none()


def waiting_requests(session: Session, *, limit: int, newest: bool = False) -> Sequence[AnyRow]:
    """Requests that wait for the desk (asked ones last), the oldest first: id, company_name, kind, verdict, state, proved_at, handler_name."""
    request = ExceptionRequest
    statement: AnySelect = select(
        request.id, request.company_name, request.person_name, request.kind, request.verdict, request.state, request.proved_at, request.handler_name
    ).where(request.state.in_([RequestState.PENDING, RequestState.ASKED]))
    order = (request.state.desc(), request.id.desc() if newest else request.id)
    return session.execute(statement.order_by(*order).limit(limit)).all()


def requests_with_desk(session: Session) -> Sequence[AnyRow]:
    """Requests that the desk must decide: id, company_name, since (their address was proved, or their applicant answered last), the oldest first."""
    request, entry = ExceptionRequest, JournalEntry
    answered = select(func.max(entry.at)).where(entry.subject_kind == "exception_request", entry.subject_id == request.id, entry.act == "answer_exception")
    since = func.coalesce(answered.correlate(request).scalar_subquery(), request.proved_at, type_=request.proved_at.type).label("since")
    statement = select(request.id, request.company_name, since).where(request.state == RequestState.PENDING, request.proved_at.is_not(None))
    return session.execute(statement.order_by(request.id)).all()


def decided_requests(session: Session, *, limit: int) -> Sequence[AnyRow]:
    """The last requests that are over, the newest decision first."""
    request = ExceptionRequest
    statement: AnySelect = select(
        request.id, request.company_name, request.email, request.maintenance_email, request.state, request.decision, request.decided_by, request.decided_at
    ).where(request.state.in_([RequestState.COMPLETED, RequestState.DECLINED, RequestState.WITHDRAWN, RequestState.EXPIRED, RequestState.VOID]))
    return session.execute(statement.order_by(request.decided_at.desc(), request.id.desc()).limit(limit)).all()


def precedents(session: Session, request: ExceptionRequest, *, limit: int = 10) -> Sequence[AnyRow]:
    """Earlier decisions on the same maintenance e-mail or the same registrable domain, the newest first."""
    other = ExceptionRequest
    same = or_(other.maintenance_email_key == request.maintenance_email_key, other.email_domain == request.email_domain)
    statement: AnySelect = select(
        other.id, other.email_host, other.maintenance_email, other.decision, other.state, other.decided_by, other.decided_at, other.reason
    )
    return session.execute(statement.where(same, other.id != request.id, other.decided_at.is_not(None)).order_by(other.decided_at.desc()).limit(limit)).all()


def neighbours(session: Session, request: ExceptionRequest, *, limit: int = 20) -> Sequence[AnyRow]:
    """Accounts with the same maintenance e-mail or under the same registrable domain: id, company_name, email, maintenance_email_key, state."""
    same = or_(Account.maintenance_email_key == request.maintenance_email_key, Account.email_domain == request.email_domain)
    statement: AnySelect = select(Account.id, Account.company_name, Account.person_name, Account.email, Account.maintenance_email_key, Account.state)
    return session.execute(statement.where(same, Account.id != (request.account_id or 0)).order_by(Account.id).limit(limit)).all()


def grant_list(session: Session, *, text: str, living: bool, place: Place, limit: int) -> Sheet:
    """A page of the grants whose host or maintenance e-mail holds `text`, the newest first; `living` leaves out revoked ones."""
    grant = ExceptionGrant
    statement: AnySelect = select(
        grant.id,
        grant.request_id,
        grant.host,
        grant.maintenance_email,
        grant.account_id,
        Account.person_name,
        Account.company_name,
        grant.ends_on,
        grant.granted_by,
        grant.granted_at,
        grant.revoked_at,
        grant.revoked_by,
    ).outerjoin(Account, Account.id == grant.account_id)
    if text:
        key = text.lower()
        statement = statement.where(or_(grant.host.contains(key, autoescape=True), grant.maintenance_email_key.contains(key, autoescape=True)))
    if living:
        statement = statement.where(grant.revoked_at.is_(None))
    return newest_first(session, statement, grant.id, place, limit=limit)


def accounts_under(session: Session, grant: ExceptionGrant) -> Sequence[Account]:
    """The accounts whose pair this grant names, whether or not they lean on it."""
    statement = select(Account).where(
        Account.maintenance_email_key == grant.maintenance_email_key, Account.email_key.endswith(f"@{grant.host}", autoescape=True)
    )
    if grant.account_id is not None:
        statement = statement.where(Account.id == grant.account_id)
    return session.scalars(statement.order_by(Account.id)).all()


def certificate_behind(session: Session, contract_key: str) -> AnyRow | None:
    """The certificate of a key with the period of its lines: id, contract_key, issued_on, starts_on, ends_on."""
    first, last = func.min(ContractLine.starts_on).label("starts_on"), func.max(ContractLine.ends_on).label("ends_on")
    statement: AnySelect = (
        select(Certificate.id, Certificate.contract_key, Certificate.issued_on, first, last)
        .outerjoin(ContractLine, ContractLine.certificate_id == Certificate.id)
        .where(Certificate.contract_key == contract_key)
        .group_by(Certificate.id, Certificate.contract_key, Certificate.issued_on)
    )
    return session.execute(statement).one_or_none()

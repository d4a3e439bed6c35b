"""訂正: certificates corrected by hand, with a reason. Imports ask before they write over what was corrected here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions import journal
from actions.import_plans import masters
from importers.cells import Parsed, Problem, family_key, parse_code, parse_contact, parse_date, parse_email, parse_family, parse_name, parse_service
from models.actors import Actor
from models.contract_versions import CORRECT
from models.contracts import Certificate, ContractLine, Party, PartyRole
from models.database import lock
from models.masters import ProductFamily
from models.people import Account
from rules.lines import CERTIFICATE_FIELDS, DATE_FIELDS, EMAIL_FIELDS
from rules.refusal import Refused
from rules.text import one_line

REASON_CHARACTERS = 500
LINE_FIELDS = ("family", "product_number", "serial", "starts_on", "ends_on", "service", "contact")
_REQUIRED = frozenset({"issued_on", "family", "product_number", "starts_on", "ends_on", "service", "contact"})
_PARSERS: Mapping[str, Callable[[object], Parsed]] = {
    **dict.fromkeys(DATE_FIELDS, parse_date),
    **dict.fromkeys(EMAIL_FIELDS, parse_email),
    **{name.replace("_email", "_name"): parse_name for name in EMAIL_FIELDS},
    "product_number": parse_code,
    "serial": partial(parse_code, upper=True),
    "service": parse_service,
    "contact": parse_contact,
}

Typed = Mapping[str, str]
"""Field of `rules.lines.FIELDS` -> what was typed."""


def head_of(session: Session, certificate: Certificate) -> dict[str, str]:
    """What a certificate says of itself, by the names of `CERTIFICATE_FIELDS`."""
    held = {party.role: party for party in session.scalars(select(Party).where(Party.certificate_id == certificate.id))}
    told = {"issued_on": certificate.issued_on.isoformat()}
    for role in PartyRole:
        told |= {f"{role}_name": held[role].name if role in held else "", f"{role}_email": held[role].email if role in held else ""}
    return told


def line_of(session: Session, line: ContractLine) -> dict[str, str]:
    """What a line says, by the names of `LINE_FIELDS`."""
    family = session.get_one(ProductFamily, line.family_id)
    return {
        "family": family.name,
        **{name: getattr(line, name) for name in ("product_number", "serial", "service", "contact")},
        "starts_on": line.starts_on.isoformat(),
        "ends_on": line.ends_on.isoformat(),
    }


def accounts_by_email(session: Session, emails: Mapping[str, str]) -> dict[str, int]:
    """How many accounts hang on each of `emails` (by field)."""
    keys = {email.lower() for email in emails.values() if email}
    counted = select(Account.maintenance_email_key, func.count()).where(Account.maintenance_email_key.in_(keys)).group_by(Account.maintenance_email_key)
    found: dict[str, int] = {row[0]: row[1] for row in session.execute(counted)}
    return {name: found.get(email.lower(), 0) for name, email in emails.items()}


def seal(certificate: Certificate) -> str:
    """Says which state of a certificate a form was made of."""
    return certificate.updated_at.isoformat()


def parse_reason(typed: str) -> str:
    """Why something is corrected. Refuses reason_empty, reason_long(max, n) at reason."""
    reason = one_line(typed)
    if not reason:
        raise Refused("correction_reason_empty", "reason")
    if len(reason) > REASON_CHARACTERS:
        raise Refused("correction_reason_long", "reason", max=REASON_CHARACTERS, n=len(reason))
    return reason


def parse_field(session: Session, name: str, typed: str) -> str:
    """One value as an import would read it. Refuses at `name` what an import would tell as an error of the cell: day_form, cell_<code>(column, …)."""
    parse = _family_parser(session) if name == "family" else _PARSERS[name]
    found = parse(typed)
    if isinstance(found, Problem) and found.code == "number_for_code":
        # Doubtful in a file; here a person typed it.
        found = found.value
    if isinstance(found, Problem):
        if found.code in ("not_a_date", "date_from_number"):
            raise Refused("day_form", name)
        raise Refused(f"cell_{found.code}", name, column=name, **found.facts)
    if not found and name in _REQUIRED:
        raise Refused("cell_missing", name, column=name)
    return found


def check_head(values: Typed) -> None:
    """Refuses cell_no_party_email at agent_email: nobody could register."""
    if not any(values[name] for name in EMAIL_FIELDS):
        raise Refused("cell_no_party_email", "agent_email")


def correct_certificate(session: Session, certificate: Certificate, values: Typed, *, reason: str, seen: str, by: Actor, now: datetime) -> bool:
    """Set issue date and parties to parsed `values`; False where nothing differs.

    `seen` is the `seal` that the form was made of. Refuses certificate_changed.
    """
    before = _locked(session, certificate, seen, partial(head_of, session, certificate))
    changes = {name: [before[name], values[name]] for name in CERTIFICATE_FIELDS if before[name] != values[name]}
    if not changes:
        return False
    if "issued_on" in changes:
        certificate.issued_on = date.fromisoformat(values["issued_on"])
        certificate.set_at, certificate.set_by = now, by.name
    for role in PartyRole:
        if {f"{role}_name", f"{role}_email"} & changes.keys():
            _put_party(session, certificate.id, role, values, by, now)
    _record(session, certificate, changes, {}, reason, by, now)
    return True


def correct_line(session: Session, certificate: Certificate, line: ContractLine, values: Typed, *, reason: str, seen: str, by: Actor, now: datetime) -> bool:
    """Set a line to parsed `values`; False where nothing differs.

    Refuses certificate_changed, cell_ends_before_start(start, end) at ends_on, line_taken at serial.
    """
    before = _locked(session, certificate, seen, partial(line_of, session, line))
    if values["ends_on"] < values["starts_on"]:
        raise Refused("cell_ends_before_start", "ends_on", start=values["starts_on"], end=values["ends_on"])
    changes = {name: [before[name], values[name]] for name in LINE_FIELDS if before[name] != values[name]}
    if not changes:
        return False
    _check_twin(session, line, values)
    line.family_id = session.scalars(select(ProductFamily.id).where(ProductFamily.name == values["family"])).one()
    line.product_number, line.serial, line.service, line.contact = (values[name] for name in ("product_number", "serial", "service", "contact"))
    line.starts_on, line.ends_on = date.fromisoformat(values["starts_on"]), date.fromisoformat(values["ends_on"])
    line.set_at, line.set_by = now, by.name
    name = " ".join(part for part in (before["product_number"], before["serial"]) if part)
    _record(session, certificate, changes, {"line_id": line.id, "line": name}, reason, by, now)
    return True


def _family_parser(session: Session) -> Callable[[object], Parsed]:
    return partial(parse_family, families={family_key(alias): name for alias, name in masters(session).families.items()})


def _locked(session: Session, certificate: Certificate, seen: str, told: Callable[[], dict[str, str]]) -> dict[str, str]:
    """What stands there, once no import writes beside us and nobody was quicker."""
    lock(session, "import")
    session.refresh(certificate, with_for_update=True)
    if seal(certificate) != seen:
        raise Refused("certificate_changed")
    return told()


def _put_party(session: Session, certificate_id: int, role: PartyRole, values: Typed, by: Actor, now: datetime) -> None:
    party = session.scalars(select(Party).where(Party.certificate_id == certificate_id, Party.role == role)).one_or_none()
    if party is None:
        party = Party(certificate_id=certificate_id, role=role)
        session.add(party)
    # One that was emptied stays as a row: the next import shall ask before it fills it again.
    party.name, party.email, party.email_key = values[f"{role}_name"], values[f"{role}_email"], values[f"{role}_email"].lower()
    party.set_at, party.set_by = now, by.name


def _check_twin(session: Session, line: ContractLine, values: Typed) -> None:
    same = [getattr(ContractLine, name) == values[name] for name in ("product_number", "serial", "service")]
    twin = select(ContractLine.id).where(ContractLine.certificate_id == line.certificate_id, ContractLine.id != line.id, *same)
    if session.scalar(twin.limit(1)) is not None:
        raise Refused("line_taken", "serial")


def _record(session: Session, certificate: Certificate, changes: Mapping[str, Any], line: Mapping[str, Any], reason: str, by: Actor, now: datetime) -> None:
    certificate.updated_at = now
    session.flush()
    journal.record(session, CORRECT, "certificate", certificate.id, by=by, now=now, subject_name=certificate.contract_key, reason=reason, **line, **changes)

"""新規サポートチケット発行: choose the product, fill in the form, check, create."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from actions import attachments, tickets
from actions.openings import Opening
from customer_portal.reception import reception, told_when
from models.actors import Customer
from models.base import AnyRow
from models.masters import DomainKind, ProductFamily, categories, families, family_by_slug, mail_domains
from models.own_tickets import own_families, own_lines
from models.tokens import hash_token
from rules.addresses import parse_address
from rules.calendar import tokyo_date
from rules.logs import Fact, differs, facts_of
from rules.refusal import Refused
from rules.text import UNKNOWN, fold_key, is_unknown, one_line
from rules.tickets import CcList, TicketText, check_ticket, is_outside, parse_cc
from web.access import CUSTOMER
from web.call import Call
from web.endpoint import Page, get, post
from web.errors import or_not_found
from wording.catalog import N_

_WRITER_CHARACTERS = 100
_FROM_LOGS = (Fact.SERIAL, Fact.MODEL, Fact.OS_VERSION)
_MAY_BE_UNKNOWN = ("contract_key", "serial")
FIELDS = ("subject", "contract_key", "serial", "model", "os_version", "cc", "category", "body", "writer")


@dataclass(frozen=True)
class Filled:
    """A form that passed: the texts as typed, the CC as it will be mailed, the category's id."""

    text: TicketText
    cc: CcList
    category_id: int


def choose(call: Call) -> Response:
    """The product comes first: those on one's own contracts, then all."""
    own = _own_families(call)
    return call.page("portal/tickets/choose.html", families=families(call.session), own=own)


def fill_in(call: Call) -> Response:
    """The empty form of a product."""
    return _form(call, _family(call))


def create(call: Call) -> Response:
    """The filled form: first the check page, then, with `confirmed`, the ticket."""
    family = _family(call)
    held = held_files(call)
    if call.form.value("edit"):
        return _form(call, family, held=held)
    filled = _check(call)
    if filled is None:
        return _form(call, family, held=held, status=422)
    if not call.form.has("confirmed"):
        return _confirm(call, family, filled, held)
    calendar = call.calendar()
    try:
        ticket = tickets.open_ticket(
            call.session,
            Opening(
                family_id=family.id,
                category_id=filled.category_id,
                subject=filled.text.subject.strip(),
                contract_text=filled.text.contract_key.strip(),
                serial_text=filled.text.serial.strip(),
                body=filled.text.body,
                model=filled.text.model.strip(),
                os_version=filled.text.os_version.strip(),
                cc=filled.cc.values,
            ),
            files=[file.id for file in held],
            submission=mark_of(call),
            by=writer_of(call),
            desk=call.desk,
            limits=call.limits,
            calendar=calendar,
            now=call.now,
        )
    except Refused as refused:
        call.form.refuse(refused)
        return _form(call, family, held=held, status=422)
    told = call.say(N_("チケット #{n} を作成しました。受付のメールを {email} へお送りします。"), n=ticket.id, email=call.customer.email)
    told += told_when(call, calendar.of(ticket.calendar_id))
    return call.redirect(f"/tickets/{ticket.id}", told)


def held_files(call: Call) -> list[AnyRow]:
    """The files this form holds: those of earlier steps that were not taken out, and those that came now."""
    dropped = set(call.form.values("drop"))
    tokens = [token for token in call.form.values("held") if token not in dropped] + [upload.token for upload in call.uploads]
    return list(attachments.held_files(call.session, tokens, by=call.customer))


def writer_of(call: Call) -> Customer:
    """The account, under the name of the person who writes where several share it (記入者)."""
    name = one_line(call.form.value("writer"))[:_WRITER_CHARACTERS]
    return replace(call.customer, name=name) if name else call.customer


def read_cc(call: Call, typed: str) -> CcList:
    """The CC as it will be mailed. Refuses at cc: cc_form(x), cc_own_domain(x), cc_many(max, n, over)."""
    return parse_cc(
        typed,
        own=parse_address(call.customer.email),
        maintenance=parse_address(call.customer.maintenance_email),
        own_domains=mail_domains(call.session, DomainKind.OWN),
        shared_domains=mail_domains(call.session, DomainKind.SHARED),
        most=call.limits.cc_addresses,
    )


def outside_of(call: Call, cc: Sequence[str]) -> set[str]:
    """The addresses of a CC that are 社外."""
    if not cc:
        return set()
    own, maintenance = parse_address(call.customer.email), parse_address(call.customer.maintenance_email)
    shared = mail_domains(call.session, DomainKind.SHARED)
    return {address for address in cc if is_outside(parse_address(address), own, maintenance, shared)}


def mark_of(call: Call) -> str:
    """What tells this form from every other one: its own mark bound to its sender, so that nobody meets another's form by its mark."""
    typed = call.form.value("submission")
    return hash_token(f"{call.customer.id}:{typed}") if typed else ""


def typed(call: Call, name: str) -> str:
    """What stands in the field `name`: 不明 where its box 「分からない」 is ticked, what a log said where its button was pressed."""
    used, _, value = call.form.value("use").partition("=")
    if used == name and name in _FROM_LOGS:
        return value
    return UNKNOWN if name in _MAY_BE_UNKNOWN and name in call.form.values("unknown") else call.form.value(name)


def _check(call: Call) -> Filled | None:
    form = call.form
    masters = {row.name: row.id for row in categories(call.session)}
    text = TicketText(**{name: typed(call, name) for name in FIELDS if name not in ("cc", "writer")})
    for refused in check_ticket(text, categories=masters, body_characters=call.limits.body_characters):
        form.refuse(refused)
    cc = form.check("cc", lambda typed: read_cc(call, typed))
    if form.failed or cc is None:
        return None
    return Filled(text, cc, masters[text.category])


def _confirm(call: Call, family: ProductFamily, filled: Filled, held: list[AnyRow]) -> Response:
    lines = own_lines(call.session, call.customer.maintenance_email.lower(), family.id, today=tokyo_date(call.now))
    return call.page(
        "portal/tickets/confirm.html",
        family=family,
        filled=filled,
        entries={name: typed(call, name) for name in FIELDS},
        held=held,
        submission=_submission(call),
        **reception(call, call.calendar().for_family(family.id)),
        offers=_offers(call, family, held),
        serial_elsewhere=_serial_elsewhere(filled.text, lines),
    )


def _offers(call: Call, family: ProductFamily, held: Sequence[AnyRow]) -> list[tuple[Fact, str]]:
    """What the files say and the form does not: one value a field, to be taken over with one press."""
    found = facts_of([file.found for file in held if file.found], family.id)
    return [(fact, values[0]) for fact, values in found.items() if not (stated := typed(call, fact)) or is_unknown(stated) or differs(values, stated)]


def _serial_elsewhere(text: TicketText, lines: Any) -> bool:
    """Whether the typed contract is one of the customer's own list, but the serial is not among its lines: a warning, no refusal."""
    if is_unknown(text.serial) or is_unknown(text.contract_key):
        return False
    serials = {row.serial for row in lines if row.contract_key == fold_key(text.contract_key)}
    return bool(serials) and fold_key(text.serial) not in serials


def _form(call: Call, family: ProductFamily, *, held: list[AnyRow] | None = None, status: int = 200) -> Response:
    return call.page(
        "portal/tickets/new.html",
        status=status,
        family=family,
        families=families(call.session),
        own=_own_families(call),
        lines=own_lines(call.session, call.customer.maintenance_email.lower(), family.id, today=tokyo_date(call.now)),
        categories=[(row.name, row.name) for row in categories(call.session)],
        held=held or [],
        submission=_submission(call),
        **reception(call, call.calendar().for_family(family.id)),
    )


def _own_families(call: Call) -> dict[int, str]:
    """What the tiles of one's own products say beside the name, by family."""
    rows = own_families(call.session, call.customer.maintenance_email.lower(), today=tokyo_date(call.now))
    several, one = N_("契約 {n}件・{product} ほか"), N_("契約 {n}件・{product}")
    return {row.family_id: call.say(several if row.products > 1 else one, n=row.contracts, product=row.product) for row in rows}


def _submission(call: Call) -> str:
    return call.form.value("submission") or secrets.token_urlsafe(16)


def _family(call: Call) -> ProductFamily:
    return or_not_found(family_by_slug(call.session, call.param("slug")))


PAGES: list[Page] = [
    get("/tickets/new", choose, CUSTOMER),
    get("/tickets/new/{slug}", fill_in, CUSTOMER),
    post("/tickets/new/{slug}", create, CUSTOMER, uploads=True),
]

"""A CC list as staff type it for a customer's ticket."""

from __future__ import annotations

from models.masters import DomainKind, mail_domains
from models.people import Account
from rules.addresses import parse_address
from rules.refusal import Refused
from rules.tickets import CcList, parse_cc
from web.call import Call

_NOBODYS = "nobody@example.com"


def read_cc(call: Call, account: Account | None, typed: str) -> CcList:
    """The addresses as they will be mailed. Refuses at cc: what `parse_cc` refuses, cc_without_account."""
    if account is None and typed.strip():
        raise Refused("cc_without_account", "cc")
    # An erased person has no address, and the ticket stays to be worked on.
    own, maintenance = (account.email, account.maintenance_email) if account and account.email else (_NOBODYS, _NOBODYS)
    return parse_cc(
        typed,
        own=parse_address(own),
        maintenance=parse_address(maintenance),
        own_domains=mail_domains(call.session, DomainKind.OWN),
        shared_domains=mail_domains(call.session, DomainKind.SHARED),
        most=call.limits.cc_addresses,
    )

"""A ticket's CC as a form changes it: only what was changed there, for the other side may have changed it too since the page was shown."""

from __future__ import annotations

from collections.abc import Callable

from models.tickets import Ticket
from rules.tickets import CcList, carry_cc
from web.call import Call


def cc_in_form(call: Call, ticket: Ticket, read: Callable[[str], CcList]) -> CcList | None:
    """The CC that the form's `cc` makes of the ticket's, read by `read`; None where that refuses. The form's `cc_seen` is the one it was filled with."""
    typed = call.form.check("cc", read)
    if typed is None or not call.form.has("cc_seen"):
        return typed
    seen = [address for address in call.form.value("cc_seen").split(",") if address]
    carried = carry_cc(typed.values, seen=seen, present=ticket.cc)
    if carried == typed.values:
        return typed
    return call.form.check("cc", lambda _: read("\n".join(carried)))

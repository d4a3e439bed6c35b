"""届いたメール: what came into the sender's mailbox, and whose it is where nobody could tell."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from actions import returned_mail
from console.frame import frame
from console.paging import address, pager, place_of
from models.mail_lists import Returns, returned_list
from models.outbox import Letter, ReturnedKind, ReturnedMail
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from wording.catalog import N_, translate

_PATH = "/console/mails/returned"
_QUERY_CHARACTERS = 254
_SHOWN = {
    Returns.OPEN: N_("宛先の分からないもの"),
    Returns.REPLY: N_("お客様の返信"),
    Returns.REPORT: N_("配送の報告"),
    Returns.AUTOMATIC: N_("自動応答"),
}


def index(call: Call) -> Response:
    """What came, the newest first; first of all what found neither letter nor ticket."""
    text = call.query("q").strip()[:_QUERY_CHARACTERS]
    asked = call.query("show", Returns.OPEN)
    shown = next((one for one in Returns if one == asked), None)
    sheet = returned_list(call.session, text=text, shown=shown, place=place_of(call), limit=call.limits.page_rows)
    here = {"q": text, "show": shown or "all"}
    language = call.basis.language
    return call.page(
        "console/mails/returned.html",
        **frame(call),
        rows=[(row, _kind(row.kind, language)) for row in sheet.rows],
        page=pager(_PATH, here, sheet),
        text=text,
        shown=here["show"],
        choices=[(one.value, translate(word, language)) for one, word in _SHOWN.items()] + [("all", translate(N_("すべて"), language))],
        conditions=[(translate(N_("検索：{text}"), language).format(text=text), address(_PATH, {"show": here["show"]}))] if text else [],
    )


def show(call: Call) -> Response:
    """One mail as it came."""
    return call.page("console/mails/returned_mail.html", **_shown(call, call.named(ReturnedMail)))


def place(call: Call) -> Response:
    """It belongs to a ticket."""
    mail = call.named(ReturnedMail)
    try:
        number = returned_mail.place(call.session, mail, call.form.value("ticket"), by=call.staff, now=call.now)
    except Refused as refused:
        call.form.refuse(refused)
        return call.invalid("console/mails/returned_mail.html", **_shown(call, mail))
    return call.redirect(f"{_PATH}/{mail.id}", flash=call.say(N_("チケット #{n} に「メールで返信が届きました」と表示します。"), n=number))


def settle(call: Call) -> Response:
    """Somebody has dealt with it."""
    returned_mail.settle(call.session, call.named(ReturnedMail), by=call.staff, now=call.now)
    return call.redirect(_PATH, flash=call.say(N_("対応済みにしました。")))


def _shown(call: Call, mail: ReturnedMail) -> dict[str, Any]:
    letter = call.session.get(Letter, mail.letter_id) if mail.letter_id else None
    may_act = call.staff.may(Area.DELIVERY, Right.WRITE)
    waits = mail.settled_at is None and mail.letter_id is None and mail.ticket_id is None
    return {
        **frame(call),
        "mail": mail,
        "letter": letter,
        "kind": _kind(mail.kind, call.basis.language),
        # What a customer wrote about a ticket is read by those who read its thread.
        "readable": mail.ticket_id is None or call.staff.may(Area.TICKETS, Right.READ),
        "may_place": may_act and mail.ticket_id is None and mail.kind == ReturnedKind.REPLY,
        "may_settle": may_act and waits,
    }


def _kind(kind: str, language: str) -> str:
    return translate(_SHOWN[Returns(kind)], language)


_READ, _WRITE = staff(Area.DELIVERY, Right.READ), staff(Area.DELIVERY, Right.WRITE)
PAGES: list[Page] = [
    get(_PATH, index, _READ),
    get(f"{_PATH}/{{id:int}}", show, _READ),
    post(f"{_PATH}/{{id:int}}/ticket", place, _WRITE),
    post(f"{_PATH}/{{id:int}}/settlement", settle, _WRITE),
]

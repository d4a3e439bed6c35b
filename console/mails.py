"""送信メール: what was sent to whom, when, why and with what result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from starlette.responses import Response

from actions import copies, delivery
from console.frame import frame
from console.paging import address, pager, place_of
from mail.compose import NOTICES, SECRET_NOTICES, mask_links
from mail.recorder import RECORDED
from models.base import NEVER, AnyRow
from models.mail_lists import Shown, letter_list, letter_page, lost_count, recipients_of
from models.mail_templates import version_of
from models.outbox import HELD, STOPPED, LetterState, RecipientState
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import get, post
from web.errors import or_not_found
from wording import labels
from wording.catalog import N_, translate

_PATH = "/console/mails"
_QUERY_CHARACTERS = 254
_LOST_SHOWN = 99
_ANSWERS = {
    RECORDED: N_("メールサーバーが設定されていないため、記録だけしました。"),
    HELD: N_("社外のメールCC への通知が 1 日の上限に達したため、送っていません。"),
    STOPPED: N_("CC の受取人のお申し出により、送っていません。"),
    "withdrawn": N_("公開の前に取り消されたため、送っていません。"),
    "by_staff": N_("職員が送信を止めました。"),
}
_OPEN = frozenset({RecipientState.WAITING, RecipientState.TEMPORARY, RecipientState.UNKNOWN})
_UNREACHED = _OPEN | {RecipientState.PERMANENT, RecipientState.SUPPRESSED}
_TROUBLED = N_("失敗あり")


def index(call: Call) -> Response:
    """The ledger: a state, an address or a ticket's number narrow it."""
    text = call.query("q").strip()[:_QUERY_CHARACTERS]
    shown = next((shown for shown in Shown if shown == call.query("state")), None)
    sheet = letter_list(call.session, text=text, shown=shown, place=place_of(call), limit=call.limits.page_rows)
    recipients = recipients_of(call.session, [row.id for row in sheet.rows])
    language = call.basis.language
    return call.page(
        "console/mails/index.html",
        **frame(call),
        rows=[(row, notice_name(row.kind, language), recipients[row.id], _trouble(row, recipients[row.id], language)) for row in sheet.rows],
        page=pager(_PATH, {"q": text, "state": shown or ""}, sheet),
        text=text,
        state=shown or "",
        states=[(one.value, _shown_word(one, language)) for one in Shown],
        conditions=_conditions(text, shown, language),
        lost=lost_count(call.session, most=_LOST_SHOWN + 1),
        most_lost=_LOST_SHOWN,
    )


def show(call: Call) -> Response:
    """One letter as it was sent."""
    return call.page("console/mails/show.html", **_letter(call))


def resend(call: Call) -> Response:
    """Let it go again to whom it has not reached."""
    return _decide(call, delivery.resend, N_("届いていない {n}件の宛先に、もう一度送ります。"))


def correct(call: Call) -> Response:
    """Send it to another address in the place of one it has not reached."""
    context = _letter(call)
    try:
        address = delivery.correct(call.session, call.param("id"), call.form.value("recipient"), call.form.value("address"), by=call.staff, now=call.now)
    except Refused as refused:
        call.form.refuse(refused if refused.code.startswith("mail_") else refused.at("address"))
        return call.invalid("console/mails/show.html", **context)
    return call.redirect(f"{_PATH}/{call.param('id')}", flash=call.say(N_("宛先を {address} に直し、もう一度送ります。"), address=address))


def suppress(call: Call) -> Response:
    """Give up whom it has not reached."""
    return _decide(call, delivery.suppress, N_("届いていない {n}件の宛先への送信を止めました。"))


def offer(call: Call) -> Response:
    """Mail whoever stopped their copies the link to let them come again."""
    context = _letter(call)
    try:
        address = copies.offer(call.session, call.param("id"), call.form.value("address"), by=call.staff, desk=call.desk, now=call.now)
    except Refused as refused:
        call.form.refuse(refused.at(""))
        return call.invalid("console/mails/show.html", **context)
    return call.redirect(f"{_PATH}/{call.param('id')}", flash=call.say(N_("{address} に、再開のご案内を送ります。"), address=address))


def notice_name(kind: str, language: str) -> str:
    """What kind of mail it is."""
    return translate(NOTICES[kind], language) if kind in NOTICES else kind


def _decide(call: Call, act: Callable[..., int], told: str) -> Response:
    context = _letter(call)
    try:
        count = act(call.session, call.param("id"), by=call.staff, now=call.now)
    except Refused as refused:
        call.form.refuse(refused)
        return call.invalid("console/mails/show.html", **context)
    return call.redirect(f"{_PATH}/{call.param('id')}", flash=call.say(told, n=count))


def _letter(call: Call) -> dict[str, Any]:
    letter = or_not_found(letter_page(call.session, call.param("id")))
    language = call.basis.language
    recipients = recipients_of(call.session, [letter.id])[letter.id]
    at_rest = letter.state not in (LetterState.SENDING, LetterState.WITHDRAWN)
    may_write = call.staff.may(Area.DELIVERY, Right.WRITE)
    may_act = may_write and at_rest
    stopped = copies.stopped_among(call.session, [row.address.lower() for row in recipients if row.place == "cc"])
    unreached = [row for row in recipients if row.state in _UNREACHED and (row.place == "to" or row.address.lower() not in stopped)]
    # Without a mail server the ledger is where the links are read; otherwise they are their recipient's alone.
    secret = letter.kind in SECRET_NOTICES and bool(call.wiring.settings.smtp_url)
    # The service center reads no threads, and a ticket's letter quotes one.
    quotes = letter.ticket_id is not None and not call.staff.may(Area.TICKETS, Right.READ)
    return {
        **frame(call),
        "letter": letter,
        "notice": notice_name(letter.kind, language),
        "wording": version_of(call.session, letter.kind, letter.text_version) if letter.text_version else None,
        "body": None if quotes else mask_links(letter.body) if secret else letter.body,
        "masked": secret,
        "recipients": [(row, _shown_state(letter, row), _answer(row.answer, language)) for row in recipients],
        "offered": stopped if may_write and letter.ticket_id is not None else set[str](),
        "next_try": letter.try_at if letter.state == LetterState.WAITING and letter.try_at != NEVER else None,
        "may_resend": may_act and bool(unreached),
        "correctable": [(row.address, row.address) for row in unreached] if may_act and letter.kind not in SECRET_NOTICES else [],
        "may_suppress": may_act and any(row.state in _OPEN for row in recipients),
        "sender": call.desk.mail_from,
    }


def _shown_state(letter: AnyRow, recipient: AnyRow) -> str:
    """送信中 is the letter's state: while it is on its way, whoever is still open is being tried."""
    if letter.state == LetterState.SENDING and recipient.state in _OPEN:
        return RecipientState.SENDING
    return recipient.state


def _trouble(letter: AnyRow, recipients: Sequence[AnyRow], language: str) -> list[tuple[str, str]]:
    """The states of recipients other than the plain course, with how many: (state, 「一時失敗 2件」)."""
    counts = Counter(str(row.state) for row in recipients if row.state not in (RecipientState.WAITING, RecipientState.ACCEPTED))
    if letter.state == LetterState.WITHDRAWN:
        return []
    return [(state, f"{labels.recipient_state(state, language)} {translate(N_('{n}件'), language).format(n=count)}") for state, count in counts.items()]


def _answer(said: str, language: str) -> str:
    return translate(_ANSWERS[said], language) if said in _ANSWERS else said


def _shown_word(shown: Shown, language: str) -> str:
    return translate(_TROUBLED, language) if shown is Shown.TROUBLED else labels.letter_state(shown, language)


def _conditions(text: str, shown: Shown | None, language: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if text:
        found.append((translate(N_("検索：{text}"), language).format(text=text), address(_PATH, {"state": shown or ""})))
    if shown:
        found.append((translate(N_("状態：{text}"), language).format(text=_shown_word(shown, language)), address(_PATH, {"q": text})))
    return found


PAGES = [
    get(_PATH, index, staff(Area.DELIVERY, Right.READ)),
    get(f"{_PATH}/{{id:int}}", show, staff(Area.DELIVERY, Right.READ)),
    post(f"{_PATH}/{{id:int}}/resend", resend, staff(Area.DELIVERY, Right.WRITE)),
    post(f"{_PATH}/{{id:int}}/address", correct, staff(Area.DELIVERY, Right.WRITE)),
    post(f"{_PATH}/{{id:int}}/copies", offer, staff(Area.DELIVERY, Right.WRITE)),
    post(f"{_PATH}/{{id:int}}/suppression", suppress, staff(Area.DELIVERY, Right.WRITE)),
]

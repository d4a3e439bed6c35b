"""Customers' accounts, as staff see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from actions import totp
from actions.suspensions import reopen_account, suspend_account
from console.frame import frame
from console.paging import address, pager, place_of
from models.people import Account, AccountState
from models.people_lists import (
    SHOWN,
    account_certificates,
    account_consents,
    account_list,
    account_sessions,
    account_sign_ins,
    account_tickets,
)
from rules.refusal import Refused
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import get, post
from wording import labels
from wording.catalog import N_

_PATH = "/console/accounts"
_QUERY_CHARACTERS = 200


def index(call: Call) -> Response:
    """The list: search and state narrow it."""
    text = call.query("q").strip()[:_QUERY_CHARACTERS]
    state = next((state for state in AccountState if state == call.query("state")), None)
    sheet = account_list(call.session, text=text, state=state, place=place_of(call), limit=call.limits.page_rows)
    return call.page(
        "console/accounts/index.html",
        **frame(call),
        rows=sheet.rows,
        page=pager(_PATH, {"q": text, "state": state or ""}, sheet),
        text=text,
        state=state or "",
        states=[(state.value, labels.account_state(state, call.basis.language)) for state in AccountState],
        conditions=_conditions(call, text, state),
    )


def show(call: Call) -> Response:
    """One account with all that hangs on it."""
    return call.page("console/accounts/show.html", **_account(call, call.named(Account)))


def suspend(call: Call) -> Response:
    """Close the account."""
    return _decide(call, suspend_account, N_("アカウントの利用を停止しました。ログイン中の画面はすべて終了しました。"))


def reopen(call: Call) -> Response:
    """Open the account again."""
    return _decide(call, reopen_account, N_("アカウントの利用を再開しました。"))


def remove_code(call: Call) -> Response:
    """Turn off the second factor of a holder who has lost it; the holder is told."""
    account = call.named(Account)
    totp.remove(call.session, account, by=call.staff, desk=call.desk, now=call.now)
    return call.redirect(f"{_PATH}/{account.id}", flash=N_("確認コードを解除しました。次のログインからパスワードだけでログインできます。"))


def _decide(call: Call, act: Callable[..., None], told: str) -> Response:
    account = call.named(Account)
    try:
        act(call.session, account, reason=call.form.value("reason"), by=call.staff, now=call.now)
    except Refused as refused:
        call.form.refuse(refused)
    if call.form.failed:
        return call.invalid("console/accounts/show.html", **_account(call, account))
    return call.redirect(f"{_PATH}/{account.id}", flash=told)


def _account(call: Call, account: Account) -> dict[str, Any]:
    session = call.session
    second = totp.totp_of(session, account.id)
    return {
        **frame(call),
        "account": account,
        "certificates": account_certificates(session, account.maintenance_email_key),
        "tickets": account_tickets(session, account.id) if call.staff.may("tickets", "r") else None,
        "sign_ins": account_sign_ins(session, account.id),
        "sessions": account_sessions(session, account.id, call.now),
        "consents": account_consents(session, account.id),
        "shown": SHOWN,
        "totp": second.enrolled_at if second else None,
    }


def _conditions(call: Call, text: str, state: AccountState | None) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if text:
        found.append((call.say(N_("検索：{text}"), text=text), address(_PATH, {"state": state or ""})))
    if state:
        word = labels.account_state(state, call.basis.language)
        found.append((call.say(N_("状態：{text}"), text=word), address(_PATH, {"q": text})))
    return found


PAGES = [
    get(_PATH, index, staff(Area.ACCOUNTS, Right.READ)),
    get(f"{_PATH}/{{id:int}}", show, staff(Area.ACCOUNTS, Right.READ)),
    post(f"{_PATH}/{{id:int}}/suspension", suspend, staff(Area.ACCOUNTS, Right.WRITE)),
    post(f"{_PATH}/{{id:int}}/reopening", reopen, staff(Area.ACCOUNTS, Right.WRITE)),
    post(f"{_PATH}/{{id:int}}/totp-removal", remove_code, staff(Area.ACCOUNTS, Right.WRITE)),
]

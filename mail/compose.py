"""Facts -> the text of a letter, and a letter -> the message that goes to the server. No header is ever joined from strings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import parseaddr
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from mail.desk import Desk
from rules.calendar import TOKYO
from rules.text import one_line
from wording.catalog import N_
from wording.dates import moment, size

SUBJECT_CHARACTERS = 400
_TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "mail"
_SECRET_LINK = re.compile(r"(/(?:register/confirm|recover|profile/email)/)[\w-]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Text:
    """A letter's words: the subject one line, the body with ``\\n``."""

    subject: str
    body: str


@dataclass(frozen=True)
class Envelope:
    """All that the message of a letter is made of; the same at every try."""

    header_id: str
    thread_ids: tuple[str, ...]
    subject: str
    body: str
    created_at: datetime
    to: tuple[str, ...]
    cc: tuple[str, ...]


class _WirePolicy(EmailPolicy):
    """As the standard's, but long Japanese subjects keep their blanks: its own folding loses those between two encoded words."""

    def fold(self, name: str, value: str) -> str:
        """One header as it goes over the wire."""
        if name.lower() == "subject" and not value.isascii():
            return f"{name}: {Header(value, 'utf-8', header_name=name).encode(linesep=self.linesep)}{self.linesep}"
        return super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        """The same in bytes; all that is not ASCII is encoded by now."""
        return self.fold(name, value).encode("ascii")


_WIRE = _WirePolicy(linesep="\r\n")


class Unsendable(Exception):
    """The letter itself cannot be made into a message; no server was asked."""


def compose(notice: str, *, desk: Desk, **facts: object) -> Text:
    """The text of the mail `notice` (templates/mail/<notice>.subject.txt and .body.txt) for `facts`.

    A template that asks for a fact it was not given fails loudly. What people wrote is made one line in the subject.
    """
    everything: dict[str, object] = {"desk": desk, **facts}
    subject = one_line(_templates().get_template(f"{notice}.subject.txt").render(everything))
    body = _templates().get_template(f"{notice}.body.txt").render(everything)
    return Text(_shortened(subject), clean_body(body))


def clean_body(text: str) -> str:
    """`text` with plain line ends and without control characters other than tabs."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip("\n") + "\n"


def excerpt(text: str, characters: int) -> tuple[str, bool]:
    """(`text` cut at `characters`, whether something was cut)."""
    return (text, False) if len(text) <= characters else (text[:characters], True)


def to_email(envelope: Envelope, desk: Desk) -> EmailMessage:
    """The message of a letter: Message-ID and Date are the letter's own, so a repeat is known as one.

    Raises Unsendable when an address or a text cannot stand in a message.
    """
    try:
        return _message(envelope, desk)
    except (ValueError, TypeError, LookupError, AttributeError, MessageError) as fault:
        raise Unsendable(f"{type(fault).__name__}: {fault}") from fault


def to_bytes(mail: EmailMessage) -> bytes:
    """`mail` as it goes over the wire, lines ended by CR LF. Raises Unsendable."""
    try:
        return mail.as_bytes(policy=_WIRE)
    except (ValueError, TypeError, LookupError, AttributeError, MessageError) as fault:
        raise Unsendable(f"{type(fault).__name__}: {fault}") from fault


def mask_links(body: str) -> str:
    """`body` with the secret end of each link that gives a right blotted out: 「…」 stands there."""
    return _SECRET_LINK.sub(r"\1…", body)


@lru_cache(maxsize=16)
def sender_address(mail_from: str) -> str:
    """The bare address of the sender setting."""
    return parseaddr(mail_from)[1]


def _message(envelope: Envelope, desk: Desk) -> EmailMessage:
    name, address = parseaddr(desk.mail_from)
    mail = EmailMessage(policy=_WIRE)
    mail["From"] = Address(display_name=name, addr_spec=address)
    if envelope.to:
        mail["To"] = [Address(addr_spec=value) for value in envelope.to]
    if envelope.cc:
        mail["Cc"] = [Address(addr_spec=value) for value in envelope.cc]
    # "=?" would be read as an encoded word: what was typed would arrive decoded.
    mail["Subject"] = one_line(envelope.subject).replace("=?", "= ?")
    mail["Date"] = envelope.created_at.astimezone(TOKYO).replace(microsecond=0)
    mail["Message-ID"] = envelope.header_id
    if envelope.thread_ids:
        mail["References"] = " ".join(envelope.thread_ids)
        mail["In-Reply-To"] = envelope.thread_ids[-1]
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(envelope.body, charset="utf-8", cte="base64")
    return mail


def _shortened(subject: str) -> str:
    return subject if len(subject) <= SUBJECT_CHARACTERS else subject[: SUBJECT_CHARACTERS - 1] + "…"


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    filters = cast("dict[str, Any]", environment.filters)
    filters |= {"size": size, "moment": moment, "one_line": one_line}
    return environment


NOTICES: Mapping[str, str] = {
    "registration_link": N_("仮登録の確認"),
    "registered": N_("本登録の完了"),
    "login_ids": N_("ログイン情報"),
    "password_changed": N_("パスワード変更の通知"),
    "email_link": N_("メールアドレス変更の確認"),
    "email_changed": N_("メールアドレス変更の通知"),
    "ticket_opened": N_("チケットの受付"),
    "ticket_updated": N_("チケットの更新"),
    "answered": N_("チケットの回答"),
    "staff_ticket_opened": N_("新着チケット（職員）"),
    "staff_ticket_updated": N_("お客様の返信（職員）"),
    "staff_assigned": N_("担当の割り当て（職員）"),
    "staff_first_answer_near": N_("最初の回答の期限（職員）"),
    "staff_first_answer_overdue": N_("最初の回答の超過（職員）"),
    "staff_next_answer_near": N_("次の回答の期限（職員）"),
    "staff_next_answer_overdue": N_("次の回答の超過（職員）"),
    "silent_reminder": N_("ご返信のお願い"),
    "silent_notice": N_("終了の予告"),
    "silent_closed": N_("終了のお知らせ"),
    "contract_ending": N_("終了が近い契約（サービス管理センター）"),
    "contract_ending_account": N_("契約終了のお知らせ"),
    "registration_ending": N_("本登録のお願い"),
    "staff_digest": N_("今日の一覧（職員）"),
    "staff_calendar_ending": N_("営業日の一覧の終わり（職員）"),
    "staff_mails_failed": N_("送れなかったメール（職員）"),
    "staff_quota": N_("上限が近いお知らせ（職員）"),
    "staff_jobs_late": N_("遅れているジョブ（職員）"),
}
"""Every mail there is, by its template, with its name in the ledger."""
SECRET_NOTICES = frozenset({"registration_link", "login_ids", "email_link"})
"""Letters whose text holds a link that gives a right."""

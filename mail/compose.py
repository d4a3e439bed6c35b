"""Facts -> the text of a letter, and a letter -> the message that goes to the server. No header is ever joined from strings."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from mail.desk import Desk
from mail.facts import project
from rules.calendar import TOKYO
from rules.text import one_line
from wording.catalog import N_
from wording.dates import day, moment, size

SUBJECT_CHARACTERS = 400
_TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "mail"
_SECRET_LINK = re.compile(r"(/(?:register/confirm|recover|profile/email|exceptions)/)[\w-]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Text:
    """A letter's words: the subject one line, the body with ``\\n``."""

    subject: str
    body: str
    version: int = 0
    """Of the rewritten text it was made with; 0 for the text the letter came with."""


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


class _Ready(str):
    """A header's value as it goes over the wire: checked and folded already."""

    __slots__ = ()


class _WirePolicy(EmailPolicy):
    """As the standard's, but what is `_Ready` is not parsed and folded again: that is two thirds of a message's making."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """What a message keeps of a header that is set."""
        return (name, value) if isinstance(value, _Ready) else super().header_store_parse(name, value)

    def header_fetch_parse(self, name: str, value: Any) -> Any:
        """What a message gives out of a header it keeps."""
        return value if isinstance(value, _Ready) else super().header_fetch_parse(name, value)

    def fold(self, name: str, value: str) -> str:
        """One header as it goes over the wire."""
        return f"{name}: {value}\r\n" if isinstance(value, _Ready) else super().fold(name, value)


_WIRE = _WirePolicy(linesep="\r\n")
_FOLD = "\r\n "
_PLAIN_ADDRESS = re.compile(r"[\w!#$&'*+/?^`{|}~-]+(?:\.[\w!#$&'*+/?^`{|}~-]+)*@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_PLAIN_ID = re.compile(r"<[\w.+-]+@[\w.-]+>", re.ASCII)
_PRINTABLE = re.compile(r"[ -~]*")
_LONGEST_LINE = 76
_WORD_BYTES = 42
"""Of UTF-8 in one encoded word (RFC 2047): base64 and its frame then fit into a line with the header's name."""


class Unsendable(Exception):
    """The letter itself cannot be made into a message; no server was asked."""


def compose(notice: str, *, desk: Desk, **facts: object) -> Text:
    """The text of the mail `notice` (templates/mail/<notice>.subject.txt and .body.txt) for `facts`.

    A letter that is not given one of its facts (`mail.facts`) fails loudly. What people wrote is made one line in the subject.
    """
    everything = project(notice, facts, desk)
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
        # What the standard's generator does with a message of one part, without its buffers: a third of a message's making.
        headers = [_WIRE.fold(name, value) for name, value in mail.raw_items()]
        return f"{''.join(headers)}\r\n{mail.get_payload()}".encode("ascii")
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
    mail = EmailMessage(policy=_WIRE)
    _put(mail, "From", _sender(desk.mail_from))
    if envelope.to:
        _put(mail, "To", _addresses(envelope.to))
    if envelope.cc:
        _put(mail, "Cc", _addresses(envelope.cc))
    _put(mail, "Subject", _subject(one_line(envelope.subject)))
    _put(mail, "Date", _date(envelope.created_at.replace(microsecond=0)))
    _put(mail, "Message-ID", _ids((envelope.header_id,)))
    if envelope.thread_ids:
        _put(mail, "References", _ids(envelope.thread_ids))
        _put(mail, "In-Reply-To", _ids(envelope.thread_ids[-1:]))
    for name, value in _FIXED:
        mail.set_raw(name, value)
    text = b2a_base64(envelope.body.replace("\n", "\r\n").encode(), newline=False).decode("ascii")
    lines = [text[start : start + _LONGEST_LINE] for start in range(0, len(text), _LONGEST_LINE)]
    mail.set_payload("\r\n".join([*lines, ""]))
    return mail


def _put(mail: EmailMessage, name: str, value: Any) -> None:
    """Set a header: one that is ready as it is, past the comparison with all names before it."""
    if isinstance(value, _Ready):
        mail.set_raw(name, value)
    else:
        mail[name] = value


_FIXED = [
    ("Auto-Submitted", _Ready("auto-generated")),
    ("X-Auto-Response-Suppress", _Ready("All")),
    ("MIME-Version", _Ready("1.0")),
    ("Content-Type", _Ready('text/plain; charset="utf-8"')),
    ("Content-Transfer-Encoding", _Ready("base64")),
]


@lru_cache(maxsize=16)
def _sender(mail_from: str) -> Any:
    """The sender by the standard's own folding, once for all letters."""
    name, address = parseaddr(mail_from)
    folded = _WIRE.fold(*_WIRE.header_store_parse("From", Address(display_name=name, addr_spec=address)))
    return _Ready(folded.removeprefix("From: ").removesuffix(_WIRE.linesep))


@lru_cache(maxsize=64)
def _date(moment: datetime) -> _Ready:
    """A second as it is written in Japan; letters often come many in one."""
    return _Ready(format_datetime(moment.astimezone(TOKYO)))


def _addresses(values: Sequence[str]) -> Any:
    """One address a line. What is not plainly an address goes the standard's way, which raises or quotes."""
    if all(_PLAIN_ADDRESS.fullmatch(value) for value in values):
        return _Ready(f",{_FOLD}".join(values))
    return [Address(addr_spec=value) for value in values]


def _ids(values: Sequence[str]) -> str:
    return _Ready(_FOLD.join(values)) if all(_PLAIN_ID.fullmatch(value) for value in values) else " ".join(values)


def _subject(text: str) -> str:
    """`text` as it stands if it is short ASCII, else in encoded words, each of whole characters.

    "=?" would be read as an encoded word: what was typed would arrive decoded, so it is encoded itself.
    """
    if len(text) < _LONGEST_LINE - len("Subject: ") and "=?" not in text and _PRINTABLE.fullmatch(text):
        return _Ready(text)
    rest = text.encode()
    words: list[str] = []
    while rest:
        end = min(_WORD_BYTES, len(rest))
        while end < len(rest) and rest[end] & 0xC0 == 0x80:  # in the middle of a character
            end -= 1
        words.append(f"=?utf-8?b?{b2a_base64(rest[:end], newline=False).decode('ascii')}?=")
        rest = rest[end:]
    return _Ready(_FOLD.join(words))


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
    filters |= {"size": size, "moment": moment, "day": day, "one_line": one_line}
    return environment


NOTICES: Mapping[str, str] = {
    "registration_link": N_("仮登録の確認"),
    "registered": N_("本登録の完了"),
    "login_ids": N_("ログイン情報"),
    "password_changed": N_("パスワード変更の通知"),
    "email_link": N_("メールアドレス変更の確認"),
    "email_changed": N_("メールアドレス変更の通知"),
    "exception_link": N_("例外申請：メールアドレスの確認"),
    "exception_received": N_("例外申請の受付"),
    "exception_question": N_("例外申請：確認のお願い"),
    "exception_declined": N_("例外申請のお断り"),
    "exception_approved": N_("例外申請の承認"),
    "explanation": N_("登録についてのご案内"),
    "email_change_received": N_("保守登録メール変更の受付"),
    "email_change_answered": N_("保守登録メール変更の連絡"),
    "email_change_done": N_("保守登録メール変更の完了"),
    "email_change_holder": N_("保守登録メール変更の通知"),
    "email_change_reversed": N_("保守登録メール変更の取り消し"),
    "totp_changed": N_("確認コードの変更の通知"),
    "ticket_opened": N_("チケットの受付"),
    "ticket_updated": N_("チケットの更新"),
    "answered": N_("チケットの回答"),
    "mail_not_taken": N_("メールでの返信へのご案内"),
    "copies_offer": N_("写しの再開のご案内"),
    "staff_ticket_opened": N_("新着チケット（職員）"),
    "staff_ticket_updated": N_("お客様の返信（職員）"),
    "staff_mail_replied": N_("メールでの返信（職員）"),
    "staff_registration_limit": N_("登録の失敗の上限（職員）"),
    "staff_assigned": N_("担当の割り当て（職員）"),
    "staff_assigned_many": N_("担当のまとめての割り当て（職員）"),
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
    "email_change_tomorrow": N_("保守登録メール変更の期限の前日（サービス管理センター）"),
    "email_change_due": N_("保守登録メール変更の期限の日（サービス管理センター）"),
    "email_change_overdue": N_("保守登録メール変更の期限の超過（サービス管理センター）"),
    "staff_exception_waiting": N_("判断を待つ例外申請（職員）"),
    "accounts_found": N_("アカウントの点検の結果（サービス管理センター）"),
}
"""Every mail there is, by its template, with its name in the ledger."""
SECRET_NOTICES = frozenset({"registration_link", "login_ids", "email_link", "exception_link"})
"""Letters whose text holds a link that gives a right."""

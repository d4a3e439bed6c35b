"""What came back: a delivery report (RFC 3464), a machine's note, or a person's answer to a notification."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import EmailPolicy
from email.utils import parseaddr
from typing import cast

from rules.text import one_line

SUBJECT_CHARACTERS, BODY_CHARACTERS = 400, 20_000
_WORDS_CHARACTERS = 500
_ID = re.compile(r"<[^<>\s]{1,190}>")
_TAG = re.compile(r"<[^<>]*>")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_MACHINES = re.compile(r"(?i)(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)(?:[+.-].*)?@")
_BREAKS_OFF = (AttributeError, IndexError, LookupError, RecursionError, TypeError, ValueError)
"""What the parser does where somebody meant it to."""
_MOST_LINES = 50_000
_MOST_BOUNDARIES, _MOST_CONTENTS = 50, 400
"""Each part within another is asked at each line; each part has two or three headers on its content."""
_HEADER_CHARACTERS, _REFERENCES_CHARACTERS, _CONTENT_CHARACTERS = 1000, 10_000, 300
_MOST_FATES = 100
_NO_WRITING = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"})
"""Codecs that take quadratic time, or make what no database keeps."""
_MARKS = ("list-id", "list-unsubscribe", "x-autoreply", "x-autorespond", "x-auto-response-suppress", "feedback-id")


@dataclass(frozen=True)
class Fate:
    """What a report says of one recipient."""

    addresses: tuple[str, ...]
    """As it went out and as it ended, in small letters."""
    failed: bool
    """For good; False: delayed, delivered or passed on."""
    words: str


@dataclass(frozen=True)
class Returned:
    """One mail, read. `references` are the Message-IDs it speaks of; `automatic` mails are never answered."""

    references: tuple[str, ...]
    sender: str
    subject: str
    body: str
    automatic: bool
    report: bool
    fates: tuple[Fate, ...] = ()


class _Policy(EmailPolicy):
    """The usual one, with headers cut: the parser takes quadratic time on long ones, and nests as deep as they do."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """(name, value) of a header."""
        name, value = super().header_source_parse(sourcelines)
        known = name.lower()
        if known.startswith("content-"):
            return name, value[:_CONTENT_CHARACTERS]
        return name, value[: _REFERENCES_CHARACTERS if known in ("references", "in-reply-to") else _HEADER_CHARACTERS]


_POLICY = _Policy()


def read_returned(raw: bytes, *, own: Collection[str]) -> Returned:
    """A mail as it concerns the outbox. Never fails: what cannot be read is an automatic mail without contents.

    `own` are the desk's addresses in small letters: a mail of theirs is a loop.
    """
    try:
        return _read(raw, own)
    except _BREAKS_OFF:
        return Returned((), "", "", "", automatic=True, report=False)


def _read(raw: bytes, own: Collection[str]) -> Returned:
    if raw.count(b"\n") > _MOST_LINES:
        raw = b"".join(raw.splitlines(keepends=True)[:_MOST_LINES])
    small = raw.lower()
    if small.count(b"boundary") > _MOST_BOUNDARIES or small.count(b"content-") > _MOST_CONTENTS:
        raise ValueError("too many parts")
    message = cast("EmailMessage", message_from_bytes(raw, policy=_POLICY))
    sender = _storable(_CONTROLS.sub("", parseaddr(_header(message, "From"))[1]))[:254]
    report = message.get_content_type() == "multipart/report" and any(part.get_content_type() == "message/delivery-status" for part in message.walk())
    return Returned(
        references=_references(message, report=report),
        sender=sender,
        subject=_storable(one_line(_header(message, "Subject")))[:SUBJECT_CHARACTERS],
        body=_CONTROLS.sub("", _text(message)).strip()[:BODY_CHARACTERS],
        automatic=report or _is_automatic(message, sender, own),
        report=report,
        fates=tuple(_fates(message)[:_MOST_FATES]) if report else (),
    )


def _is_automatic(message: EmailMessage, sender: str, own: Collection[str]) -> bool:
    """Whether an answer could start a loop, by RFC 3834 and by what machines are known to write."""
    submitted = _header(message, "Auto-Submitted").strip().lower()
    if submitted and submitted != "no":
        return True
    if _header(message, "Return-Path").strip() == "<>" or _header(message, "Precedence").strip().lower() in _BULK:
        return True
    if any(message[mark] is not None for mark in _MARKS) or message.get_content_type() == "multipart/report":
        return True
    return "@" not in sender or sender.lower() in own or _MACHINES.match(sender) is not None


def _references(message: EmailMessage, *, report: bool) -> tuple[str, ...]:
    """The ids it answers; of a report the returned letter's own, which stands in the part behind the status."""
    texts = [_header(message, "In-Reply-To"), _header(message, "References")]
    if report:
        texts += [_header(part, "Message-ID") for part in message.walk() if part is not message]
        texts += [_plain(part) for part in message.walk() if part.get_content_type() == "text/rfc822-headers"]
    return tuple(dict.fromkeys(_storable(_CONTROLS.sub("", found)) for text in texts for found in _ID.findall(text)))[:50]


def _fates(message: EmailMessage) -> list[Fate]:
    found: list[Fate] = []
    for part in message.walk():
        blocks = part.get_payload() if part.get_content_type() == "message/delivery-status" else None
        if not isinstance(blocks, list):
            continue
        for block in cast("Sequence[Message]", blocks):
            addresses = tuple(dict.fromkeys(_address(_header(block, name)) for name in ("Original-Recipient", "Final-Recipient") if block[name]))
            if addresses:
                words = " ".join(text for text in (_header(block, "Status"), _header(block, "Diagnostic-Code")) if text)
                found.append(Fate(addresses, _header(block, "Action").strip().lower() == "failed", _storable(one_line(words))[:_WORDS_CHARACTERS]))
    return found


def _address(field: str) -> str:
    """Of ``rfc822; a@b`` the address."""
    return (field.partition(";")[2] or field).strip().strip("<>").lower()


def _text(message: EmailMessage) -> str:
    try:
        part = message.get_body(("plain", "html"))
    except (AttributeError, KeyError, ValueError):
        return ""
    if part is None:
        return ""
    text = _plain(part)
    return _TAG.sub("", text) if part.get_content_type() == "text/html" else text


def _plain(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        charset = codecs.lookup(part.get_content_charset() or "utf-8").name
        return _storable(content.decode("utf-8" if charset in _NO_WRITING else charset, "replace"))
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def _storable(text: str) -> str:
    """`text` without halves of characters, which no database takes."""
    return text.encode("utf-8", "replace").decode()


def _header(message: Message, name: str) -> str:
    """A header's text; one that the parser chokes on is as good as none."""
    try:
        return str(message[name] or "")
    except _BREAKS_OFF:
        return ""

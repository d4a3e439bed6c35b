"""What the tests of the mail worker share: letters to send, and a worker over a test's database and clock."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from actions.letters import Draft, write_letters
from jobs.deliver_mail import Mailer
from jobs.parts import Parts, parts_of
from mail.compose import Text
from mail.smtp import Post
from models.database import transaction
from models.outbox import Letter, Recipient
from settings import Settings
from tests.clock import Clock


def parts_for(engine: Engine, clock: Clock, folder: Path, **settings: Any) -> Parts:
    chosen: dict[str, Any] = {"base_url": "http://127.0.0.1:8720", "secret_key": "a-secret-only-the-tests-know-0123456789", "state_dir": folder, **settings}
    parts = parts_of(Settings(**chosen), clock=clock, engine=engine)
    return replace(parts, limits=replace(parts.limits, late_mails_per_minute=0))


def mailer_for(parts: Parts, *, stop: threading.Event | None = None, seconds: float = 5.0) -> Mailer:
    sender = Post(parts.settings.smtp_url, seconds=seconds) if parts.settings.smtp_url else None
    return Mailer(parts, "test", stop or threading.Event(), sender=sender)


def write_many(engine: Engine, parts: Parts, count: int, *, cc: Sequence[str] = (), first: int = 0) -> None:
    """Letters number `first` and following, to n@tozai.example each, with their number as subject."""
    drafts = [
        Draft("answered", f"cause:{number}", Text(f"letter {number}", "本文です。\n"), [f"{number}@tozai.example"], cc)
        for number in range(first, first + count)
    ]
    with transaction(engine) as session:
        write_letters(session, drafts, desk=parts.desk, now=parts.clock())


def letter_states(engine: Engine) -> dict[str, int]:
    """How many letters are in each state."""
    with transaction(engine, readonly=True) as session:
        return {str(state): count for state, count in session.execute(select(Letter.state, func.count()).group_by(Letter.state))}


def recipient_states(engine: Engine) -> dict[str, str]:
    """The state of each address."""
    with transaction(engine, readonly=True) as session:
        return {address: str(state) for address, state in session.execute(select(Recipient.address, Recipient.state))}


def message_id(text: bytes) -> bytes:
    """The line of a text that the server took."""
    return next(line for line in text.splitlines() if line.lower().startswith(b"message-id:"))

"""Where letters stay when no mail server is configured: in the database, readable in the console."""

from __future__ import annotations

from collections.abc import Sequence

from mail.smtp import Answer, Meanwhile, Outcome, Post, Renew, Sender, Verdict

RECORDED = "recorded"


def _nothing() -> None:
    """Nothing to do meanwhile."""


class Recorder:
    """Accepts every letter and sends it nowhere."""

    def ready(self) -> None:
        """Always."""

    def send(self, mail: bytes, sender: str, recipients: Sequence[str], renew: Renew, meanwhile: Meanwhile = _nothing) -> Outcome:
        """Every recipient is accepted as recorded."""
        meanwhile()
        return Outcome(dict.fromkeys(recipients, Answer(Verdict.ACCEPTED, RECORDED)))

    def close(self) -> None:
        """Nothing is open."""


def open_sender(smtp_url: str) -> Sender:
    """The sender that the setting names: a server, or the recorder without one."""
    return Post(smtp_url) if smtp_url else Recorder()

"""Where letters stay when no mail server is configured: in the database, readable in the console."""

from __future__ import annotations

from mail.smtp import Answer, Outcome, Post, Sender, Verdict
from mail.talk import Company, Parcel

RECORDED = "recorded"


class Recorder:
    """Accepts every letter and sends it nowhere."""

    def ready(self) -> None:
        """Always."""

    def send(self, parcel: Parcel, sender: str, company: Company) -> Outcome:
        """Every recipient is accepted as recorded."""
        company.before_text()
        company.meanwhile()
        return Outcome(dict.fromkeys(parcel.recipients, Answer(Verdict.ACCEPTED, RECORDED)))

    def close(self) -> None:
        """Nothing is open."""


def open_sender(smtp_url: str) -> Sender:
    """The sender that the setting names: a server, or the recorder without one."""
    return Post(smtp_url) if smtp_url else Recorder()

"""Reading the sender's own mailbox: reports of other servers, and people's answers to notifications."""

from __future__ import annotations

from collections import Counter

import structlog

from actions.jobs import Broken, Counts, Run, confirm
from actions.returned_mail import take
from jobs.parts import Parts
from mail.compose import sender_address
from mail.mailbox import MailboxDown, Withheld, open_mailbox
from mail.returned import read_returned
from models.database import transaction

log = structlog.get_logger("jobs.read_mailbox")
_AT_ONCE = 200


def read_mailbox(parts: Parts, run: Run) -> Counts:
    """Take what is unseen; how many mails of each kind. A mail is marked as seen only when it is recorded: a fault leaves it there.

    One that the server does not hand out is left where it is, and hinders none behind it. Raises Broken when the mailbox cannot be read.
    """
    if not parts.settings.imap_url:
        return {}
    desk = parts.desk
    own = {address.lower() for address in (sender_address(desk.mail_from), desk.desk_address, desk.center_address)}
    counts: Counter[str] = Counter()
    try:
        with open_mailbox(parts.settings.imap_url) as mailbox:
            for fetched in mailbox.unseen(_AT_ONCE):
                if isinstance(fetched, Withheld):
                    log.warning("a mail cannot be fetched", key=fetched.key, answer=fetched.answer)
                    counts["unreadable"] += 1
                    continue
                returned = read_returned(fetched.raw, own=own)
                with transaction(parts.engine) as session:
                    confirm(session, run)
                    kind = take(session, fetched.key, returned, desk=desk, limits=parts.limits, now=parts.clock())
                mailbox.mark_seen(fetched)
                counts[str(kind) if kind else "known"] += 1
    except MailboxDown as fault:
        raise Broken(str(fault)) from fault
    return dict(counts)

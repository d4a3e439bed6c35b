"""The texts of mails: an administrator rewrites one, or sets it back to the one it came with. Every version is kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.journal import record
from mail.facts import CONTENTS
from mail.rewritten import check
from models.actors import Actor
from models.database import lock
from models.mail_templates import MailTemplate
from rules.refusal import Refused


def publish(session: Session, notice: str, subject: str, body: str, *, present: int, by: Actor, now: datetime) -> MailTemplate:
    """Let `notice` say this from now on; letters that wait already keep their text.

    `present` is the version the writer saw (0: none). Refuses what `mail.rewritten.check` refuses, and template_outdated.
    """
    _make_sure(session, notice, present)
    subject, body = subject.strip(), body.replace("\r\n", "\n").strip("\n") + "\n"
    check(notice, subject, body)
    return _add(session, "publish_mail_template", notice, subject, body, by, now)


def restore(session: Session, notice: str, *, present: int, by: Actor, now: datetime) -> MailTemplate:
    """Let `notice` say what it came with. Refuses template_outdated."""
    _make_sure(session, notice, present)
    return _add(session, "restore_mail_template", notice, "", "", by, now)


def _make_sure(session: Session, notice: str, present: int) -> None:
    if notice not in CONTENTS:
        raise ValueError(f"{notice} is no letter")
    lock(session, f"mail_template:{notice}")
    newest = session.scalar(select(MailTemplate.id).where(MailTemplate.notice == notice).order_by(MailTemplate.id.desc()).limit(1))
    if (newest or 0) != present:
        raise Refused("template_outdated")


def _add(session: Session, act: str, notice: str, subject: str, body: str, by: Actor, now: datetime) -> MailTemplate:
    version = MailTemplate(notice=notice, subject=subject, body=body, staff_id=by.id, staff_name=by.name, at=now)
    session.add(version)
    session.flush()
    record(session, act, "mail_template", version.id, by=by, now=now, subject_name=notice)
    return version

"""What the logs of a ticket's posts say of the device, beside what the ticket says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from console.thread import Post
from rules.logs import Fact, differs, facts_of
from rules.text import is_unknown


@dataclass(frozen=True)
class LogFact:
    """One fact of a post's logs; `differs` when the ticket names something else."""

    fact: Fact
    values: str
    differs: bool


def log_facts(posts: Iterable[Post], ticket: Row[Any]) -> dict[int, list[LogFact]]:
    """By post: only posts whose files said something."""
    stated = {Fact.SERIAL: ticket.matched_serial or ticket.serial_text, Fact.MODEL: ticket.model, Fact.OS_VERSION: ticket.os_version}
    told: dict[int, list[LogFact]] = {}
    for post in posts:
        if post.logs:
            found = facts_of(post.logs, ticket.family_id)
            told[post.id] = [LogFact(fact, "、".join(values), _is_other(values, stated[fact])) for fact, values in found.items()]
    return told


def _is_other(values: list[str], stated: str) -> bool:
    return bool(stated) and not is_unknown(stated) and differs(values, stated)

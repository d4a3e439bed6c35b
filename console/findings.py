"""Why a search found a ticket: where its words stand, in the subject, in the post, or in what else was compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session

from models.search import file_names
from models.search_hits import Sought
from rules.search import excerpt, marked, terms_of
from rules.text import searchable
from wording.catalog import N_, translate

Pieces = Sequence[tuple[str, bool]]
"""A text cut into pieces, each with whether it is a word that was looked for."""
_FACTS: Mapping[str, Sequence[str]] = {
    N_("保守契約番号"): ("contract_text", "contract_key"),
    N_("シリアル番号"): ("serial_text", "serial_key"),
    N_("会社名"): ("company_name", "contact_company"),
    N_("お名前"): ("person_name", "contact_name"),
    N_("メール"): ("email",),
    N_("電話番号"): ("contact_phone",),
}
"""What is compared beside subject, post and files; the first column of a fact that holds a word is shown."""
_compared_values = attrgetter(*(name for columns in _FACTS.values() for name in columns))
_FILE = N_("添付")


class Finding(NamedTuple):
    """Where the words of one hit stand."""

    number: Pieces
    subject: Pieces
    kind: str
    """Of the post that holds the words; "" where the ticket was found by its number."""
    post: Pieces
    facts: Sequence[tuple[str, Pieces]]
    """Names and values of whatever else holds a word."""


def findings(session: Session, rows: Sequence[Row[Any]], q: str, *, language: str) -> list[Finding]:
    """Of each hit (a row of `models.queue.found_rows`). Names of files are looked up only where a word stands nowhere else: one statement."""
    terms = terms_of(q)
    bodies = [searchable(row.post_body or "") for row in rows]
    unseen = [row.post_id for row, body in zip(rows, bodies, strict=True) if row.post_id and not _all_seen(row, body, terms)]
    names = file_names(session, unseen) if unseen else {}
    # Most hits hold the words in their posts alone: subjects and facts of the page are asked at once before each one is.
    titled = _holds_one("\n".join([row.subject for row in rows]), terms)
    held = _holds_one("\n".join([_facts_of(row) for row in rows]), terms)
    number = Sought(terms).number
    return [
        Finding(
            [(f"#{row.id}", row.id == number)],
            marked(row.subject, terms) if titled else [(row.subject, False)],
            row.post_kind or "",
            excerpt(row.post_body or "", terms, body),
            [*(_facts(row, terms, language) if held else ()), *_files(names.get(row.post_id, ()), terms, language)],
        )
        for row, body in zip(rows, bodies, strict=True)
    ]


def _facts(row: Row[Any], terms: Sequence[str], language: str) -> list[tuple[str, Pieces]]:
    if not _holds_one(_facts_of(row), terms):
        return []
    facts = [(label, _first_hit([getattr(row, name) for name in columns], terms)) for label, columns in _FACTS.items()]
    return [(translate(label, language), pieces) for label, pieces in facts if pieces]


def _files(names: Sequence[str], terms: Sequence[str], language: str) -> list[tuple[str, Pieces]]:
    return [(translate(_FILE, language), marked(name, terms)) for name in names if _holds_one(name, terms)]


def _all_seen(row: Row[Any], body: str, terms: Sequence[str]) -> bool:
    others = [term for term in terms if term not in body]
    if not others:
        return True
    texts = searchable(f"{row.subject}\n{_facts_of(row)}")
    return all(term in texts for term in others)


def _facts_of(row: Row[Any]) -> str:
    return "\n".join([value for value in _compared_values(row) if value])


def _first_hit(texts: Sequence[str | None], terms: Sequence[str]) -> Pieces:
    return next((marked(text, terms) for text in texts if text and _holds_one(text, terms)), ())


def _holds_one(text: str, terms: Sequence[str]) -> bool:
    compared = searchable(text)
    return any(term in compared for term in terms)

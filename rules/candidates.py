"""Which contract a ticket may be about: the lines that speak for themselves, ranked by what speaks for them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from rules.contracts import LineState, line_state
from rules.near import is_near
from rules.text import fold_key

MOST_CANDIDATES = 10
_TOKEN = re.compile(r"[A-Z0-9][A-Z0-9_./-]{4,39}")
_MOST_TOKENS = 300
_READ = 20_000
"""Characters of a post in which serials are looked for."""


class Clue(StrEnum):
    """Why a line may be meant, the strongest first."""

    SERIAL = "serial"
    SERIAL_LOGGED = "serial_logged"
    """A log that is attached says it of itself (`rules.logs`)."""
    SERIAL_WRITTEN = "serial_written"
    """Its serial stands in the subject or a post."""
    SERIAL_NEAR = "serial_near"
    CONTRACT = "contract"
    CONTRACT_NEAR = "contract_near"
    ACCOUNT = "account"
    """On a certificate with the account's maintenance e-mail."""
    MODEL = "model"
    PRODUCT = "product"
    ACTIVE = "active"


_WEIGHTS = {
    Clue.SERIAL: 100,
    Clue.SERIAL_LOGGED: 90,
    Clue.SERIAL_WRITTEN: 80,
    Clue.SERIAL_NEAR: 60,
    Clue.CONTRACT: 50,
    Clue.CONTRACT_NEAR: 40,
    Clue.ACCOUNT: 20,
    Clue.MODEL: 10,
    Clue.PRODUCT: 6,
    Clue.ACTIVE: 3,
}


@dataclass(frozen=True)
class PossibleLine:
    id: int
    certificate_id: int
    contract_key: str
    serial: str
    product_number: str
    family_id: int
    starts_on: date
    ends_on: date
    of_account: bool


@dataclass(frozen=True)
class Evidence:
    """What a ticket says of its device; keys folded, upper-case."""

    contract: str
    """"" for 不明."""
    serials: tuple[str, ...]
    model: str
    family_id: int
    written: frozenset[str]
    """`tokens_of` the subject and the customer's posts."""
    today: date
    logged: frozenset[str] = frozenset()
    """The serials in its logs, folded."""


@dataclass(frozen=True)
class Candidate:
    line: PossibleLine
    clues: tuple[Clue, ...]

    @property
    def weight(self) -> int:
        """How much speaks for it."""
        return sum(_WEIGHTS[clue] for clue in self.clues)


def tokens_of(texts: Iterable[str]) -> frozenset[str]:
    """What in `texts` could be a serial: runs of letters and digits with a digit among them, the first 300."""
    found: dict[str, None] = {}
    for text in texts:
        for token in _TOKEN.findall(fold_key(text[:_READ])):
            if any(sign.isdigit() for sign in token):
                found.setdefault(token.rstrip("._/-"))
                if len(found) == _MOST_TOKENS:
                    return frozenset(found)
    return frozenset(found)


def rank(lines: Iterable[PossibleLine], evidence: Evidence, *, most: int = MOST_CANDIDATES) -> list[Candidate]:
    """One candidate for each contract and serial, the likeliest first; what only belongs to the account counts, what only is valid does not."""
    best: dict[tuple[str, str], Candidate] = {}
    for line in lines:
        found = Candidate(line, clues_of(line, evidence))
        key = (line.contract_key, line.serial)
        if set(found.clues) - {Clue.ACTIVE, Clue.PRODUCT, Clue.MODEL} and (key not in best or best[key].weight < found.weight):
            best[key] = found
    return sorted(best.values(), key=lambda one: (-one.weight, one.line.contract_key, one.line.serial))[:most]


def clues_of(line: PossibleLine, evidence: Evidence) -> tuple[Clue, ...]:
    """What speaks for a line, the strongest first."""
    told = {
        Clue.SERIAL: bool(line.serial) and line.serial in evidence.serials,
        Clue.SERIAL_LOGGED: bool(line.serial) and line.serial in evidence.logged,
        Clue.SERIAL_WRITTEN: bool(line.serial) and line.serial in evidence.written and line.serial not in evidence.serials,
        Clue.SERIAL_NEAR: bool(line.serial) and any(is_near(typed, line.serial) for typed in evidence.serials),
        Clue.CONTRACT: line.contract_key == evidence.contract,
        Clue.CONTRACT_NEAR: bool(evidence.contract) and is_near(evidence.contract, line.contract_key),
        Clue.ACCOUNT: line.of_account,
        Clue.MODEL: _is_model(evidence.model, line.product_number),
        Clue.PRODUCT: line.family_id == evidence.family_id,
        Clue.ACTIVE: line_state(line.starts_on, line.ends_on, evidence.today) is LineState.ACTIVE,
    }
    return tuple(clue for clue, holds in told.items() if holds)


def slips(typed: Collection[str], real: str) -> str:
    """The one of the typed keys that `real` is a slip away from, "" for none."""
    return next((one for one in typed if is_near(one, real)), "")


def _is_model(typed: str, product_number: str) -> bool:
    model = fold_key(typed)
    return bool(model) and (product_number.startswith(model) or model.startswith(product_number))

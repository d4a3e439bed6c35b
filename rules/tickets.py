"""Tickets: states and their moves, the answer clock, the CC list, what a ticket must say (DOMAIN, "Tickets")."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from rules.addresses import Address, is_under, parse_address, registrable, split_addresses
from rules.placeholders import check_filled
from rules.refusal import Refused
from rules.text import fold, fold_key


class State(StrEnum):
    NEW = "new"
    OPEN = "open"
    WAITING_CUSTOMER = "waiting_customer"
    WAITING_VENDOR = "waiting_vendor"
    WAITING_CENTER = "waiting_center"
    RESOLVED = "resolved"
    CLOSED = "closed"


class CustomerState(StrEnum):
    """What a customer sees of a state: who in the house works on it is nobody else's business."""

    RECEIVED = "received"
    IN_PROGRESS = "in_progress"
    WAITING_REPLY = "waiting_reply"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Priority(StrEnum):
    """The staff's own; customers never see it."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


MOVES: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.NEW: frozenset({State.OPEN, State.RESOLVED, State.CLOSED}),
        State.OPEN: frozenset({State.WAITING_CUSTOMER, State.WAITING_VENDOR, State.WAITING_CENTER, State.RESOLVED, State.CLOSED}),
        State.WAITING_CUSTOMER: frozenset({State.OPEN, State.RESOLVED, State.CLOSED}),
        State.WAITING_VENDOR: frozenset({State.OPEN, State.WAITING_CUSTOMER, State.RESOLVED}),
        State.WAITING_CENTER: frozenset({State.OPEN, State.RESOLVED}),
        State.RESOLVED: frozenset({State.OPEN, State.CLOSED}),
        State.CLOSED: frozenset(),
    }
)
CUSTOMER_STATES: Mapping[State, CustomerState] = MappingProxyType(
    {
        State.NEW: CustomerState.RECEIVED,
        State.OPEN: CustomerState.IN_PROGRESS,
        State.WAITING_CUSTOMER: CustomerState.WAITING_REPLY,
        State.WAITING_VENDOR: CustomerState.IN_PROGRESS,
        State.WAITING_CENTER: CustomerState.IN_PROGRESS,
        State.RESOLVED: CustomerState.RESOLVED,
        State.CLOSED: CustomerState.CLOSED,
    }
)
CLOCK_STOPS = frozenset({State.WAITING_CUSTOMER, State.WAITING_VENDOR, State.WAITING_CENTER, State.RESOLVED, State.CLOSED})
"""States in which the clock of the next answer stands."""
ENDED = frozenset({State.RESOLVED, State.CLOSED})
TARGET_HOURS: Mapping[Priority, int] = MappingProxyType({Priority.URGENT: 1, Priority.HIGH: 2, Priority.NORMAL: 4, Priority.LOW: 8})

FIELD_CHARACTERS: Mapping[str, int] = MappingProxyType({"subject": 300, "contract_key": 200, "serial": 200, "model": 120, "os_version": 120})
_REQUIRED = {
    "subject": "subject_empty",
    "contract_key": "contract_text_empty",
    "serial": "serial_text_empty",
    "category": "category_empty",
    "body": "body_empty",
}
_SHOWN_PIECE = 80


@dataclass(frozen=True)
class TicketText:
    """What a customer typed into a new ticket; kept as written."""

    subject: str
    contract_key: str
    serial: str
    category: str
    body: str
    model: str = ""
    os_version: str = ""


@dataclass(frozen=True)
class CcList:
    """A ticket's CC as it will be mailed, and what was tidied on the way."""

    addresses: tuple[Address, ...] = ()
    dropped_own: tuple[str, ...] = ()
    """The account's own address, which gets the mail anyway."""
    merged: tuple[str, ...] = ()
    """Addresses typed more than once."""
    outside: tuple[str, ...] = ()
    """Values of `addresses` at another company's domain: 社外."""

    @property
    def values(self) -> tuple[str, ...]:
        """The addresses as mailed to."""
        return tuple(address.value for address in self.addresses)


def check_move(frm: State, to: State) -> None:
    """Refuse state_move(frm, to) unless the table allows the move; staying is always allowed."""
    if frm is not to and to not in MOVES[frm]:
        raise Refused("state_move", "state", frm=frm, to=to)


def after_customer_post(state: State) -> State:
    """The state after the customer wrote. A closed ticket takes no post: it opens a follow-up (`takes_posts`)."""
    return State.OPEN if state in (State.WAITING_CUSTOMER, State.RESOLVED) else state


def after_answer(state: State, chosen: State | None = None) -> State:
    """The state from an answer's publication on; `chosen` is what its author picked. Refuses state_move(frm, to)."""
    answered = State.OPEN if state is State.NEW else state
    if chosen is None or chosen is state:
        return answered
    check_move(answered, chosen)
    return chosen


def after_assignment(state: State) -> State:
    """The state after somebody took the ticket."""
    return State.OPEN if state is State.NEW else state


def takes_posts(state: State) -> bool:
    """Whether a post joins this ticket; otherwise it opens a follow-up ticket linked to it."""
    return state is not State.CLOSED


def customer_state(state: State) -> CustomerState:
    """What the customer is told of `state`."""
    return CUSTOMER_STATES[state]


def clock_runs(state: State, *, answered: bool) -> bool:
    """Whether the answer clock runs. Before the first answer only the customer's silence or the end stops it:
    asking the vendor is no reason to leave a customer without a word."""
    if answered:
        return state not in CLOCK_STOPS
    return state is not State.WAITING_CUSTOMER and state not in ENDED


def parse_cc(typed: str, *, own: Address, maintenance: Address, own_domains: Collection[str], shared_domains: Collection[str], most: int) -> CcList:
    """The CC list that people typed, separated by ``,`` ``、`` ``，`` or line ends.

    `own` and `maintenance` are the account's addresses, `own_domains` J's, `most` the number allowed after tidying.
    Refuses at cc: cc_form(x), cc_own_domain(x), cc_many(max, n, over).
    """
    kept: dict[str, Address] = {}
    merged: list[str] = []
    dropped: list[str] = []
    for piece in split_addresses(typed):
        address = _cc_address(piece, own_domains)
        if address.key == own.key:
            dropped.append(address.value)
        elif address.key in kept:
            merged.append(address.value)
        else:
            kept[address.key] = address
    if len(kept) > most:
        raise Refused("cc_many", "cc", max=most, n=len(kept), over=len(kept) - most)
    outside = tuple(address.value for address in kept.values() if is_outside(address, own, maintenance, shared_domains))
    return CcList(tuple(kept.values()), tuple(dict.fromkeys(dropped)), tuple(dict.fromkeys(merged)), outside)


def carry_cc(typed: Sequence[str], *, seen: Sequence[str], present: Sequence[str]) -> tuple[str, ...]:
    """The CC where somebody made `typed` of the `seen` one while others made it the `present` one: what each of them added or took out holds."""
    if list(present) == list(seen):
        return tuple(typed)
    shown, wanted = ({address.lower() for address in some} for some in (seen, typed))
    kept = [address for address in present if address.lower() not in shown - wanted]
    there = {address.lower() for address in kept}
    return (*kept, *(address for address in typed if address.lower() not in shown | there))


def is_outside(address: Address, own: Address, maintenance: Address, shared_domains: Collection[str]) -> bool:
    """Whether `address` is 社外: at another registrable domain, or at a shared one and not the account's own two."""
    if address.key in (own.key, maintenance.key):
        return False
    return is_under(address.host, shared_domains) or registrable(address.host) != registrable(own.host)


def check_ticket(text: TicketText, *, categories: Collection[str], body_characters: int) -> list[Refused]:
    """All that is wrong with a new ticket, in the order of the form, one refusal a field.

    Codes: subject_empty, contract_text_empty, serial_text_empty, category_empty, body_empty, text_long(max, n).
    不明 is a legal contract and serial; a contract of any kind never blocks a ticket.
    """
    longest = {**FIELD_CHARACTERS, "body": body_characters}
    faults: list[Refused] = []
    for field in ("contract_key", "serial", "model", "os_version", "subject", "category", "body"):
        value: str = getattr(text, field)
        if field in _REQUIRED and not fold(value):
            faults.append(Refused(_REQUIRED[field], field))
        elif field == "category" and value not in categories:
            faults.append(Refused("category_empty", field))
        elif (length := _length(field, value)) > longest.get(field, length):
            faults.append(Refused("text_long", field, max=longest[field], n=length))
    return faults


def _length(field: str, value: str) -> int:
    """The characters of a value; of keys as they are looked up too, for one sign may fold into several letters."""
    return max(len(value), len(fold_key(value))) if field in ("contract_key", "serial") else len(value)


def check_post(body: str, *, has_files: bool, body_characters: int, complete: bool = False, takes_files: bool = True) -> None:
    """A reply, answer or note needs a text or a file; `complete` ones hold no place that a canned text left open.

    Refuses at body: post_empty (words_empty where no file could stand for it), text_long(max, n), placeholder_left(name).
    """
    if not fold(body) and not has_files:
        raise Refused("post_empty" if takes_files else "words_empty", "body")
    if len(body) > body_characters:
        raise Refused("text_long", "body", max=body_characters, n=len(body))
    if complete:
        check_filled(body)


def _cc_address(piece: str, own_domains: Collection[str]) -> Address:
    shown = piece[:_SHOWN_PIECE]
    try:
        address = parse_address(piece, "cc")
    except Refused as refused:
        raise Refused("cc_form", "cc", x=shown) from refused
    if is_under(address.host, own_domains):
        raise Refused("cc_own_domain", "cc", x=shown)
    return address

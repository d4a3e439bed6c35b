"""定型文 and 定型アクション: what one must be, and the state that a macro leaves a ticket in."""

from __future__ import annotations

from rules.placeholders import unknown_place
from rules.refusal import Refused
from rules.text import one_line
from rules.tickets import State, after_answer, after_assignment, check_move, takes_posts

NAME_CHARACTERS = 60


def check_canned(name: str, body: str, *, most: int, needs_text: bool = True) -> tuple[str, str]:
    """(name, text) of a canned text as kept.

    Refuses at name: name_empty, name_long; at body: canned_empty, text_long, placeholder_unknown(name).
    """
    name, body = one_line(name), body.replace("\r\n", "\n").strip("\n")
    if not name:
        raise Refused("name_empty", "name")
    if len(name) > NAME_CHARACTERS:
        raise Refused("name_long", "name", max=NAME_CHARACTERS, n=len(name))
    if needs_text and not body.strip():
        raise Refused("canned_empty", "body")
    if len(body) > most:
        raise Refused("text_long", "body", max=most, n=len(body))
    unknown = unknown_place(body)
    if unknown is not None:
        raise Refused("placeholder_unknown", "body", name=unknown)
    return name, body


def outcome(state: State, *, assigns: bool, answers: bool, wanted: State | None) -> State:
    """The state that a macro leaves a ticket in. Refuses answer_closed at body, state_move(frm, to)."""
    begun = after_assignment(state) if assigns else state
    if answers:
        if not takes_posts(begun):
            raise Refused("answer_closed", "body")
        return after_answer(begun, wanted)
    if wanted is not None:
        check_move(begun, wanted)
    return wanted or begun

"""Every state and role has its word, and the words are those of the house."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import pytest

from models.contracts import PartyRole
from models.imports import BatchState
from models.outbox import LetterState, RecipientState
from models.people import AccountState
from models.tickets import MessageKind
from rules.calendar import Closed, ClosedReason
from rules.contracts import LineState, Reason, Verdict
from rules.registration import Rule, Why
from rules.rights import Role
from rules.tickets import Priority, State
from wording import labels

WORDS: list[tuple[type[StrEnum], Callable[[str], str]]] = [
    (State, labels.state),
    (State, labels.customer_state_of),
    (Priority, labels.priority),
    (Role, labels.role),
    (PartyRole, labels.party_role),
    (Verdict, labels.verdict),
    (Reason, labels.reason),
    (LineState, labels.line_state),
    (Rule, labels.rule),
    (Why, labels.why),
    (MessageKind, labels.message_kind),
    (AccountState, labels.account_state),
    (LetterState, labels.letter_state),
    (RecipientState, labels.recipient_state),
    (BatchState, labels.batch_state),
]


@pytest.mark.parametrize(("codes", "word"), WORDS)
def test_every_code_has_a_word_by_its_member_and_by_its_stored_text(codes: type[StrEnum], word: Callable[[str], str]) -> None:
    assert all(word(code) for code in codes)
    assert all(word(code.value) == word(code) for code in codes)


@pytest.mark.parametrize(
    ("state", "staff", "customer"),
    [
        ("new", "新規", "受付済み"),
        ("open", "対応中", "対応中"),
        ("waiting_customer", "お客様確認待ち", "お客様のご返信待ち"),
        ("waiting_vendor", "メーカー確認中", "対応中"),
        ("waiting_center", "契約確認中", "対応中"),
        ("resolved", "解決済み", "解決済み"),
        ("closed", "終了", "終了"),
    ],
)
def test_staff_and_customers_read_the_words_of_the_table(state: str, staff: str, customer: str) -> None:
    assert (labels.state(state), labels.customer_state_of(state)) == (staff, customer)


def test_a_code_of_nobodys_list_is_a_fault() -> None:
    with pytest.raises(ValueError, match="elsewhere"):
        labels.state("elsewhere")
    with pytest.raises(KeyError):
        labels.recipient_state("elsewhere")


def test_a_closed_day_is_called_by_its_holiday_or_its_kind() -> None:
    assert labels.closed(ClosedReason(Closed.HOLIDAY, "勤労感謝の日")) == "勤労感謝の日"
    assert [labels.closed(ClosedReason(kind)) for kind in Closed] == ["土日", "祝日", "年末年始", "休業日", "定休日"]


def test_every_field_has_a_label() -> None:
    assert labels.field("maintenance_email") == "保守登録メール"
    assert labels.field("something_else") == "入力欄"

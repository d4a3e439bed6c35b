"""Contract keys, what they are called, and which lines the desk answers for."""

from __future__ import annotations

from datetime import date

import pytest

from rules.contracts import (
    CONTACT,
    LAST_NUMBERED_DAY,
    LineState,
    eligible,
    has_late_mailbox,
    line_state,
    lookup_contract,
    lookup_serials,
    parse_contract_key,
)
from rules.refusal import Refused

MAILBOXES = frozenset({"ns_support@jscom.co.jp", "j2-support@jscom.co.jp"})


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("JSC26040123A", "JSC26040123A"),
        ("ｊｓｃ２６０４０１２３ａ", "JSC26040123A"),
        (" sd-000000-h\u3000", "SD-000000-H"),
        ("SD－000000ーH", "SD-000000-H"),
        ("a_b.c/d-1", "A_B.C/D-1"),
    ],
)
def test_a_contract_key_is_made_half_width_and_upper_case(typed: str, key: str) -> None:
    assert parse_contract_key(typed) == key


@pytest.mark.parametrize(
    ("typed", "code", "facts"),
    [
        ("", "contract_key_empty", {}),
        ("\u3000", "contract_key_empty", {}),
        ("JSC%", "contract_key_characters", {"c": "%"}),
        ("JSC' OR 1", "contract_key_characters", {"c": "'"}),
        ("JSC 1", "contract_key_characters", {"c": " "}),
        ("契約一", "contract_key_characters", {"c": "契"}),
        ("不明", "contract_key_characters", {"c": "不"}),
        ("JSC\u200b1", "contract_key_invisible", {}),
        ("JSC\x001", "contract_key_invisible", {}),
        ("J" * 81, "contract_key_long", {"max": 80, "n": 81}),
    ],
)
def test_what_is_no_contract_key_is_refused_with_its_reason(typed: str, code: str, facts: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        parse_contract_key(typed)

    assert (refused.value.code, refused.value.field, refused.value.facts) == (code, "contract_key", facts)


def test_certificates_carry_a_number_until_2018_and_a_name_from_2019() -> None:
    assert date(2018, 12, 31) <= LAST_NUMBERED_DAY < date(2019, 1, 1)


@pytest.mark.parametrize(
    ("starts_on", "contact", "answered_for"),
    [
        (date(2014, 7, 1), CONTACT, True),
        (date(2026, 4, 1), CONTACT, True),
        (date(2014, 6, 30), CONTACT, False),
        (date(2014, 6, 30), "ns_support@jscom.co.jp", True),
        (date(2014, 7, 31), "ns_support@jscom.co.jp", True),
        (date(2014, 7, 1), "j2-support@jscom.co.jp", True),
        (date(2014, 8, 1), "ns_support@jscom.co.jp", False),
        (date(2014, 6, 30), "j2_support@jscom.co.jp", False),
        (date(2014, 7, 15), "", False),
        (date(2026, 4, 1), "サポートサイト", False),
    ],
)
def test_the_desk_answers_for_lines_by_their_start_and_contact(starts_on: date, contact: str, answered_for: bool) -> None:
    assert eligible(starts_on, contact, MAILBOXES) is answered_for


@pytest.mark.parametrize("contact", ["J’s チケットシステム", "j's　チケットシステム", "Ｊ'ｓチケットシステム", " J′s  ﾁｹｯﾄｼｽﾃﾑ "])
def test_the_contact_is_recognised_however_it_was_typed(contact: str) -> None:
    assert eligible(date(2026, 4, 1), contact, MAILBOXES)


def test_an_old_mailbox_is_recognised_however_it_was_typed() -> None:
    assert eligible(date(2013, 4, 1), " NS_Support＠jscom.co.jp", MAILBOXES)


def test_only_a_line_after_july_2014_with_an_old_mailbox_is_warned_of() -> None:
    assert has_late_mailbox(date(2014, 8, 1), "ns_support@jscom.co.jp", MAILBOXES)
    assert not has_late_mailbox(date(2014, 7, 31), "ns_support@jscom.co.jp", MAILBOXES)
    assert not has_late_mailbox(date(2014, 8, 1), CONTACT, MAILBOXES)


def test_a_line_covers_its_first_and_its_last_day() -> None:
    starts_on, ends_on = date(2026, 4, 1), date(2027, 3, 31)

    assert line_state(starts_on, ends_on, date(2026, 3, 31)) is LineState.NOT_STARTED
    assert line_state(starts_on, ends_on, date(2026, 4, 1)) is LineState.ACTIVE
    assert line_state(starts_on, ends_on, date(2027, 3, 31)) is LineState.ACTIVE
    assert line_state(starts_on, ends_on, date(2027, 4, 1)) is LineState.ENDED


@pytest.mark.parametrize(("typed", "key"), [("jsc26040123a", "JSC26040123A"), ("不明", None), ("", None), ("分かりません", None)])
def test_a_tickets_contract_is_looked_up_by_its_key(typed: str, key: str | None) -> None:
    assert lookup_contract(typed) == key


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("cv4126af0093", ("CV4126AF0093",)),
        ("ＣＶ１、cv2, CV1\nCV3", ("CV1", "CV2", "CV3")),
        ("不明", ()),
        ("", ()),
    ],
)
def test_a_tickets_serials_are_looked_up_one_by_one(typed: str, keys: tuple[str, ...]) -> None:
    assert lookup_serials(typed) == keys

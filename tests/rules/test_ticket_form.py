"""What a new ticket must say, and its CC list."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.addresses import parse_address
from rules.refusal import Refused
from rules.tickets import CcList, TicketText, check_post, check_ticket, parse_cc

TEXT = TicketText(subject="VPN が切断される", contract_key="JSC26050233A", serial="CV4126AF0093", category="障害", body="本日 9 時ごろから……")
CATEGORIES = {"障害", "その他"}


def _faults(text: TicketText) -> list[tuple[str | None, str]]:
    return [(fault.field, fault.code) for fault in check_ticket(text, categories=CATEGORIES, body_characters=1000)]


def _cc(typed: str, *, own: str = "tanaka@example.co.jp", most: int = 10) -> CcList:
    return parse_cc(
        typed, own=parse_address(own), maintenance=parse_address("kiban@example.co.jp"), own_domains={"jscom.co.jp"}, shared_domains={"gmail.com"}, most=most
    )


def test_a_full_ticket_passes() -> None:
    assert _faults(TEXT) == []


def test_fumei_is_a_legal_contract_and_serial() -> None:
    assert _faults(replace(TEXT, contract_key="不明", serial="不明")) == []


def test_a_contract_that_no_certificate_can_have_never_blocks_a_ticket() -> None:
    assert _faults(replace(TEXT, contract_key="旧システムの契約（番号は失念）")) == []


def test_everything_missing_is_told_in_the_order_of_the_form() -> None:
    assert _faults(TicketText("", "\u3000", " ", "", "\n")) == [
        ("contract_key", "contract_text_empty"),
        ("serial", "serial_text_empty"),
        ("subject", "subject_empty"),
        ("category", "category_empty"),
        ("body", "body_empty"),
    ]


def test_a_category_of_nobodys_list_is_none() -> None:
    assert _faults(replace(TEXT, category="昔の分類")) == [("category", "category_empty")]


@pytest.mark.parametrize(("field", "most"), [("subject", 300), ("contract_key", 200), ("serial", 200), ("model", 120), ("os_version", 120), ("body", 1000)])
def test_the_longest_text_passes_and_one_character_more_does_not(field: str, most: int) -> None:
    assert _faults(replace(TEXT, **{field: "あ" * most})) == []
    assert _faults(replace(TEXT, **{field: "あ" * (most + 1)})) == [(field, "text_long")]


def test_a_post_needs_a_text_or_a_file() -> None:
    check_post("了解しました。", has_files=False, body_characters=1000)
    check_post("", has_files=True, body_characters=1000)

    with pytest.raises(Refused, match="post_empty"):
        check_post(" \n\u3000", has_files=False, body_characters=1000)
    with pytest.raises(Refused, match="words_empty"):
        check_post("", has_files=False, body_characters=1000, takes_files=False)
    with pytest.raises(Refused, match="text_long"):
        check_post("あ" * 1001, has_files=True, body_characters=1000)


def test_cc_addresses_are_separated_as_people_write_them() -> None:
    assert _cc("a@example.co.jp, b@example.co.jp、c@example.co.jp，ｄ@example.co.jp\r\ne@example.co.jp").values == tuple(
        f"{name}@example.co.jp" for name in "abcde"
    )
    assert _cc(" \n") == CcList()


def test_duplicates_are_merged_and_the_own_address_dropped_with_a_note() -> None:
    cc = _cc("A@example.co.jp, a@example.co.jp, Tanaka@example.co.jp, kiban@example.co.jp")

    assert cc.values == ("A@example.co.jp", "kiban@example.co.jp")
    assert cc.merged == ("a@example.co.jp",)
    assert cc.dropped_own == ("Tanaka@example.co.jp",)


def test_addresses_of_other_companies_are_marked_outside() -> None:
    cc = _cc("a@sub.example.co.jp, b@vendor.example.com, c@gmail.com")

    assert cc.outside == ("b@vendor.example.com", "c@gmail.com")


def test_on_a_shared_domain_everybody_else_is_outside() -> None:
    assert _cc("suzuki@gmail.com, kiban@example.co.jp", own="tanaka@gmail.com").outside == ("suzuki@gmail.com",)


@pytest.mark.parametrize("bad", ["suzuki", "x@y", "Bcc: z@example.com", "g:a@b.example;", "a@x.example;b@x.example", "<a@x.example>"])
def test_one_bad_address_is_named(bad: str) -> None:
    with pytest.raises(Refused) as refused:
        _cc(f"a@example.co.jp\n{bad}")

    assert (refused.value.code, refused.value.field, refused.value.facts) == ("cc_form", "cc", {"x": bad})


def test_our_own_addresses_are_no_cc() -> None:
    with pytest.raises(Refused) as refused:
        _cc("sato@support.jscom.co.jp")

    assert (refused.value.code, refused.value.facts) == ("cc_own_domain", {"x": "sato@support.jscom.co.jp"})


def test_ten_addresses_pass_and_eleven_do_not() -> None:
    ten = ",".join(f"a{number}@example.co.jp" for number in range(10))

    assert len(_cc(f"{ten}, a1@example.co.jp, tanaka@example.co.jp").addresses) == 10
    with pytest.raises(Refused) as refused:
        _cc(f"{ten}, b@example.co.jp, c@example.co.jp")
    assert (refused.value.code, refused.value.facts) == ("cc_many", {"max": 10, "n": 12, "over": 2})


def test_a_key_is_as_long_as_what_it_folds_into() -> None:
    (fault,) = check_ticket(replace(TEXT, serial="ﬃ" * 67), categories=CATEGORIES, body_characters=1000)

    assert (fault.field, fault.code, fault.facts) == ("serial", "text_long", {"max": 200, "n": 201})

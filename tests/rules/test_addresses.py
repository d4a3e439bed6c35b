"""One strict reading of an e-mail address: repaired, or refused with the reason."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules.addresses import parse_address, split_addresses, unicode_host
from rules.refusal import Refused


@pytest.mark.parametrize(
    "typed",
    [
        "a@example.co.jp",
        "  a@example.co.jp\t",
        "\u3000a@example.co.jp\u3000",
        "a@example.co.jp\r\n",
        "ａ@ｅｘａｍｐｌｅ.co.jp",
        "a＠example．co．jp",
        "a@EXAMPLE.CO.JP",
    ],
)
def test_what_people_paste_is_repaired(typed: str) -> None:
    assert parse_address(typed).value == "a@example.co.jp"


def test_the_local_part_is_kept_as_typed_and_compared_regardless_of_case() -> None:
    address = parse_address("Taro.Yamada+Desk@Example.co.jp")

    assert address.value == "Taro.Yamada+Desk@example.co.jp"
    assert address.key == "taro.yamada+desk@example.co.jp"
    assert (address.local, address.host) == ("Taro.Yamada+Desk", "example.co.jp")


def test_a_pasted_hyphen_of_another_kind_becomes_a_hyphen() -> None:
    assert parse_address("j2‐support@ex−ample.co.jp").value == "j2-support@ex-ample.co.jp"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "address_empty"),
        (" \u3000", "address_empty"),
        ("taro", "address_no_at"),
        ("太郎", "address_no_at"),
        ("a@example,co.jp", "address_comma"),
        ("a b@example.co.jp", "address_blank"),
        ("a\u3000b@example.co.jp", "address_blank"),
        ("a@exam\nple.co.jp", "address_blank"),
        ("x@y.example\r\nBcc: z@example.com", "address_blank"),
        ("a\u200b@example.co.jp", "address_invisible"),
        ("a@example.co.jp\u200b", "address_invisible"),
        ("\ufeffa@example.co.jp", "address_invisible"),
        ("a@example\u00ad.co.jp", "address_invisible"),
        ("a\x00@example.co.jp", "address_invisible"),
        ("a\u202e@example.co.jp", "address_invisible"),
        ("a@example.co.jp.", "address_trailing_dot"),
        ("a@example.co.jp。", "address_trailing_dot"),
        ("a@example.co.jp｡", "address_trailing_dot"),
        ("a@example。co。jp", "address_not_ascii"),
        ("a@ex\u0430mple.co.jp", "address_not_ascii"),
        ("a@例え.jp", "address_not_ascii"),
        ("太郎@example.co.jp", "address_not_ascii"),
        ('"a@evil.example"@example.co.jp', "address_form"),
        ('"a"@example.co.jp', "address_form"),
        ("a@evil.example(@example.co.jp)", "address_form"),
        ("a(c)@example.co.jp", "address_form"),
        ("<a@evil.example>b@example.co.jp", "address_form"),
        ("<a@example.co.jp>", "address_form"),
        ("@evil.example:a@example.co.jp", "address_form"),
        ("a@evil.example,b@example.co.jp", "address_form"),
        ("a@x.example;b@example.co.jp", "address_form"),
        ("g:a@b.example;", "address_form"),
        ("=?utf-8?q?a=40evil.example=3e=00?=@example.co.jp", "address_form"),
        ("a%evil.example@example.co.jp", "address_form"),
        ("a!evil@example.co.jp", "address_form"),
        ("a\\b@example.co.jp", "address_form"),
        ("a,b@example.co.jp", "address_form"),
        (".a@docomo.ne.jp", "address_form"),
        ("a.@docomo.ne.jp", "address_form"),
        (".a..b@docomo.ne.jp", "address_form"),
        ("a..b@docomo.ne.jp", "address_form"),
        ("@example.co.jp", "address_form"),
        ("a@", "address_form"),
        ("a@@example.co.jp", "address_form"),
        ("a@example..co.jp", "address_form"),
        ("a@.example.co.jp", "address_form"),
        ("a@ex_ample.co.jp", "address_form"),
        ("a@-example.co.jp", "address_host"),
        ("a@example-.co.jp", "address_host"),
        ("a@192.168.0.1", "address_host"),
        ("a@[127.0.0.1]", "address_host"),
        ("a@[IPv6:::1]", "address_host"),
        ("a@localhost", "address_host"),
        ("a@x.localhost", "address_host"),
        ("a@x.local", "address_host"),
        ("a@example.invalid", "address_host"),
        ("a@co.jp", "address_host"),
        ("a@jp", "address_host"),
        ("a@kawasaki.jp", "address_host"),
        ("a@kyoto.jp", "address_host"),
        ("a@sakura.ne.jp", "address_host"),
        ("a@unknowntop", "address_host"),
        ("a@xn--99999999999.jp", "address_host"),
    ],
)
def test_what_is_no_address_is_refused_with_its_reason(typed: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_address(typed, "maintenance_email")

    assert (refused.value.code, refused.value.field) == (code, "maintenance_email")


def test_the_refusal_names_the_sign_and_the_domain() -> None:
    assert _facts("a@example。co.jp") == {"c": "。"}
    assert _facts("a@example.co.jp。") == {"sign": "。"}
    assert _facts("a@LOCALHOST") == {"host": "localhost"}
    assert _facts("a@example,co.jp") == {"host": "example,co.jp"}


def test_the_lengths_of_rfc_5321_are_kept() -> None:
    local, label = "a" * 64, "b" * 63
    longest = f"{local}@{label}.{label}.{'c' * 58}.jp"
    assert len(longest) == 254

    assert parse_address(longest).value == longest
    assert parse_address(f"{local}@{label}.jp").local == local
    for too_long in (f"{local}a@{label}.jp", f"a@{label}b.jp", f"{local}@{label}.{label}.{'c' * 59}.jp"):
        with pytest.raises(Refused):
            parse_address(too_long)


def test_a_labels_are_compared_as_a_labels_and_shown_decoded_to_staff() -> None:
    assert parse_address("a@XN--EXMPLE-4NF.co.jp").host == "xn--exmple-4nf.co.jp"
    assert unicode_host("xn--r8jz45g.jp") == "例え.jp"
    assert unicode_host("example.co.jp") == "example.co.jp"


@given(st.text(max_size=80) | st.from_regex(r"[!-~]{1,20}@[a-z0-9.\-\[\],]{1,30}", fullmatch=True))
@example("a@" + "." * 300)
@example("a@xn--" + "9" * 200 + ".jp")
def test_every_text_is_an_ascii_address_that_reads_back_the_same_or_is_refused(typed: str) -> None:
    try:
        address = parse_address(typed)
    except Refused:
        return
    assert address.value.isascii()
    assert address.value.count("@") == 1
    assert not set(address.value) & set(' "\\(),:;<>[]%!\r\n\x00')
    assert parse_address(address.value) == address


def test_a_list_is_split_at_the_separators_people_use_and_at_nothing_else() -> None:
    typed = "a@x.example, b@x.example、c@x.example，d@x.example\r\ne@x.example\n\n ,"

    assert split_addresses(typed) == [f"{name}@x.example" for name in "abcde"]
    assert split_addresses("a@x.example;b@x.example") == ["a@x.example;b@x.example"]
    assert split_addresses(" 、\n") == []


def _facts(typed: str) -> dict[str, object]:
    with pytest.raises(Refused) as refused:
        parse_address(typed)
    return refused.value.facts

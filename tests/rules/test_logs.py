"""Logs read by patterns: what products print, what is no text, and nothing that takes long."""

from __future__ import annotations

import gzip
import time

import pytest

from rules.logs import READ_BYTES, Fact, Pattern, check_pattern, differs, facts_of, readable, scan
from rules.refusal import Refused

SRX = 7
PATTERNS = [
    Pattern(None, Fact.SERIAL, "Serial Number: {値}"),
    Pattern(SRX, Fact.SERIAL, "Chassis {値} SRX"),
    Pattern(SRX, Fact.MODEL, "Chassis {語} {値}"),
    Pattern(SRX, Fact.OS_VERSION, "JUNOS Software Release [{値}]"),
]
CHASSIS = """Hardware inventory:
Item             Version  Part number  Serial number     Description
Chassis                                CV4126AF0093      SRX300
"""


def test_a_log_says_serial_model_and_version() -> None:
    found = scan(f"{CHASSIS}JUNOS Software Release [21.4R3-S5.4]\nserial number ： AB-1234\n", PATTERNS)

    assert facts_of([found], SRX) == {Fact.SERIAL: ["CV4126AF0093", "AB-1234"], Fact.MODEL: ["SRX300"], Fact.OS_VERSION: ["21.4R3-S5.4"]}
    assert facts_of([found], 8) == {Fact.SERIAL: ["AB-1234"]}, "another product's patterns are not asked"


def test_a_value_written_in_two_ways_is_told_once_as_the_first_pattern_found_it() -> None:
    found = scan(f"{CHASSIS}Model: srx300\n", [*PATTERNS, Pattern(None, Fact.MODEL, "Model: {値}")])

    assert facts_of([found], SRX)[Fact.MODEL] == ["SRX300"]


def test_at_most_five_different_values_are_kept() -> None:
    found = scan("".join(f"Serial Number: X{n}00\n" * 2 for n in range(9)), PATTERNS)

    assert facts_of([found], SRX)[Fact.SERIAL] == ["X000", "X100", "X200", "X300", "X400"]


@pytest.mark.parametrize(
    ("head", "text"),
    [
        ("シリアル番号：X".encode(), "シリアル番号：X"),
        ("シリアル番号：X".encode("cp932"), "シリアル番号：X"),
        ("ｼﾘｱﾙ番号：X".encode("cp932"), "ｼﾘｱﾙ番号：X"),
        ("ｼﾘｱﾙ: X".encode("cp932"), "ｼﾘｱﾙ: X"),
        ("シリアル番号：機種SRX".encode("euc_jp"), "シリアル番号：機種SRX"),
        ("シリアル番号：あ".encode("euc_jp")[:-1], "シリアル番号："),
        ("シリアル番号：X".encode("iso2022_jp"), "シリアル番号：X"),
        (b"\x1b[31mSerial\x1b$? " + "番号".encode(), "\x1b[31mSerial\x1b$? 番号"),
        ("シリアル番号：X".encode("utf-16"), "シリアル番号：X"),
        ("シリアル番号：X\n".encode("utf-16-be").join([b"\xfe\xff", b""]), "シリアル番号：X"),
        (gzip.compress("Serial Number: X1".encode("utf-16"), mtime=0), "Serial Number: X1"),
        (gzip.compress(b"Serial Number: X1", mtime=0), "Serial Number: X1"),
        (gzip.compress(b"Serial Number: X1" * 9999, mtime=0)[:40], "Serial"),
        (b"\x1f\x8bnothing", ""),
        (b"\x89PNG\x00\x00", ""),
        ("あ".encode()[:2], "\ufffd"),
    ],
    ids=[
        "utf-8",
        "cp932",
        "half-width",
        "half-width only",
        "euc-jp",
        "cut euc-jp",
        "iso-2022-jp",
        "terminal",
        "utf-16",
        "big utf-16",
        "gzip of utf-16",
        "gzip",
        "cut gzip",
        "no gzip",
        "no text",
        "cut letter",
    ],
)
def test_what_is_text_is_read(head: bytes, text: str) -> None:
    assert readable(head).startswith(text)
    assert bool(readable(head)) == bool(text)


def test_a_bomb_is_read_to_the_bound() -> None:
    assert len(readable(gzip.compress(b"a" * 50 * READ_BYTES))) == READ_BYTES


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("ab{語}{語}{語}{語}{値}!", "ab" + "a" * 200),
        ("ab{語}:{語}:{語}:{値}!", "ab" + ":" * 300),
        ("ab{語}-{語}-{値}!", "ab-" * 50_000),
        ("ab{値}-{語}-{語}-{語}-{語}!", "ab-" * 20_000),
    ],
)
def test_words_of_a_pattern_are_not_tried_in_every_way(pattern: str, text: str) -> None:
    began = time.process_time()

    assert scan(text, [Pattern(None, Fact.SERIAL, check_pattern(pattern))]) == {}

    assert time.process_time() - began < 2


def test_a_word_ends_where_what_follows_it_begins() -> None:
    patterns = [Pattern(None, Fact.MODEL, "Slot {語}, model={値}"), Pattern(None, Fact.SERIAL, "Unit {語}{語}: {値}")]

    assert scan("Slot 0/1, model=SRX300\nUnit a7：CV4126\n", patterns) == {"": {Fact.MODEL: ["SRX300"], Fact.SERIAL: ["CV4126"]}}


@pytest.mark.parametrize("letter", ["a", " ", "Chassis ", "Chassis\t \t", "Serial Number:" + " " * 90, "Chassis x "])
def test_no_text_takes_long(letter: str) -> None:
    text = (letter * READ_BYTES)[:READ_BYTES]
    began = time.process_time()

    scan(text, PATTERNS)

    assert time.process_time() - began < 5, "a pattern that goes back over the text would need minutes"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "pattern_empty"),
        ("x" * 121, "pattern_long"),
        ("Serial Number:", "pattern_value"),
        ("Serial {値} {値}", "pattern_value"),
        ("{値} SRX", "pattern_begins"),
        (": {値}", "pattern_begins"),
        ("{語} Serial {値}", "pattern_begins"),
        ("ab {語} {語} {語} {語} {語} {値}", "pattern_words"),
    ],
)
def test_what_is_no_pattern_is_refused(typed: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        check_pattern(typed)

    assert (refused.value.code, refused.value.field) == (code, "pattern")


def test_a_pattern_is_kept_with_plain_blanks() -> None:
    assert check_pattern(" Ｓerial   Number：{値} ") == "Serial Number:{値}"


@pytest.mark.parametrize(("values", "stated", "other"), [(["CV41"], "cv41", False), (["CV41"], "CV42", True), (["21.4R3-S5.4"], "21.4R3-S5", False)])
def test_what_a_log_says_is_held_against_the_ticket(values: list[str], stated: str, other: bool) -> None:
    assert differs(values, stated) is other

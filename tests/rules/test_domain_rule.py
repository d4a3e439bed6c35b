"""The domain rule: whom a maintenance e-mail vouches for; the order of the two addresses never matters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rules.addresses import Address, Verdict, compare, compare_hosts, domain_allows, is_under, parse_address, parts, registrable

_VECTORS = Path(__file__).resolve().parent.parent / "data/public_suffix_list/test_psl.txt"
SHARED = frozenset({"gmail.com", "yahoo.co.jp", "outlook.com", "icloud.com", "docomo.ne.jp", "ocn.ne.jp", "nifty.com", "onmicrosoft.com", "xsrv.jp"})
SAME, ONE, SUBDOMAINS, SHARED_DOMAIN, DOMAINS, INVALID = (
    Verdict.SAME,
    Verdict.ONE_HAS_SUBDOMAIN,
    Verdict.SUBDOMAINS_DIFFER,
    Verdict.SHARED_DOMAIN,
    Verdict.DOMAINS_DIFFER,
    Verdict.INVALID,
)
PAIRS = [
    ("example.co.jp", "example.co.jp", SAME),
    ("a.example.co.jp", "a.example.co.jp", SAME),
    ("xn--r8jz45g.jp", "xn--r8jz45g.jp", SAME),
    ("example.unknowntop", "example.unknowntop", SAME),
    ("example.co.jp", "mail.example.co.jp", ONE),
    ("example.co.jp", "a.b.example.co.jp", ONE),
    ("a.example.co.jp", "b.example.co.jp", SUBDOMAINS),
    ("a.example.co.jp", "x.a.example.co.jp", SUBDOMAINS),
    ("a.b.x.co.jp", "b.x.co.jp", SUBDOMAINS),
    ("pref.osaka.lg.jp", "city.osaka.lg.jp", SUBDOMAINS),
    ("a.co.jp", "b.co.jp", DOMAINS),
    ("example.jp", "example.co.jp", DOMAINS),
    ("example.com", "example.co.jp", DOMAINS),
    ("example.co.jp", "notexample.co.jp", DOMAINS),
    ("example.co.jp", "example.co.jp.evil.com", DOMAINS),
    ("example.co.jp", "evil-example.co.jp", DOMAINS),
    ("city.fuchu.tokyo.jp", "city.fuchu.hiroshima.jp", DOMAINS),
    ("foo.sakura.ne.jp", "bar.sakura.ne.jp", DOMAINS),
    ("a.github.io", "b.github.io", DOMAINS),
    ("co.jp", "example.co.jp", INVALID),
    ("co.jp", "co.jp", INVALID),
    ("jp", "example.jp", INVALID),
    ("kawasaki.jp", "a.kawasaki.jp", INVALID),
    ("kyoto.jp", "city.kyoto.jp", INVALID),
    ("sakura.ne.jp", "foo.sakura.ne.jp", INVALID),
    ("unknowntop", "example.unknowntop", INVALID),
    ("gmail.com", "gmail.com", SHARED_DOMAIN),
    ("abc.ocn.ne.jp", "ocn.ne.jp", SHARED_DOMAIN),
    ("abc.ocn.ne.jp", "xyz.ocn.ne.jp", SHARED_DOMAIN),
    ("a.onmicrosoft.com", "onmicrosoft.com", SHARED_DOMAIN),
    ("a.onmicrosoft.com", "a.onmicrosoft.com", SHARED_DOMAIN),
    ("a.xsrv.jp", "xsrv.jp", SHARED_DOMAIN),
    ("gmail.com", "example.co.jp", DOMAINS),
    ("gmail.com", "ocn.ne.jp", DOMAINS),
    ("notgmail.com", "gmail.com", DOMAINS),
    ("notgmail.com", "notgmail.com", SAME),
]


@pytest.mark.parametrize(("one", "other", "verdict"), PAIRS)
def test_the_table_holds_in_both_orders(one: str, other: str, verdict: Verdict) -> None:
    assert compare_hosts(one, other, SHARED) is verdict
    assert compare_hosts(other, one, SHARED) is verdict


def test_case_and_full_width_are_gone_before_the_comparison() -> None:
    assert compare(parse_address("a@ＥＸＡＭＰＬＥ.co.jp"), parse_address("b@example.CO.jp"), SHARED) is SAME


@pytest.mark.parametrize(("one", "other", "verdict"), [pair for pair in PAIRS if pair[2] is not INVALID])
def test_only_the_same_organisation_passes_by_itself(one: str, other: str, verdict: Verdict) -> None:
    email, maintenance = _at("tanaka", one), _at("hoshu", other)

    assert domain_allows(email, maintenance, compare(email, maintenance, SHARED)) is (verdict in (SAME, ONE))


def test_on_a_shared_domain_only_the_whole_equal_address_passes() -> None:
    mine = _at("tanaka", "gmail.com")

    assert domain_allows(_at("TANAKA", "gmail.com"), mine, SHARED_DOMAIN)
    assert not domain_allows(_at("suzuki", "gmail.com"), mine, SHARED_DOMAIN)


def test_a_list_entry_below_a_company_domain_is_shared_with_everything_under_it() -> None:
    shared = {"users.example.co.jp"}

    assert compare_hosts("a.users.example.co.jp", "a.users.example.co.jp", shared) is SHARED_DOMAIN
    assert compare_hosts("users.example.co.jp", "example.co.jp", shared) is SHARED_DOMAIN
    assert compare_hosts("example.co.jp", "example.co.jp", shared) is SAME


def test_a_list_entry_that_is_a_public_suffix_is_shared_too() -> None:
    assert compare_hosts("a.sakura.ne.jp", "b.sakura.ne.jp", {"sakura.ne.jp"}) is SHARED_DOMAIN


def test_under_a_domain_is_asked_label_by_label() -> None:
    assert is_under("jscom.co.jp", {"jscom.co.jp"})
    assert is_under("mail.jscom.co.jp", ["jscom.co.jp"])
    assert not is_under("notjscom.co.jp", {"jscom.co.jp"})
    assert not is_under("jscom.co.jp.evil.example", {"jscom.co.jp"})


def test_an_address_is_split_at_the_registrable_domain() -> None:
    assert parts("a.b.example.co.jp") == ("a.b", "example.co.jp")
    assert parts("example.co.jp") == ("", "example.co.jp")
    assert parts("co.jp") == ("", None)


def test_the_official_vectors_of_the_public_suffix_list_hold() -> None:
    vectors = _vectors()
    assert len(vectors) == 77

    wrong = [(host, expected, found) for host, expected in vectors if (found := _asked(host)) != expected]

    assert wrong == []


def _at(local: str, host: str) -> Address:
    return Address(f"{local}@{host}", f"{local}@{host}".lower(), local, host)


def _asked(host: str) -> str | None:
    """The registrable domain of a vector's host as an address meets it: in lower case, A-labels, never with a leading dot."""
    if host.startswith("."):
        return None
    return registrable(_a_labels(host).lower())


def _a_labels(host: str) -> str:
    return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in host.split("."))


def _vectors() -> list[tuple[str, str | None]]:
    """(host, registrable domain or None) of every line of the list's own test file; only the line about no host at all has none."""
    found: list[tuple[str, str | None]] = []
    for line in _VECTORS.read_text(encoding="utf-8").splitlines():
        told = re.fullmatch(r"checkPublicSuffix\('([^']+)', (?:null|'([^']+)')\);", line)
        if told:
            found.append((told.group(1), _a_labels(told.group(2)) if told.group(2) else None))
    return found

"""E-mail addresses and the domain rule (DOMAIN, "Normalising what people type" and "The domain rule")."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

from publicsuffixlist import PSLFILE, PublicSuffixList

from rules.refusal import Refused
from rules.text import fold, invisible

ADDRESS_CHARACTERS = 254
"""RFC 5321 4.5.3.1.3: a path of 256 with its two angle brackets."""
LOCAL_CHARACTERS = 64
HOST_CHARACTERS = 253
UNUSABLE_TOPS = frozenset({"localhost", "local", "invalid"})

# RFC 5321 dot-string, without % and ! (old routes through other hosts) and without quoted strings and comments.
_LOCAL = re.compile(r"[A-Za-z0-9#$&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9#$&'*+/=?^_`{|}~-]+)*")
_HOST_SIGNS = re.compile(r"[a-z0-9.-]+")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SEPARATORS = re.compile(r"[,、，､\r\n]+")


@dataclass(frozen=True)
class Address:
    """One checked e-mail address: the value that is compared, stored and mailed to."""

    value: str
    """As mailed to: local part as typed, host in lower case."""
    key: str
    """As compared: all in lower case."""
    local: str
    host: str


class Verdict(StrEnum):
    """What the domain rule says of an e-mail and a maintenance e-mail."""

    SAME = "same"
    ONE_HAS_SUBDOMAIN = "one_has_subdomain"
    SUBDOMAINS_DIFFER = "subdomains_differ"
    SHARED_DOMAIN = "shared_domain"
    DOMAINS_DIFFER = "domains_differ"
    INVALID = "invalid"


def parse_address(typed: str, field: str = "email") -> Address:
    """The one strict reading of an address; parsers that disagree are how a stranger's address slips in.

    Refuses at `field`: address_empty, address_blank, address_invisible, address_trailing_dot(sign), address_no_at,
    address_not_ascii(c), address_comma(host), address_form, address_host(host).
    """
    text = _clean(typed, field)
    local, _, host = text.partition("@")
    if "," in host and "," not in local and "@" not in host:
        raise Refused("address_comma", field, host=host)
    if host.startswith("[") and host.endswith("]") and _LOCAL.fullmatch(local):
        raise Refused("address_host", field, host=host)
    host = host.lower()
    if not _LOCAL.fullmatch(local) or "=?" in local or not _HOST_SIGNS.fullmatch(host):
        raise Refused("address_form", field)
    if len(local) > LOCAL_CHARACTERS or len(text) > ADDRESS_CHARACTERS or ".." in host or host.startswith("."):
        raise Refused("address_form", field)
    if not _is_mail_host(host):
        raise Refused("address_host", field, host=host)
    return Address(value=f"{local}@{host}", key=f"{local.lower()}@{host}", local=local, host=host)


def split_addresses(typed: str) -> list[str]:
    """The pieces of a list that people typed, split at ``,`` ``、`` ``，`` and line ends; blanks dropped, nothing checked."""
    return [piece.strip() for piece in _SEPARATORS.split(typed) if piece.strip()]


@lru_cache(maxsize=65536)
def registrable(host: str) -> str | None:
    """R(host): the registrable domain by the Public Suffix List, None for a bare suffix (an unknown top level is one)."""
    encoded = "xn--" in host
    top = host.rpartition(".")[2]
    return _suffixes("" if encoded and top.startswith("xn--") else top, encoded).privatesuffix(host) or None


def parts(host: str) -> tuple[str, str | None]:
    """(S, R) of `host`: what stands left of the registrable domain ("" for nothing), and that domain."""
    owned = registrable(host)
    if owned is None:
        return "", None
    return host[: -len(owned)].rstrip("."), owned


def compare(email: Address, maintenance: Address, shared: Collection[str]) -> Verdict:
    """The domain rule for two addresses; `shared` are the shared mail domains in lower case."""
    return compare_hosts(email.host, maintenance.host, shared)


def compare_hosts(host: str, other: str, shared: Collection[str]) -> Verdict:
    """The domain rule for two hosts in lower case; the order of the two never matters."""
    sub, owned = parts(host)
    other_sub, other_owned = parts(other)
    # The list comes before the Public Suffix List, which knows gmail.com and ocn.ne.jp as ordinary organisations.
    entry, other_entry = shared_entry(host, shared), shared_entry(other, shared)
    if (entry is not None and entry == other_entry) or ((entry or other_entry) and owned is not None and owned == other_owned):
        return Verdict.SHARED_DOMAIN
    if owned is None or other_owned is None:
        return Verdict.INVALID
    if host == other:
        return Verdict.SAME
    if owned != other_owned:
        return Verdict.DOMAINS_DIFFER
    return Verdict.SUBDOMAINS_DIFFER if sub and other_sub else Verdict.ONE_HAS_SUBDOMAIN


def domain_allows(email: Address, maintenance: Address, verdict: Verdict) -> bool:
    """Whether `verdict` lets the pair pass by itself: on a shared domain only the whole equal address does."""
    if verdict is Verdict.SHARED_DOMAIN:
        return email.key == maintenance.key
    return verdict in (Verdict.SAME, Verdict.ONE_HAS_SUBDOMAIN)


def is_under(host: str, domains: Collection[str]) -> bool:
    """Whether `host` is one of `domains` (lower case) or stands under one."""
    return shared_entry(host, domains) is not None


def shared_entry(host: str, domains: Collection[str]) -> str | None:
    """The widest of `domains` that `host` is or stands under, or None."""
    found = [name for name in _and_above(host) if name in domains]
    return found[-1] if found else None


def host_of(address: str) -> str:
    """The host of an address that was parsed before."""
    return address.rpartition("@")[2].lower()


def unicode_host(host: str) -> str:
    """`host` with its A-labels decoded, for staff to read beside the A-labels; never compared, never mailed to."""
    return ".".join(_decoded(label) or label for label in host.split("."))


def mixes_scripts(host: str) -> bool:
    """Whether a label of a host as people read it mixes ASCII letters with letters of another writing system than Japanese: it may only look like another."""
    for label in host.split("."):
        foreign = any(not sign.isascii() and not ("\u3040" <= sign <= "\u30ff" or "\u3400" <= sign <= "\u9fff") for sign in label)
        if foreign and any(sign.isascii() and sign.isalpha() for sign in label):
            return True
    return False


def _clean(typed: str, field: str) -> str:
    """`typed` folded, and free of what no address may hold: blanks, invisible signs, a last dot, anything beyond ASCII."""
    text = fold(typed)
    if not text:
        raise Refused("address_empty", field)
    if len(text.split()) > 1:
        raise Refused("address_blank", field)
    if invisible(text):
        raise Refused("address_invisible", field)
    if text[-1] in ".。":
        raise Refused("address_trailing_dot", field, sign=text[-1])
    if "@" not in text:
        raise Refused("address_no_at", field)
    if not text.isascii():
        raise Refused("address_not_ascii", field, c=next(sign for sign in text if not sign.isascii()))
    return text


def _is_mail_host(host: str) -> bool:
    """Whether `host` can be a company's mail domain: labels in form, no IP address, no local name, more than a suffix."""
    labels = host.split(".")
    if len(host) > HOST_CHARACTERS or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    if labels[-1] in UNUSABLE_TOPS or labels[-1].isdigit():
        return False
    if any(label.startswith("xn--") and _decoded(label) is None for label in labels):
        return False
    return registrable(host) is not None


def _decoded(label: str) -> str | None:
    """The text of an A-label, the label itself where it is none, None where its punycode is broken."""
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return None


def _and_above(host: str) -> Iterator[str]:
    """`host` and each domain that it stands under, the widest last."""
    while host:
        yield host
        host = host.partition(".")[2]


@lru_cache(maxsize=64)
def _suffixes(top: str, encoded: bool) -> PublicSuffixList:
    """The Public Suffix List of one top level, of all for "", which the list writes in letters; with its names' A-labels if `encoded`.

    All of it takes more than a megabyte and a tenth of a second, and most hosts are under two or three top levels.
    """
    rules, name = _rules(), top.encode()
    if not any(begins + name + b"\n" in rules for begins in (b"\n", b".")):
        rules = b""  # told first: looking for its rules takes a hundred times as long, and hostile workbooks name many
    elif top:
        rules = b"\n".join(re.findall(rb"^(?:\S+\.)?" + re.escape(name) + rb"$", rules, re.MULTILINE))
    return PublicSuffixList(rules, accept_unknown=True, accept_encoded_idn=encoded)


@cache
def _rules() -> bytes:
    """The rules of the Public Suffix List, each between two line ends, without its comments."""
    with open(PSLFILE, "rb") as file:  # noqa: PTH123 - rules know no paths but the library's own
        return b"\n\n" + b"\n".join(re.findall(rb"^[^\s/]\S*", file.read(), re.MULTILINE)) + b"\n"

"""The configuration: every JTICKETS_* variable, checked at start. `README.md` lists them."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from email.utils import parseaddr
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from rules.limits import Limits

_PREFIX = "JTICKETS_"
_LIMIT_PREFIX = "JTICKETS_LIMITS_"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_DRIVERS = frozenset({"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"})
_NEVER_EMPTY = frozenset({"database_url", "base_url"})
"""Elsewhere an empty value stands for the default, as files of environments have it; here it would quietly be another desk."""
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_ADDRESS = re.compile(r"[^@\s<>()\[\],;:\"\\]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", re.ASCII)
_DAY_SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1, "months": 2_678_400}
_LONGEST_DAYS = 36_525
"""A hundred years: a moment that far away can still be reckoned with."""
_LARGEST = 10**15


class SettingsFault(Exception):
    """The configuration is wrong; `faults` holds one sentence per variable."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The process's configuration, read once from the environment by `read_settings`, which checks it."""

    database_url: str = "sqlite:///var/jtickets.db"
    base_url: str = "http://127.0.0.1:8720"
    allowed_hosts: tuple[str, ...] = ()
    smtp_url: str = ""
    imap_url: str = ""
    mail_from: str = "J's チケットシステム <tickets@jscom.co.jp>"
    attachments_url: str = ""
    secret_key: str = ""
    state_dir: Path = Path("var")
    compiled_dir: Path | None = None
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    trusted_proxies: tuple[str, ...] = ()
    staff_totp: str = "required"
    import_approval: str = "production"
    argon2_memory_kib: int = 65536
    argon2_time: int = 3
    argon2_at_once: int = 2
    reading_threads: int = 2
    writing_threads: int = 2
    log_level: str = "info"
    desk_address: str = "tickets-admin@jscom.co.jp"
    center_address: str = "service_admin@jscom.co.jp"
    metrics_token: str = ""

    @cached_property
    def limits(self) -> Limits:
        """Every limit, those of the environment over the defaults."""
        return read_limits(dict(os.environ))

    @property
    def https(self) -> bool:
        """Whether people reach the desk by https (decides the cookies' names and flags)."""
        return self.base_url.startswith("https://")

    @property
    def second_person(self) -> bool:
        """Whether imports that withdraw lines or move a party to another domain wait for a second person."""
        return self.import_approval == "required" or (self.import_approval == "production" and self.https)

    @property
    def hosts(self) -> frozenset[str]:
        """The host names this desk answers to, without ports."""
        host = urlsplit(self.base_url).hostname or ""
        named = {host, *(name.lower() for name in self.allowed_hosts)}
        return frozenset(named | _LOOPBACK if host in _LOOPBACK else named)

    @property
    def attachments(self) -> str:
        """Where attachments lie, as a URL."""
        return self.attachments_url or (self.state_dir / "attachments").resolve().as_uri()

    @cached_property
    def key(self) -> bytes:
        """The secret behind CSRF tokens and signed links: the configured one, else one kept in the state folder."""
        if self.secret_key:
            return self.secret_key.encode()
        path = self.state_dir / "secret-key"
        self.state_dir.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text().strip().encode()
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
        return path.read_text().strip().encode()


def read_limits(environment: dict[str, str]) -> Limits:
    """`Limits` with every JTICKETS_LIMITS_<NAME> of `environment` in force.

    Raises SettingsFault naming unknown names and values that are no whole number of at least 0.
    """
    known = {field.name for field in fields(Limits)}
    chosen: dict[str, int] = {}
    faults: list[str] = []
    for name, value in environment.items():
        if not name.startswith(_LIMIT_PREFIX):
            continue
        limit = name.removeprefix(_LIMIT_PREFIX).lower()
        if limit not in known:
            faults.append(f"{name}: このような上限はありません")
        else:
            try:
                chosen[limit] = _limit(value, limit)
            except ValueError as fault:
                faults.append(f"{name}: {fault}")
    if faults:
        raise SettingsFault(faults)
    return Limits(**chosen)


def read_settings() -> Settings:
    """The settings of this process's environment.

    Raises SettingsFault with one sentence per wrong variable.
    """
    given = {name.upper(): value for name, value in os.environ.items()}
    chosen: dict[str, Any] = {}
    faults: list[str] = []
    for field in fields(Settings):
        variable = f"{_PREFIX}{field.name.upper()}"
        if not given.get(variable) and not (variable in given and field.name in _NEVER_EMPTY):
            continue
        try:
            chosen[field.name] = _READERS.get(field.name, str)(given[variable])
        except ValueError as fault:
            faults.append(f"{variable}: {fault}")
    faults += [*_mistyped(given), *_half_provider(chosen, given)]
    try:
        read_limits(dict(os.environ))
    except SettingsFault as fault:
        faults += fault.faults
    if faults:
        raise SettingsFault(faults)
    return Settings(**chosen)


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """The JTICKETS_* names of `environment` that mean nothing here, limits aside: other software sets some too (Kubernetes: JTICKETS_PORT)."""
    known = {f"{_PREFIX}{field.name.upper()}" for field in fields(Settings)} | {"JTICKETS_FACE"}
    return sorted(name for name in environment if name.startswith(_PREFIX) and not name.startswith(_LIMIT_PREFIX) and name not in known)


def _mistyped(given: Mapping[str, str]) -> list[str]:
    """A sentence for each unknown name that is nearly a known one: its value would be missed only when it is needed."""
    unknown = unknown_variables(given)
    if not unknown:
        return []
    from difflib import get_close_matches

    known = [f"{_PREFIX}{field.name.upper()}" for field in fields(Settings)]
    near = {name: get_close_matches(name, known, n=1, cutoff=0.9) for name in unknown}
    return [f"{name}: このような設定はありません。{found[0]} のことであれば、名前を直してください" for name, found in near.items() if found]


def _half_provider(chosen: Collection[str], given: Mapping[str, str]) -> list[str]:
    """A sentence for each part of the OpenID provider that lacks while another is given."""
    parts = ("oidc_issuer", "oidc_client_id", "oidc_client_secret")
    if not any(part in chosen for part in parts):
        return []
    lacking = [f"{_PREFIX}{part.upper()}" for part in parts if not given.get(f"{_PREFIX}{part.upper()}")]
    return [f"{variable}: ほかの JTICKETS_OIDC_* といっしょに設定してください" for variable in lacking]


# Readers of a variable's text: the value, or ValueError with the sentence that tells what is wrong.


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _url(text: str, schemes: Collection[str], form: str) -> SplitResult:
    """The parts of a URL with one of `schemes` and a host; ValueError saying `form`, or what is wrong with its port."""
    parts = urlsplit(text)
    if parts.scheme not in schemes or not _HOST.fullmatch(parts.hostname or ""):
        raise ValueError(form)
    try:
        fits = parts.port != 0
    except ValueError:  # no number, or none that a port may have
        fits = False
    if not fits:
        raise ValueError("ポートは 1 から 65535 までの数にしてください")
    return parts


def _base_url(text: str) -> str:
    form = "https://tickets.example.jp の形にしてください"
    parts = _url(text, {"http", "https"}, form)
    if parts.username is not None or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(f"{form}（ホスト名とポートだけです）")
    return text.rstrip("/")


def _hosts(text: str) -> tuple[str, ...]:
    for part in _parts(text):
        if not _HOST.fullmatch(part):
            raise ValueError(f"「{part}」はホスト名ではありません（例：tickets.example.jp,desk.example.jp）")
    return _parts(text)


def _database_url(text: str) -> str:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as fault:  # the latter of a port that is no number
        raise ValueError("sqlite:///path か postgresql://user@host/name の形にしてください") from fault
    if url.drivername not in _DRIVERS:
        raise ValueError("sqlite:/// か postgresql:// で始めてください")
    if not url.database or url.database == ":memory:":
        raise ValueError("データベースの名前がありません。sqlite:///path か postgresql://user@host/name の形にしてください")
    return text


def _smtp_url(text: str) -> str:
    _url(text, {"smtp", "smtps", "smtp+starttls"}, "smtp://host:25、smtp+starttls://user:password@host:587、smtps://host:465 のいずれかの形にしてください")
    return text


def _imap_url(text: str) -> str:
    form = "imaps://user:password@host:993/INBOX の形にしてください"
    if not _url(text, {"imap", "imaps", "imap+starttls"}, form).username:
        raise ValueError(form)
    return text


def checked_place(text: str) -> str:
    """The URL of a place for attachments, if it has the form of one. Raises ValueError."""
    parts = urlsplit(text)
    placed = bool(parts.netloc) if parts.scheme == "s3" else parts.scheme == "file" and not parts.netloc and parts.path.startswith("/")
    if not placed:
        raise ValueError("file:///path か s3://bucket/prefix の形にしてください")
    return text


def _issuer(text: str) -> str:
    _url(text, {"http", "https"}, "https://login.example.jp の形にしてください")
    return text


def _sender(text: str) -> str:
    if not _ADDRESS.fullmatch(parseaddr(text)[1]) or not text.isprintable():
        raise ValueError("「J's チケットシステム <tickets@example.jp>」か「tickets@example.jp」の形にしてください")
    return text


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("「desk@example.jp」の形にしてください")
    return text


def _proxies(text: str) -> tuple[str, ...]:
    for part in _parts(text):
        try:
            ipaddress.ip_network(part, strict=False)
        except ValueError as fault:
            raise ValueError(f"「{part}」は IP アドレスの範囲ではありません（例：10.0.0.0/8,127.0.0.1）") from fault
    return _parts(text)


def _secret_key(text: str) -> str:
    if len(text) < 32:
        raise ValueError("32 文字以上にしてください")
    return text


def _one_of(text: str, *, words: tuple[str, ...]) -> str:
    if text not in words:
        raise ValueError(f"「{text}」は使えません。{'、'.join(repr(word) for word in words)} のいずれかにしてください")
    return text


def _number(text: str, *, least: int, most: int | None = None) -> int:
    try:
        number = int(text)
    except ValueError as fault:
        raise ValueError(f"「{text}」を読み取れません") from fault
    if number < least:
        raise ValueError(f"{least} 以上にしてください")
    if most is not None and number > most:
        raise ValueError(f"{most} 以下にしてください")
    return number


def _limit(text: str, name: str) -> int:
    """The number of the limit `name`, whose last word tells its unit."""
    unit = name.rpartition("_")[2]
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"「{text}」は 0 以上の整数ではありません")
    most = _LONGEST_DAYS * 86_400 // _DAY_SECONDS[unit] if unit in _DAY_SECONDS else _LARGEST
    return _number(text[:30], least=1 if name == "page_rows" else 0, most=most)


_READERS: dict[str, Callable[[str], object]] = {
    "database_url": _database_url,
    "base_url": _base_url,
    "allowed_hosts": _hosts,
    "smtp_url": _smtp_url,
    "imap_url": _imap_url,
    "mail_from": _sender,
    "attachments_url": checked_place,
    "oidc_issuer": _issuer,
    "desk_address": _address,
    "center_address": _address,
    "secret_key": _secret_key,
    "state_dir": Path,
    "compiled_dir": Path,
    "trusted_proxies": _proxies,
    "staff_totp": partial(_one_of, words=("required", "optional")),
    "import_approval": partial(_one_of, words=("production", "required", "off")),
    "argon2_memory_kib": partial(_number, least=8, most=4 * 1024 * 1024),
    "argon2_time": partial(_number, least=1, most=1000),
    "argon2_at_once": partial(_number, least=1, most=16),
    "reading_threads": partial(_number, least=1, most=64),
    "writing_threads": partial(_number, least=1, most=64),
    "metrics_token": _secret_key,
    "log_level": partial(_one_of, words=("debug", "info", "warning", "error")),
}
"""A variable without a reader of its own is taken as it stands."""

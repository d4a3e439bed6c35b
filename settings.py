"""The configuration: every JTICKETS_* variable, checked at start. `docs/operating.md` lists them with examples."""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from rules.limits import Limits

_PREFIX = "JTICKETS_"
_LIMIT_PREFIX = "JTICKETS_LIMITS_"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


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
        elif not value.isdecimal():
            faults.append(f"{name}: 「{value}」は 0 以上の整数ではありません")
        else:
            chosen[limit] = int(value)
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
        if variable not in given:
            continue
        try:
            chosen[field.name] = _READERS.get(field.name, str)(given[variable])
        except ValueError as fault:
            faults.append(f"{variable}: {fault}")
    try:
        read_limits(dict(os.environ))
    except SettingsFault as fault:
        faults += fault.faults
    if faults:
        raise SettingsFault(faults)
    return Settings(**chosen)


# Readers of a variable's text: the value, or ValueError with the sentence that tells what is wrong.


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("https://tickets.example.jp の形にしてください")
    return text.rstrip("/")


def _database_url(text: str) -> str:
    try:
        backend = make_url(text).get_backend_name()
    except ArgumentError as fault:
        raise ValueError("sqlite:///path か postgresql://user@host/name の形にしてください") from fault
    if backend not in {"sqlite", "postgresql"}:
        raise ValueError("sqlite:/// か postgresql:// で始めてください")
    return text


def _smtp_url(text: str) -> str:
    if text and (urlsplit(text).scheme not in {"smtp", "smtps", "smtp+starttls"} or not urlsplit(text).hostname):
        raise ValueError("smtp://host:25、smtp+starttls://user:password@host:587、smtps://host:465 のいずれかの形にしてください")
    return text


def _imap_url(text: str) -> str:
    if text and (urlsplit(text).scheme not in {"imap", "imaps", "imap+starttls"} or not urlsplit(text).hostname or not urlsplit(text).username):
        raise ValueError("imaps://user:password@host:993/INBOX の形にしてください")
    return text


def _attachments_url(text: str) -> str:
    if text and urlsplit(text).scheme not in {"file", "s3"}:
        raise ValueError("file:///path か s3://bucket/prefix の形にしてください")
    return text


def _proxies(text: str) -> tuple[str, ...]:
    for part in _parts(text):
        try:
            ipaddress.ip_network(part, strict=False)
        except ValueError as fault:
            raise ValueError(f"「{part}」は IP アドレスの範囲ではありません（例：10.0.0.0/8,127.0.0.1）") from fault
    return _parts(text)


def _secret_key(text: str) -> str:
    if text and len(text) < 32:
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


_READERS: dict[str, Callable[[str], object]] = {
    "database_url": _database_url,
    "base_url": _base_url,
    "allowed_hosts": _parts,
    "smtp_url": _smtp_url,
    "imap_url": _imap_url,
    "attachments_url": _attachments_url,
    "secret_key": _secret_key,
    "state_dir": Path,
    "compiled_dir": Path,
    "trusted_proxies": _proxies,
    "staff_totp": partial(_one_of, words=("required", "optional")),
    "import_approval": partial(_one_of, words=("production", "required", "off")),
    "argon2_memory_kib": partial(_number, least=8),
    "argon2_time": partial(_number, least=1),
    "argon2_at_once": partial(_number, least=1, most=16),
    "reading_threads": partial(_number, least=1, most=64),
    "writing_threads": partial(_number, least=1, most=64),
    "metrics_token": _secret_key,
    "log_level": partial(_one_of, words=("debug", "info", "warning", "error")),
}
"""A variable without a reader of its own is taken as it stands."""

"""The configuration: every JTICKETS_* variable, checked at start. `docs/operating.md` lists them with examples."""

from __future__ import annotations

import ipaddress
import os
import secrets
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from rules.limits import Limits

_LIMIT_PREFIX = "JTICKETS_LIMITS_"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class SettingsFault(Exception):
    """The configuration is wrong; `faults` holds one sentence per variable."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Settings(BaseSettings):
    """The process's configuration, read once from the environment."""

    model_config = SettingsConfigDict(env_prefix="JTICKETS_", extra="ignore", frozen=True)

    database_url: str = "sqlite:///var/jtickets.db"
    base_url: str = "http://127.0.0.1:8720"
    allowed_hosts: Annotated[list[str], NoDecode] = Field(default_factory=list)
    smtp_url: str = ""
    mail_from: str = "J's チケットシステム <tickets@jscom.co.jp>"
    attachments_url: str = ""
    secret_key: str = ""
    state_dir: Path = Path("var")
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    trusted_proxies: Annotated[list[str], NoDecode] = Field(default_factory=list)
    staff_totp: Literal["required", "optional"] = "required"
    argon2_memory_kib: int = Field(default=65536, ge=8)
    argon2_time: int = Field(default=3, ge=1)
    argon2_at_once: int = Field(default=2, ge=1, le=16)
    reading_threads: int = Field(default=2, ge=1, le=64)
    writing_threads: int = Field(default=2, ge=1, le=64)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    desk_address: str = "tickets-admin@jscom.co.jp"
    center_address: str = "service_admin@jscom.co.jp"

    @field_validator("allowed_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("https://tickets.example.jp の形にしてください")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str) -> str:
        try:
            backend = make_url(value).get_backend_name()
        except ArgumentError as fault:
            raise ValueError("sqlite:///path か postgresql://user@host/name の形にしてください") from fault
        if backend not in {"sqlite", "postgresql"}:
            raise ValueError("sqlite:/// か postgresql:// で始めてください")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in {"smtp", "smtps", "smtp+starttls"} or not urlsplit(value).hostname):
            raise ValueError("smtp://host:25、smtp+starttls://user:password@host:587、smtps://host:465 のいずれかの形にしてください")
        return value

    @field_validator("attachments_url")
    @classmethod
    def _check_attachments_url(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"file", "s3"}:
            raise ValueError("file:///path か s3://bucket/prefix の形にしてください")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: list[str]) -> list[str]:
        for part in value:
            try:
                ipaddress.ip_network(part, strict=False)
            except ValueError as fault:
                raise ValueError(f"「{part}」は IP アドレスの範囲ではありません（例：10.0.0.0/8,127.0.0.1）") from fault
        return value

    @field_validator("secret_key")
    @classmethod
    def _check_secret_key(cls, value: str) -> str:
        if value and len(value) < 32:
            raise ValueError("32 文字以上にしてください")
        return value

    @cached_property
    def limits(self) -> Limits:
        """Every limit, those of the environment over the defaults."""
        return read_limits(dict(os.environ))

    @property
    def https(self) -> bool:
        """Whether people reach the desk by https (decides the cookies' names and flags)."""
        return self.base_url.startswith("https://")

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
    faults: list[str] = []
    try:
        settings = Settings()
    except ValidationError as fault:
        settings = None
        faults = [f"JTICKETS_{str(error['loc'][0]).upper()}: {_told(error)}" for error in fault.errors()]
    try:
        read_limits(dict(os.environ))
    except SettingsFault as fault:
        faults += fault.faults
    if settings is None or faults:
        raise SettingsFault(faults)
    return settings


def _told(error: ErrorDetails) -> str:
    """What is wrong with a value, in Japanese: our validators' own words, or those for pydantic's checks."""
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    if error["type"] == "literal_error":
        return f"「{error['input']}」は使えません。{context['expected'].replace(' or ', '、')} のいずれかにしてください"
    if error["type"] == "greater_than_equal":
        return f"{context['ge']} 以上にしてください"
    if error["type"] == "less_than_equal":
        return f"{context['le']} 以下にしてください"
    return f"「{error['input']}」を読み取れません"

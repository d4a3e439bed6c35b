"""The configuration: a wrong value is named at start."""

from __future__ import annotations

import pytest

from rules.limits import Limits
from settings import SettingsFault, read_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JTICKETS_DATABASE_URL", "mysql://x/y"),
        ("JTICKETS_DATABASE_URL", "not a url"),
        ("JTICKETS_DATABASE_URL", ""),
        ("JTICKETS_DATABASE_URL", "sqlite://"),
        ("JTICKETS_DATABASE_URL", "postgresql+asyncpg://desk@db/desk"),
        ("JTICKETS_DATABASE_URL", "postgresql://desk@db:port/desk"),
        ("JTICKETS_BASE_URL", "tickets.example"),
        ("JTICKETS_BASE_URL", ""),
        ("JTICKETS_BASE_URL", "https://tickets.example/desk"),
        ("JTICKETS_BASE_URL", "https://tickets.example?x=1"),
        ("JTICKETS_BASE_URL", "https://me:secret@tickets.example"),
        ("JTICKETS_BASE_URL", "https://tickets.example:https"),
        ("JTICKETS_ALLOWED_HOSTS", "tickets.example, https://desk.example"),
        ("JTICKETS_SMTP_URL", "http://mail"),
        ("JTICKETS_SMTP_URL", "smtp://mail:99999"),
        ("JTICKETS_IMAP_URL", "imaps://mail/INBOX"),
        ("JTICKETS_MAIL_FROM", "J's チケットシステム"),
        ("JTICKETS_MAIL_FROM", "desk@example.jp\nBcc: x@example.jp"),
        ("JTICKETS_DESK_ADDRESS", "窓口"),
        ("JTICKETS_CENTER_ADDRESS", "a b@example.jp"),
        ("JTICKETS_ATTACHMENTS_URL", "ftp://x"),
        ("JTICKETS_ATTACHMENTS_URL", "s3://"),
        ("JTICKETS_ATTACHMENTS_URL", "file://folder/x"),
        ("JTICKETS_OIDC_ISSUER", "login.example"),
        ("JTICKETS_SMPT_URL", "smtp://mail"),
        ("JTICKETS_SECRET_KEY", "short"),
        ("JTICKETS_STAFF_TOTP", "maybe"),
        ("JTICKETS_TRUSTED_PROXIES", "10.0.0.0/8, somewhere"),
        ("JTICKETS_READING_THREADS", "0"),
        ("JTICKETS_LIMITS_CC_ADDRESSES", "ten"),
        ("JTICKETS_LIMITS_CC_ADDRESSES", "３"),
        ("JTICKETS_LIMITS_CC_ADDRESSES", "9" * 5_000),
        ("JTICKETS_LIMITS_CUSTOMER_IDLE_HOURS", "9999999"),
        ("JTICKETS_LIMITS_PAGE_ROWS", "0"),
        ("JTICKETS_LIMITS_NO_SUCH", "1"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsFault) as told:
        read_settings()

    assert {fault.partition(":")[0] for fault in told.value.faults if "いっしょに" not in fault} == {name}


def test_what_an_operator_writes_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    written = {
        "DATABASE_URL": "postgresql+psycopg://desk:secret@db.example.jp:5432/jtickets?sslmode=verify-full",
        "BASE_URL": "https://tickets.example.jp:8443/",
        "ALLOWED_HOSTS": "tickets.internal,::1",
        "SMTP_URL": "smtp+starttls://user:p%40ss@mail.example.jp:587",
        "MAIL_FROM": "J's チケットシステム <tickets@example.jp>",
        "DESK_ADDRESS": "desk@localhost",
        "ATTACHMENTS_URL": "file:///srv/desk/attachments",
        "LIMITS_SIGN_IN_FAILURES_ALL": "1000000000",
        "LIMITS_UNDO_SEND_SECONDS": "0",
        "STAFF_TOTP": "",
        "METRICS_TOKEN": "",
        "PORT": "tcp://10.0.0.1:8720",
    }
    for name, value in written.items():
        monkeypatch.setenv(f"JTICKETS_{name}", value)

    settings = read_settings()

    assert (settings.base_url, settings.staff_totp) == ("https://tickets.example.jp:8443", "required")
    assert settings.limits.sign_in_failures_all == 1_000_000_000


def test_half_of_a_provider_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JTICKETS_OIDC_ISSUER", "https://login.example.jp")
    monkeypatch.setenv("JTICKETS_OIDC_CLIENT_ID", "desk")

    with pytest.raises(SettingsFault) as told:
        read_settings()

    assert [fault.partition(":")[0] for fault in told.value.faults] == ["JTICKETS_OIDC_CLIENT_SECRET"]


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JTICKETS_BASE_URL", "x")
    monkeypatch.setenv("JTICKETS_LIMITS_PAGE_ROWS", "-1")

    with pytest.raises(SettingsFault) as told:
        read_settings()

    assert len(told.value.faults) == 2


def test_every_limit_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JTICKETS_LIMITS_SIGN_IN_FAILURES", "7")

    assert read_settings().limits == Limits(sign_in_failures=7)


def test_only_the_base_urls_host_is_answered_and_loopback_names_stand_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JTICKETS_BASE_URL", "https://tickets.example.jp/")
    assert read_settings().hosts == {"tickets.example.jp"}

    monkeypatch.setenv("JTICKETS_BASE_URL", "http://localhost:9000")
    assert {"127.0.0.1", "localhost"} <= read_settings().hosts

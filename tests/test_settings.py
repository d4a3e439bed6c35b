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
        ("JTICKETS_BASE_URL", "tickets.example"),
        ("JTICKETS_SMTP_URL", "http://mail"),
        ("JTICKETS_ATTACHMENTS_URL", "ftp://x"),
        ("JTICKETS_SECRET_KEY", "short"),
        ("JTICKETS_STAFF_TOTP", "maybe"),
        ("JTICKETS_TRUSTED_PROXIES", "10.0.0.0/8, somewhere"),
        ("JTICKETS_READING_THREADS", "0"),
        ("JTICKETS_LIMITS_CC_ADDRESSES", "ten"),
        ("JTICKETS_LIMITS_NO_SUCH", "1"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsFault) as told:
        read_settings()

    assert [fault.partition(":")[0] for fault in told.value.faults] == [name]


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

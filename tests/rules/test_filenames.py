"""Names of files that people send."""

from __future__ import annotations

import pytest

from rules.filenames import NAME_BYTES, clean_name


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("ログ 1.txt", "ログ 1.txt"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\x\y.log", "y.log"),
        ("a.txt\x00.html", "a.txt.html"),
        ('a"\r\nX-Header: y', "a'X-Header: y"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("か\u3099.txt", "が.txt"),
        ("CON", "_CON"),
        ("com1.log", "_com1.log"),
        ("", "file"),
        ("...", "file"),
    ],
)
def test_a_name_is_shown_without_what_could_harm(sent: str, shown: str) -> None:
    assert clean_name(sent) == shown


def test_a_long_name_keeps_its_ending() -> None:
    name = clean_name("長" * 300 + ".tar.gz")

    assert len(name.encode()) <= NAME_BYTES
    assert name.endswith("長.gz")

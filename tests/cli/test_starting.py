"""Beginning: what cannot work is named in a line before anything runs, and the help shows whole sentences."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from cli_commands import app
from models.database import is_embedded, transaction
from tests.people import add_certificate


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    """The command line of a desk in an empty folder."""
    monkeypatch.setenv("JTICKETS_DATABASE_URL", f"sqlite:///{tmp_path}/desk.db")
    monkeypatch.setenv("JTICKETS_STATE_DIR", str(tmp_path))
    # `run` sets these two where nobody did, and the process goes on with other tests.
    monkeypatch.setenv("JTICKETS_BASE_URL", "http://127.0.0.1:8720")
    monkeypatch.setenv("JTICKETS_STAFF_TOTP", "optional")
    return CliRunner()


def test_a_port_that_is_taken_is_named_before_anything_is_loaded(line: CliRunner, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = line.invoke(app, ["run", "--port", str(port)])

    assert (told.exit_code, told.stdout) == (1, "")
    assert f"ポート {port} を使えません" in told.stderr
    assert not (tmp_path / "desk.db").exists()


@pytest.mark.parametrize("name", ["JTICKETS_STATE_DIR", "JTICKETS_ATTACHMENTS_URL"])
@pytest.mark.parametrize("command", ["jobs", "demo", "run"])
def test_a_folder_that_cannot_be_written_is_named(line: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, command: str) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv(name, f"{'file://' if name.endswith('URL') else ''}{tmp_path}/a file/folder")

    told = line.invoke(app, [command])

    assert told.exit_code == 1
    assert told.stderr.startswith(f"{name}: フォルダー「{tmp_path}/a file/folder」に書き込めません")
    assert len(told.stderr.splitlines()) == 1


def test_a_database_whose_folder_cannot_be_made_is_a_fault_of_check(line: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv("JTICKETS_DATABASE_URL", f"sqlite:///{tmp_path}/a file/desk.db")
    monkeypatch.setenv("JTICKETS_NO_SUCH_THING", "1")

    told = line.invoke(app, ["check"])

    assert told.exit_code == 1
    assert told.stdout.splitlines()[0] == "settings  ok（使われない変数：JTICKETS_NO_SUCH_THING）"
    assert told.stdout.splitlines()[1].startswith("database  FAULT（")


def test_a_line_without_its_certificate_is_a_fault_of_check(line: CliRunner, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JTICKETS_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    with transaction(engine) as session:
        add_certificate(session)
    sound = line.invoke(app, ["check"]).stdout.splitlines()[1]
    raw = engine.raw_connection()
    cursor = raw.cursor()
    if is_embedded(engine):
        cursor.execute("PRAGMA foreign_keys=OFF")
    for table in ("party", "certificate"):
        cursor.execute(f"DELETE FROM {table}")
    raw.commit()
    raw.detach()
    raw.close()
    told = line.invoke(app, ["check"])

    assert "最新" in sound
    assert (told.exit_code, "証書のない契約明細が 1 件あります" in told.stdout) == (1, True)


@pytest.mark.parametrize("words", [[], ["import", "apply"], ["restore"], ["staff", "add"]])
def test_the_help_shows_whole_sentences(line: CliRunner, words: list[str]) -> None:
    told = line.invoke(app, [*words, "--help"])

    assert told.exit_code == 0
    assert "…" not in told.stdout

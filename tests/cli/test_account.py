"""`jtickets account export` as an operator runs it."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from cli_accounts import accounts
from models.database import transaction
from models.journal import JournalEntry
from models.tickets import Attachment, Message
from storage.store import open_store
from tests.people import NOW, add_account, add_ticket


def test_one_persons_data_is_written_with_the_files_of_their_tickets(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JTICKETS_DATABASE_URL", database_url)
    monkeypatch.setenv("JTICKETS_STATE_DIR", str(tmp_path / "var"))
    stored = open_store((tmp_path / "var" / "attachments").resolve().as_uri()).put(BytesIO(b"kmd: failure"))
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session), now=NOW - timedelta(days=300))
        post = session.scalars(select(Message.id)).one()
        session.add(Attachment(token="t", message_id=post, name="messages.log", size=12, sha256="0", storage_key=stored.key, created_at=NOW))
    out = tmp_path / "kimura.zip"

    result = CliRunner().invoke(accounts, ["export", "KIMURA", "--out", str(out)])

    assert result.exit_code == 0, result.output
    archive = zipfile.ZipFile(out)
    assert json.loads(archive.read("account.json"))["account"]["user_id"] == "kimura"
    assert archive.read(f"files/{ticket.id}-1-messages.log") == b"kmd: failure"
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(JournalEntry.act)).all() == ["export_person"]
    missing = CliRunner().invoke(accounts, ["export", "nobody"])
    assert (missing.exit_code, "アカウントはありません" in missing.output) == (1, True)

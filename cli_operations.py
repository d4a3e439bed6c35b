"""The commands of whoever runs the desk: backup, restore, moving the storage, checking the files."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TextIO

import typer

from cli_setup import one_line, opened_database, settings_or_exit

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from actions.files import Named
    from settings import Settings
    from storage.store import Store

storage = typer.Typer(no_args_is_help=True, help="添付ファイルの保存先を扱います。")
_CHUNK = 1024 * 1024
_DATABASE, _MANIFEST, _FILES = "database", "manifest.json", "files"
Tools = Annotated[Path | None, typer.Option(help="pg_dump と pg_restore のあるフォルダー（なければ PATH から探します）。")]


def backup(folder: Annotated[Path, typer.Argument(help="新しく作るフォルダー。")], tools: Tools = None) -> None:
    """データベースと添付ファイルの控えを取ります（動かしたままで構いません）。"""
    from web.wiring import utc_now

    settings = settings_or_exit()
    if folder.exists():
        _stop(f"{folder} はすでにあります。新しいフォルダーの名前を指定してください。")
    with _ending("控えを取れませんでした"), opened_database(settings) as engine:
        typer.echo(take_backup(settings, engine, folder, now=utc_now(), tools=tools))


def restore(
    folder: Annotated[Path, typer.Argument(help="控えのフォルダー。")],
    numbers: Annotated[
        int, typer.Option(help="チケット番号と受付番号を、控えの最大からこの数だけ進めます。控えの後に発行した番号と重ねません。", min=0)
    ] = 1000,
    tools: Tools = None,
) -> None:
    """控えから、空のデータベースと保存先に戻します。送信の途中だったメールは止めて残します。"""
    from web.wiring import utc_now

    settings = settings_or_exit()
    if not (folder / _MANIFEST).exists():
        _stop(f"{folder} に控え（{_MANIFEST}）が見つかりません。")
    with _ending("戻せませんでした", "ファイルの途中で止まったときは、同じ restore をもう一度実行すると続けます。"):
        typer.echo(bring_back(settings, folder, numbers=numbers, now=utc_now(), tools=tools))


@storage.command("move")
def move(target: Annotated[str, typer.Argument(help="移す先（file:///… か s3://…）。")]) -> None:
    """添付ファイルを別の保存先に写し、1 件ずつ照合します。元のファイルは残します。"""
    from settings import checked_place
    from storage.store import open_store

    settings = settings_or_exit()
    with _ending(f"{target} に保存できません"):
        place = open_store(checked_place(target))
        place.probe()
    with _ending(f"{target} に写せませんでした"), opened_database(settings) as engine:
        copied, faults = copy_files(engine, open_store(settings.attachments), place)
    for key in faults:
        typer.echo(f"照合できません：{key}", err=True)
    typer.echo(f"{copied}件を写しました。JTICKETS_ATTACHMENTS_URL={target} にして、すべてのプロセスを起動し直してください。")
    raise typer.Exit(1 if faults else 0)


def check_attachments(settings: Settings, *, deep: bool, repair: bool) -> bool:
    """Tell what rows and bytes do not agree on, a line each, and put right what can be; whether all is well."""
    from actions import files
    from storage.store import open_store
    from web.wiring import utc_now

    store = open_store(settings.attachments)
    with opened_database(settings) as engine:
        found = files.check_files(engine, store, deep=deep, now=utc_now())
        put_right = files.repair(engine, store, found) if repair else None
    for word, named in (("なくなったファイル", found.lost), ("内容の違うファイル", found.altered)):
        for one in named:
            typer.echo(f"{word}：{one.key}（{one.size} バイト{'、未投稿' if one.held else ''}）")
    for key in found.orphans:
        typer.echo(f"記録のないファイル：{key}")
    typer.echo(f"{found.checked}件を照合しました。")
    if put_right:
        orphans, rows = put_right
        typer.echo(f"記録のないファイル {orphans}件と、未投稿の記録 {rows}件を消しました。")
        return not found.altered and all(one.held for one in found.lost)
    return found.sound


def take_backup(settings: Settings, engine: Engine, folder: Path, *, now: datetime, tools: Path | None = None) -> str:
    """Write database and files into the new `folder`; a sentence that says how much. What breaks off leaves nothing behind.

    The database first: every file that it names lay in the storage before its row did. The files by what the copy of the database names.
    """
    from actions.files import is_named
    from models import dumps
    from storage.store import open_store

    unfinished = folder.with_name(f"{folder.name}.unfinished")
    if unfinished.exists():
        raise ValueError(f"{unfinished} が残っています。ほかの backup が動いていなければ、消してからもう一度実行してください")
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.mkdir(mode=0o700)  # whose data lies in there is nobody else's business
    try:
        with tempfile.TemporaryFile("w+") as listed:
            dumps.dump(engine, unfinished / _DATABASE, look=lambda session: _list_files(session, listed), tools=tools)
            listed.seek(0)
            named = (_named_of(line) for line in listed)
            copied, lost = _copy_named(named, open_store(settings.attachments), open_store((unfinished / _FILES).resolve().as_uri()))
        swept = [one.key for one in lost if not is_named(engine, one.key)]
        faults = [one.key for one in lost if not one.held and one.key not in swept]
        manifest = {
            "taken_at": now.isoformat(),
            "database": dumps.kind_of(engine),
            "sha256": dumps.fingerprint(unfinished / _DATABASE),
            "files": copied,
            "missing": faults,
            "swept": swept,
        }
        (unfinished / _MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1))
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return f"{folder} に控えを取りました（ファイル {copied}件）。" + (f" 照合できないファイルが {len(faults)}件あります。" if faults else "")


def _list_files(session: Session, listed: TextIO) -> None:
    """Write down, a line each, the files that a database names: copying them takes longer than a transaction should."""
    from actions.files import named_in

    for one in named_in(session):
        listed.write(json.dumps(asdict(one)) + "\n")


def _named_of(line: str) -> Named:
    from actions.files import Named

    return Named(**json.loads(line))


def bring_back(settings: Settings, folder: Path, *, numbers: int, now: datetime, tools: Path | None = None) -> str:
    """Fill the empty database and the storage from a backup; a sentence that says what to look after. Raises ValueError when it cannot.

    One that broke off in the files is taken up there: its letters rest since before the first of them.
    """
    from actions.restoring import end_restore
    from models import dumps
    from models.database import make_engine, transaction
    from storage.store import open_store

    manifest = _read_manifest(folder)
    engine = make_engine(settings.database_url)
    try:
        if manifest.database != dumps.kind_of(engine):
            raise ValueError(f"控えは {manifest.database} のものです")
        source, target = open_store((folder / _FILES).resolve().as_uri()), open_store(settings.attachments)
        target.probe()
        parked = _broken_off(engine, manifest)
        if parked is None:
            parked = _fill(engine, folder / _DATABASE, manifest, numbers=numbers, now=now, tools=tools)
        copied, faults = copy_files(engine, source, target)
        with transaction(engine) as session:
            end_restore(session, taken_at=manifest.taken_at, files=copied, now=now)
    finally:
        engine.dispose()
    lacking = f" 照合できないファイルが {len(faults)}件あります。" if faults else ""
    return f"戻しました（ファイル {copied}件）。送信の途中だったメール {parked}通を止めています。コンソールの「送信メール」で確かめてください。{lacking}"


def _broken_off(engine: Engine, manifest: _Manifest) -> int | None:
    """How many letters rest of a restore of this very backup that broke off in the files; None where the database is empty. Raises ValueError."""
    from actions.restoring import broken_off
    from models import dumps
    from models.database import transaction
    from models.schema_version import pending_migrations

    if dumps.is_empty(engine):
        return None
    parked = None
    if not pending_migrations(engine):
        with transaction(engine, readonly=True) as session:
            parked = broken_off(session, taken_at=manifest.taken_at)
    if parked is None:
        raise ValueError("データベースが空ではありません。戻す途中で止まったものなら、データベースを作り直してから、もう一度 restore を実行してください")
    return parked


def _fill(engine: Engine, database: Path, manifest: _Manifest, *, numbers: int, now: datetime, tools: Path | None) -> int:
    """Bring the database back, and stop its letters before anything else is done; how many. Raises ValueError."""
    from actions.restoring import settle_restored
    from cli_setup import bring_up_to_date
    from models import dumps
    from models.database import transaction

    if not dumps.is_sound(engine, database) or manifest.sha256 not in ("", dumps.fingerprint(database)):
        raise ValueError("控えのデータベースが壊れています")
    dumps.restore(engine, database, tools=tools)
    if not dumps.is_whole(engine):
        raise ValueError("戻したデータベースが壊れています")
    bring_up_to_date(engine)
    with transaction(engine) as session:
        return settle_restored(session, taken_at=manifest.taken_at, numbers=numbers, swept=manifest.swept, now=now)


@dataclass(frozen=True)
class _Manifest:
    """What a backup says of itself; those of older versions name no `sha256`."""

    taken_at: datetime
    database: str
    sha256: str = ""
    swept: tuple[str, ...] = ()
    """Files that the jobs swept while it was taken: the database names them, and nobody has them."""


def _read_manifest(folder: Path) -> _Manifest:
    """Raises ValueError where it cannot be read."""
    try:
        told = json.loads((folder / _MANIFEST).read_text())
        return _Manifest(datetime.fromisoformat(told["taken_at"]), str(told["database"]), str(told.get("sha256", "")), tuple(told.get("swept", ())))
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise ValueError(f"控えの {_MANIFEST} が壊れています") from fault


def copy_files(engine: Engine, source: Store, target: Store) -> tuple[int, list[str]]:
    """Copy every file that the database names; (how many arrived whole, the keys of those that did not). What is there already is not sent again."""
    from actions.files import named_files

    copied, lost = _copy_named(named_files(engine), source, target)
    return copied, [one.key for one in lost if not one.held]


def _copy_named(named: Iterable[Named], source: Store, target: Store) -> tuple[int, list[Named]]:
    """(how many arrived whole, those that did not)."""
    copied, lost = 0, list["Named"]()
    for one in named:
        if _is_there(target, one) or (_copy(source, target, one.key) and _is_there(target, one)):
            copied += 1
        else:
            lost.append(one)
    return copied, lost


def _is_there(target: Store, named: Named) -> bool:
    """Whether the bytes lie there whole; they are read: what was sent is not yet what was kept."""
    return target.size(named.key) == named.size and target.digest(named.key).sha256 == named.sha256


def _copy(source: Store, target: Store, key: str) -> bool:
    """Copy one file; False when the source has lost it. By way of the disk: one object store cannot be read from within another one's writing."""
    with tempfile.TemporaryFile() as between:
        try:
            for chunk in source.chunks(key):
                between.write(chunk)
        except FileNotFoundError:
            return False
        between.seek(0)
        target.keep(key, iter(lambda: between.read(_CHUNK), b""))
    return True


@contextmanager
def _ending(sentence: str, advice: str = "") -> Iterator[None]:
    """What cannot be done in the block ends the command with one line: `sentence`, why, and what to do when there was no room."""
    from obstore.exceptions import BaseError
    from sqlalchemy.exc import SQLAlchemyError

    from models.dumps import NoTool

    try:
        yield
    except NoTool as lacking:
        _stop(f"{lacking} が必要です。PostgreSQL のクライアントを入れるか、--tools で場所を指定してください。")
    except ValueError as fault:
        _stop(f"{sentence}（{one_line(fault)}）。")
    except (OSError, BaseError, SQLAlchemyError) as fault:
        _stop(f"{sentence}（{one_line(fault)}）。{advice}")


def _stop(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)

"""The command line's imports: `jtickets import plan FILE`, `jtickets import apply FILE`.

What they need is imported where it is used: every command of the line loads this file, the web processes too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli_import_told import outcome, print_plan, show_outcome, show_plan
from cli_setup import opened_database, settings_of_a_process, settings_or_exit
from rules.refusal import Refused

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from actions.import_apply import Written
    from actions.import_plans import Plan, Rows
    from models.actors import Actor
    from settings import Settings

imports = typer.Typer(no_args_is_help=True, help="証書の取込：ファイルの計画を確かめ、反映します。")

CLEAN, FOUND, UNREADABLE = 0, 1, 2
_MOST_TRIES = 3
File = Annotated[Path, typer.Argument(help="xlsx、xls、csv（UTF-8 か cp932）のファイル。", show_default=False)]
Annotate = Annotated[
    Path | None, typer.Option(metavar="OUT.xlsx", help="エラーの印・行ごとの結果・原因の一覧を付けたファイルを書き出します。", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="要約の代わりに JSON を出力します。")]


@imports.command("plan")
def plan_command(file: File, as_json: AsJson = False, annotate: Annotate = None) -> None:
    """FILE を反映すると何が変わるかを示します（何も書き込みません）。

    終了コード：0 問題なし、1 エラーあり、2 読み込めない。
    """
    _require_other(file, annotate)
    with opened() as (settings, engine), _steps() as step:
        rows, sheets, plan = _read_and_compare(engine, settings, file, step)
        step("完了", 100)
    unclear = _tell_sheets(sheets)
    _annotate(file, annotate, plan, sheets)
    if as_json:
        print_plan(file, sheets, plan)
    else:
        show_plan(file, sheets, plan)
    raise typer.Exit(_code(rows, found=unclear or bool(rows.errors)))


@imports.command("apply")
def apply_command(
    file: File,
    as_json: AsJson = False,
    confirm_warnings: Annotated[bool, typer.Option(help="警告のある証書も、すべて確認したものとして反映します。")] = False,
    all_or_nothing: Annotated[bool, typer.Option("--all-or-nothing", help="すべての証書に問題がないときだけ反映します。")] = False,
    staff: Annotated[str, typer.Option(help="操作履歴に残す職員のユーザーID。")] = "",
    annotate: Annotate = None,
) -> None:
    """FILE の問題のない証書を、まとめて反映します（1 つのトランザクション）。

    エラーのある証書と、--confirm-warnings を付けないときの警告のある証書は、証書ごと反映を待ちます。
    もう 1 人の承認は求めません：このコマンドを実行した人の責任になります。
    同じファイルをもう一度反映しても、何も変わりません。終了コード：0 問題なし、1 反映待ちあり、2 読み込めない。
    """
    _require_other(file, annotate)
    with opened(keeps_files=True) as (settings, engine):
        by = actor_of(engine, staff)
        with _steps() as step:
            rows, sheets, plan = _read_and_compare(engine, settings, file, step, confirmed=confirm_warnings)
            unclear = _tell_sheets(sheets)
            if not rows.values:
                raise typer.Exit(_code(rows, found=False))
            # First: where the result cannot be written, nothing is applied.
            _annotate(file, annotate, plan, sheets)
            step("反映しています", 60)
            batch_id, written = (None, None) if unclear else _store(engine, settings, file, plan, sheets, by, all_or_nothing=all_or_nothing)
            step("完了", 100)
    told = outcome(file, batch_id, plan, written)
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        show_outcome(told, confirmed=confirm_warnings)
    raise typer.Exit(_code(rows, found=unclear or bool(told["held"]["rows"])))


def _require_other(file: Path, out: Path | None) -> None:
    """Nothing is written over the workbook itself."""
    if out is not None and (out.resolve() == file.resolve() or (out.exists() and file.exists() and out.samefile(file))):
        typer.echo(f"「{out}」は読み込むファイルそのものです。別の名前を指定してください。", err=True)
        raise typer.Exit(UNREADABLE)


def _code(rows: Rows, *, found: bool) -> int:
    """The exit code; a workbook without any row counts as unreadable."""
    from wording.refusals import say

    if not rows.values:
        typer.echo(say(Refused("workbook_no_rows")), err=True)
        return UNREADABLE
    return FOUND if found else CLEAN


@contextmanager
def opened(*, keeps_files: bool = False) -> Iterator[tuple[Settings, Engine]]:
    """The settings and the database with this version's tables; for what `keeps_files`, folders that can be written into."""
    settings = (settings_of_a_process if keeps_files else settings_or_exit)(code=UNREADABLE)
    with opened_database(settings, code=UNREADABLE) as engine:
        yield settings, engine


def actor_of(engine: Engine, user_id: str) -> Actor:
    """The staff member in whose name it is recorded, the system without one. Ends with 2 where nobody is known by it."""
    from sqlalchemy import select

    from models.actors import SYSTEM, Actor
    from models.database import transaction
    from models.people import Staff

    if not user_id:
        return SYSTEM
    with transaction(engine, readonly=True) as session:
        member = session.scalars(select(Staff).where(Staff.user_id_key == user_id.lower())).one_or_none()
    if member is None:
        typer.echo(f"職員「{user_id}」は登録されていません。", err=True)
        raise typer.Exit(UNREADABLE)
    return Actor(member.id, member.name, kind="staff")


def _read_and_compare(
    engine: Engine, settings: Settings, file: Path, step: Callable[[str, int], None], *, confirmed: bool = False
) -> tuple[Rows, list[dict[str, Any]], Plan]:
    from jobs.plan_import import compare, read_rows
    from rules.calendar import tokyo_date
    from web.wiring import utc_now
    from wording.refusals import say

    if not file.is_file():
        typer.echo(f"ファイル「{file}」が見つかりません。場所と名前をお確かめください。", err=True)
        raise typer.Exit(UNREADABLE)
    try:
        step("ファイルを読み込んでいます", 5)
        rows, sheets = read_rows(engine, file, file_name=file.name, limits=settings.limits)
        step("登録済みの証書と比べています", 45)
        if confirmed:
            rows.confirmed = set(range(len(rows.values)))
        plan = compare(engine, rows, today=tokyo_date(utc_now()))
    except Refused as refused:
        typer.echo(say(refused), err=True)
        raise typer.Exit(UNREADABLE) from refused
    except OSError as fault:
        typer.echo(f"ファイル「{file}」を開けません（{fault.strerror}）。", err=True)
        raise typer.Exit(UNREADABLE) from fault
    return rows, sheets, plan


def _annotate(file: Path, out: Path | None, plan: Plan, sheets: list[dict[str, Any]]) -> None:
    """Hand the workbook back, and say what it lacks."""
    from actions.import_workbook import planned_rows
    from importers.annotate import annotate
    from wording.refusals import say

    if out is None or not plan.rows.values:
        return
    try:
        losses = annotate(file, file.name, planned_rows(plan), out, sheets=sheets)
    except Refused as refused:
        typer.echo(say(refused), err=True)
        raise typer.Exit(UNREADABLE) from refused
    except OSError as fault:
        typer.echo(f"「{out}」に書き込めません（{fault.strerror}）。場所をお確かめください。", err=True)
        raise typer.Exit(UNREADABLE) from fault
    for sentence in losses.sentences():
        typer.echo(sentence, err=True)
    typer.echo(f"結果を「{out}」に書き込みました。", err=True)


def _tell_sheets(sheets: list[dict[str, Any]]) -> bool:
    """Say what the console shows of the sheets; whether it would ask what the columns hold: then nothing is applied."""
    from actions.import_mapping import is_unclear

    for sheet in sheets:
        for note in sheet["notes"]:
            typer.echo(f"シート「{sheet['name']}」：{note}" if sheet["name"] else note, err=True)
    unclear = is_unclear(sheets)
    if unclear:
        typer.echo("必要な列が見つからないため、このままでは反映できません。管理画面の「証書の取込」で、列の対応を選んでください。", err=True)
    return unclear


def _store(engine: Engine, settings: Settings, file: Path, plan: Plan, sheets: list[dict[str, Any]], by: Actor, *, all_or_nothing: bool) -> tuple[int, Written]:
    """Keep the plan as a batch, and apply it."""
    batch_id = _receive(engine, settings, file, by)
    with _telling(engine, batch_id, by):
        _keep(engine, batch_id, plan, sheets, by)
        return batch_id, _apply(engine, batch_id, by, all_or_nothing=all_or_nothing)


def _receive(engine: Engine, settings: Settings, file: Path, by: Actor) -> int:
    """Store the workbook as a batch, as an upload in the console would; the job leaves it to this process."""
    from actions import import_batches
    from models.database import transaction
    from models.imports import BatchState
    from rules.filenames import clean_name
    from storage.store import open_store
    from web.wiring import utc_now

    try:
        with file.open("rb") as content:
            stored = open_store(settings.attachments).put(content, folder="imports")
    except OSError as fault:
        typer.echo(f"ファイル「{file}」を保管できないため、反映していません（{fault}）。添付ファイルの保管先をお確かめください。", err=True)
        raise typer.Exit(UNREADABLE) from fault
    with transaction(engine) as session:
        name, now = clean_name(file.name), utc_now()
        return import_batches.receive(session, file_name=name, stored=stored, by=by, now=now, state=BatchState.PLANNING).id


@contextmanager
def _telling(engine: Engine, batch_id: int, by: Actor) -> Iterator[None]:
    """Where somebody in the console was quicker with this batch: end with 2 and the sentence that says so."""
    from jobs.plan_import import Dropped
    from models.imports import BatchState
    from wording import labels
    from wording.refusals import say

    try:
        yield
    except (Dropped, Refused) as fault:
        _close(engine, batch_id, by)
        refused = fault if isinstance(fault, Refused) else Refused("batch_state", state=labels.batch_state(BatchState.DISCARDED))
        typer.echo(say(refused), err=True)
        raise typer.Exit(UNREADABLE) from fault


def _keep(engine: Engine, batch_id: int, plan: Plan, sheets: list[dict[str, Any]], by: Actor) -> None:
    from jobs.plan_import import keep
    from web.wiring import utc_now

    keep(engine, batch_id, plan, sheets, by=by, now=utc_now(), guard=lambda _session: None)


def _apply(engine: Engine, batch_id: int, by: Actor, *, all_or_nothing: bool) -> Written:
    """Apply; certificates that somebody changed this very moment are planned again and tried again."""
    from actions import import_apply
    from models.database import transaction
    from models.imports import ImportBatch
    from web.wiring import utc_now

    for _ in range(_MOST_TRIES):
        try:
            with transaction(engine) as session:
                batch = session.get_one(ImportBatch, batch_id)
                written = import_apply.apply(session, batch, by=by, now=utc_now(), all_or_nothing=all_or_nothing)
        except Refused as refused:
            if refused.code not in ("nothing_to_apply", "not_all_sound"):
                raise
            _close(engine, batch_id, by)
            return import_apply.Written()
        if not written.outdated:
            return written
    _close(engine, batch_id, by)
    return import_apply.Written()


def _close(engine: Engine, batch_id: int, by: Actor) -> None:
    """Nothing came of it: it shall not wait in the console's list."""
    from actions import import_batches
    from models.database import transaction
    from models.imports import BatchState, ImportBatch
    from web.wiring import utc_now

    with transaction(engine) as session:
        batch = session.get_one(ImportBatch, batch_id)
        if batch.state in (BatchState.PLANNING, BatchState.PLANNED):
            import_batches.discard(session, batch, by=by, now=utc_now())


@contextmanager
def _steps() -> Iterator[Callable[[str, int], None]]:
    """A bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("", total=100)
        yield lambda words, done: progress.update(task, description=words, completed=done)

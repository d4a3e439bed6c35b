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

from cli_setup import opened_database, settings_of_a_process, settings_or_exit
from rules.refusal import Refused

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import Engine

    from actions.import_apply import Written
    from actions.import_plans import Plan, Rows
    from models.actors import Actor
    from settings import Settings

imports = typer.Typer(no_args_is_help=True, help="証書の取込：ファイルの計画を確かめ、反映します。")

CLEAN, FOUND, UNREADABLE = 0, 1, 2
_MOST_TRIES = 3
_SHOWN = 20
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
    _annotate(file, annotate, plan, sheets)
    if as_json:
        _print_plan(file, sheets, plan)
    else:
        _show_plan(file, sheets, plan)
    raise typer.Exit(_code(rows, found=bool(rows.errors)))


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
            if not rows.values:
                raise typer.Exit(_code(rows, found=False))
            # First: where the result cannot be written, nothing is applied.
            _annotate(file, annotate, plan, sheets)
            step("計画を保存しています", 60)
            batch_id = _receive(engine, settings, file, by)
            with _telling(engine, batch_id, by):
                _keep(engine, batch_id, plan, sheets, by)
                step("反映しています", 80)
                written = _apply(engine, batch_id, by, all_or_nothing=all_or_nothing)
            step("完了", 100)
    told = _outcome(file, batch_id, plan, written)
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        _show_outcome(told, confirmed=confirm_warnings)
    raise typer.Exit(_code(rows, found=bool(told["held"]["rows"])))


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


def _outcome(file: Path, batch_id: int, plan: Plan, written: Written) -> dict[str, Any]:
    held = [index for index, row in plan.held_by.items() if row]
    rows = [
        {
            "sheet": plan.rows.sheets[index],
            "row": plan.rows.numbers[index],
            "status": plan.statuses[index],
            "contract": plan.rows.values[index][1],
            "held_by": plan.held_by[index],
            "reasons": [issue["message"] for issue in (*plan.rows.errors.get(index, ()), *plan.rows.warnings.get(index, ()))],
        }
        for index in sorted(held)
    ]
    certificates = sum(1 for certificate in plan.certificates.values() if certificate.held_by)
    return {
        "file": file.name,
        "batch": batch_id,
        "written": {
            "certificates": written.certificates,
            "new": written.new,
            "changed": written.changed,
            "unchanged": plan.statuses.count("unchanged"),
        },
        "held": {"certificates": certificates, "rows": rows},
        "missing": plan.missing,
        "summary": plan.summary(),
    }


def _print_plan(file: Path, sheets: list[dict[str, Any]], plan: Plan) -> None:
    """One JSON object, a row a line, so that 100,000 rows need no second copy in memory."""
    told = [{name: sheet[name] for name in ("name", "rows", "heading_row", "skipped", "hidden", "notes")} for sheet in sheets]
    print("{" + f'"file":{_json(file.name)},"sheets":{_json(told)},"rows":[')
    for index, row in enumerate(plan.told()):
        print(("," if index else "") + _json(row))
    print(f'],"missing":{_json(plan.missing)},"summary":{_json(plan.summary())}' + "}")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _show_plan(file: Path, sheets: list[dict[str, Any]], plan: Plan) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    summary = plan.summary()
    console.print(f"{file.name}：反映すると起きること", markup=False, soft_wrap=True)
    table = Table()
    table.add_column("判定")
    table.add_column("行", justify="right")
    for label, count in _counts(summary):
        table.add_row(label, f"{count:,}")
    console.print(table)
    for sheet in sheets:
        console.print(
            sheet["skipped"] or f"シート「{sheet['name']}」：{sheet['rows']:,}行（見出しは {sheet['heading_row']}行目）", markup=False, soft_wrap=True
        )
    _show_problems(console, plan)
    console.print(f"証書 {summary['certificates']:,}件。まだ何も反映されていません。", markup=False, soft_wrap=True)


def _counts(summary: dict[str, int]) -> list[tuple[str, int]]:
    labels = {"new": "新規", "changed": "変更", "unchanged": "変更なし", "error": "エラー", "warnings": "警告のある行", "missing": "ファイルにない明細"}
    return [(label, summary[name]) for name, label in labels.items()]


def _show_problems(console: Console, plan: Plan) -> None:
    problems = sorted({*plan.rows.errors, *plan.rows.warnings})
    for index in problems[:_SHOWN]:
        place = f"{plan.rows.sheets[index]} {plan.rows.numbers[index]}行目".strip()
        for kind, issues in (("エラー", plan.rows.errors), ("警告", plan.rows.warnings)):
            for issue in issues.get(index, ()):
                console.print(f"{kind}  {place}  {issue['message']}", markup=False, soft_wrap=True)
    if len(problems) > _SHOWN:
        console.print(f"ほか {len(problems) - _SHOWN:,}行。すべては --json で出力できます。", markup=False, soft_wrap=True)


def _show_outcome(told: dict[str, Any], *, confirmed: bool) -> None:
    from rich.console import Console

    console = Console()
    written, held = told["written"], told["held"]
    if written["certificates"]:
        lines = written["new"] + written["changed"]
        console.print(
            f"証書 {written['certificates']:,}件（新規 {written['new']:,}行・変更 {written['changed']:,}行、合わせて {lines:,}行）を反映しました。",
            markup=False,
        )
    else:
        console.print("反映する内容はありませんでした。何も変わっていません。", markup=False, soft_wrap=True)
    if held["rows"]:
        console.print(f"証書 {held['certificates']:,}件（{len(held['rows']):,}行）は反映待ちです。", markup=False, soft_wrap=True)
        for row in [row for row in held["rows"] if row["reasons"]][:_SHOWN]:
            console.print(f"  {row['sheet']} {row['row']}行目  {' '.join(row['reasons'])}", markup=False, soft_wrap=True)
        if not confirmed:
            console.print("警告だけの証書は、内容を確かめてから --confirm-warnings を付けると反映できます。", markup=False, soft_wrap=True)
    if told["missing"]:
        console.print(f"ファイルにない明細が {len(told['missing']):,}件あります。残しました。", markup=False, soft_wrap=True)


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

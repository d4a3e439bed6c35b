"""`jtickets import undo BATCH`: bring back what an applied import found, as the console does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli_imports import CLEAN, FOUND, UNREADABLE, AsJson, actor_of, imports, opened
from rules.refusal import Refused

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from models.actors import Actor
    from settings import Settings

_LAST_NUMBER = 2**31 - 1
"""No batch has a greater one, and a database may refuse to look for it."""


@imports.command("undo")
def undo_command(
    batch: Annotated[int, typer.Argument(help="Number of the import, as apply --json and the console's address tell it.", show_default=False)],
    as_json: AsJson = False,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would change back; nothing is written.")] = False,
    staff: Annotated[str, typer.Option(help="User ID of the staff member in whose name this is recorded.")] = "",
) -> None:
    """Undo the import BATCH, in one transaction; an undo can be undone too.

    What was edited since stays and is named. Exit codes: 0 clean, 1 something was kept, 2 it cannot be undone.
    """
    with opened() as (settings, engine):
        by = actor_of(engine, staff)
        try:
            told = _undo(engine, settings, batch, by, only_plan=plan)
        except Refused as refused:
            from wording.refusals import say

            typer.echo(say(refused), err=True)
            raise typer.Exit(UNREADABLE) from refused
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        _show(told)
    raise typer.Exit(FOUND if told["counts"]["kept"] else CLEAN)


def _undo(engine: Engine, settings: Settings, batch_id: int, by: Actor, *, only_plan: bool) -> dict[str, Any]:
    from actions import import_undo
    from models.database import transaction
    from models.imports import ImportBatch
    from web.wiring import utc_now

    now = utc_now()
    with transaction(engine, readonly=only_plan) as session:
        batch = session.get(ImportBatch, batch_id) if 0 < batch_id <= _LAST_NUMBER else None
        if batch is None:
            typer.echo(f"取込 {batch_id} はありません。番号をお確かめください。", err=True)
            raise typer.Exit(UNREADABLE)
        found = import_undo.plan_undo(session, batch, now=now, limits=settings.limits)
        kept = [{"contract": line.contract_key, "product_number": line.product_number, "serial": line.serial} for line in found.kept]
        own = None if only_plan else import_undo.undo(session, batch, by=by, now=now, limits=settings.limits).id
        return {"file": batch.file_name, "undoes": batch_id, "batch": own, "counts": found.counts, "kept": kept}


def _show(told: dict[str, Any]) -> None:
    counts = told["counts"]
    typer.echo(f"{told['file']}：" + ("元に戻すと起きること（まだ何も変わっていません）" if told["batch"] is None else "取込を元に戻しました。"))
    typer.echo(f"なくなる明細 {counts['removed']:,}件・元の値に戻る明細 {counts['changed']:,}件・戻る明細 {counts['returned']:,}件")
    if counts["kept"]:
        typer.echo(f"次の {counts['kept']:,}件は、反映のあとで編集されているため残します。")
    for line in told["kept"]:
        typer.echo(f"  {line['contract']} {line['product_number'] or '証書の内容'} {line['serial'] or ''}".rstrip())
    if told["batch"] is not None:
        typer.echo(f"この取消を元に戻すには：jtickets import undo {told['batch']}")

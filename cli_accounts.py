"""The command line's accounts: `jtickets account export USER_ID`, for a request of disclosure (開示請求)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli_setup import opened_database, settings_or_exit

accounts = typer.Typer(no_args_is_help=True, help="お客様のアカウントを扱います。")


@accounts.callback()
def _group() -> None:
    """お客様のアカウントを扱います。"""


@accounts.command("export")
def export_command(
    user_id: Annotated[str, typer.Argument(help="お客様のユーザーID。", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="書き出すファイル（省くと account-<番号>.zip）。")] = None,
) -> None:
    """1 人の個人情報を、添付ファイルも含めて 1 つの zip に書き出します（操作履歴に残ります）。"""
    import zipfile

    from actions.personal_data import export_person, files_of
    from models.actors import SYSTEM
    from models.database import transaction
    from models.people import account_by_user_id
    from rules.credentials import user_id_key
    from storage.store import open_store
    from web.wiring import utc_now

    settings, now = settings_or_exit(), utc_now()
    store = open_store(settings.attachments)
    with opened_database(settings) as engine, transaction(engine) as session:
        account = account_by_user_id(session, user_id_key(user_id))
        if account is None:
            typer.echo(f"ユーザーID「{user_id}」のアカウントはありません。", err=True)
            raise typer.Exit(1)
        told, files = export_person(session, account, by=SYSTEM, now=now), files_of(session, account.id, now=now)
        path = out or Path(f"account-{account.id}.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("account.json", json.dumps(told, ensure_ascii=False, indent=1))
        for number, file in enumerate(files, 1):
            with archive.open(f"files/{file.ticket_id}-{number}-{file.name}", "w", force_zip64=True) as target:
                for chunk in store.chunks(file.storage_key):
                    target.write(chunk)
    typer.echo(f"{path} に書き出しました（チケット {len(told['tickets'])}件、ファイル {len(files)}件）。")

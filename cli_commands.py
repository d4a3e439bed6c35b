"""The commands of `jtickets`, each importing what it runs by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli_accounts import accounts
from cli_import_undo import imports
from cli_operations import backup, check_attachments, restore, storage
from cli_serve import FACE, FACES, HOST, MOST_PORT, MOST_WORKERS, PORT, WORKERS, serve_pages
from cli_setup import bring_up_to_date, one_line, open_database, opened_database, settings_of_a_process, settings_or_exit
from rules.rights import Role

if TYPE_CHECKING:
    from settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables cut Japanese sentences short: they have no blanks to break at
    help="J's チケットシステム。設定は環境変数 JTICKETS_* で行います（README と docs/operating.md）。",
)
staff = typer.Typer(no_args_is_help=True, help="職員を管理します。")
app.add_typer(staff, name="staff")
app.add_typer(imports, name="import")
app.add_typer(accounts, name="account")
app.add_typer(storage, name="storage")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="待ち受けるアドレス。")] = HOST,
    port: Annotated[int, typer.Option(help="待ち受けるポート。", min=1, max=MOST_PORT)] = PORT,
    face: Annotated[str, typer.Option(help="both（両方）、portal（お客様）、console（職員）。")] = FACE,
    workers: Annotated[int, typer.Option(help="プロセスの数。", min=1, max=MOST_WORKERS)] = WORKERS,
) -> None:
    """Web の画面を提供します（SIGTERM で終了）。"""
    if face not in FACES:
        raise typer.BadParameter("both、portal、console のいずれかにしてください。", param_hint="--face")
    serve_pages(host=host, port=port, face=face, workers=workers)


@app.command()
def jobs() -> None:
    """メールの送信・リマインド・取込などのジョブを実行します（SIGTERM で終了。いくつでも同時に動かせます）。"""
    from jobs.parts import parts_of
    from jobs.runner import run as run_jobs
    from web.logs import configure

    settings = settings_of_a_process()
    open_database(settings).dispose()
    configure(settings.log_level)
    run_jobs(parts_of(settings))


@app.command("migrate")
def migrate_command() -> None:
    """データベースの表を、このバージョンに更新します。"""
    from sqlalchemy.exc import SQLAlchemyError

    from models.database import make_engine

    settings = settings_or_exit()
    try:
        engine = make_engine(settings.database_url)
        bring_up_to_date(engine)
    except (SQLAlchemyError, OSError) as fault:
        typer.echo(f"JTICKETS_DATABASE_URL: データベースを更新できません（{one_line(fault)}）。", err=True)
        raise typer.Exit(1) from fault
    typer.echo("データベースは最新です。")


@app.command("compile")
def compile_templates(folder: Annotated[Path, typer.Argument(help="書き込むフォルダー。JTICKETS_COMPILED_DIR で指定します。")]) -> None:
    """画面のテンプレートを先に用意します（コンテナイメージを作るとき。最初の表示が速くなります）。"""
    from web.render import compile_ahead

    folder.mkdir(parents=True, exist_ok=True)
    typer.echo(f"{compile_ahead(folder)}件のテンプレートを用意しました。")


@app.command()
def demo() -> None:
    """空のデータベースに、見本のデータを入れます。"""
    settings = settings_of_a_process()
    for line in _load_demo(settings):
        typer.echo(line)


@app.command()
def run(port: Annotated[int, typer.Option(help="待ち受けるポート。", min=1, max=MOST_PORT)] = PORT) -> None:
    """ひととおり試します：表の更新、初回は見本のデータ、Web とジョブ。"""
    os.environ.setdefault("JTICKETS_BASE_URL", f"http://127.0.0.1:{port}")
    os.environ.setdefault("JTICKETS_STAFF_TOTP", "optional")
    settings = settings_of_a_process()
    _check_port(port)
    logins = _load_demo(settings)
    typer.echo(f"portal   {settings.base_url}/")
    typer.echo(f"console  {settings.base_url}/console/sign-in")
    for line in logins:
        typer.echo(line)
    raise typer.Exit(_supervise([["serve", "--port", str(port)], ["jobs"]]))


@app.command()
def check(
    attachments: Annotated[bool, typer.Option("--attachments", help="添付ファイルと記録を 1 件ずつ照合します。")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="添付ファイルの中身まで読んで照合します。")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="照合で見つけた不要なものを消します。")] = False,
) -> None:
    """設定・データベース・メール・保存先を確かめます（1 行ずつ。問題があれば終了コード 1）。"""
    from sqlalchemy.exc import SQLAlchemyError

    from settings import unknown_variables

    settings = settings_or_exit()
    if attachments or deep or repair:
        raise typer.Exit(0 if check_attachments(settings, deep=deep, repair=repair) else 1)
    unused = "、".join(unknown_variables(os.environ))
    typer.echo(f"settings  ok（使われない変数：{unused}）" if unused else "settings  ok")
    parts: list[tuple[str, Callable[[], str]]] = [
        ("database", lambda: _check_database(settings)),
        ("mail", lambda: _check_mail(settings)),
        ("storage", lambda: _check_storage(settings)),
    ]
    failed = False
    for name, probe in parts:
        try:
            typer.echo(f"{name:<9} ok（{probe()}）")
        except (SQLAlchemyError, OSError, _Amiss) as fault:
            failed = True
            typer.echo(f"{name:<9} FAULT（{one_line(fault)}）")
    raise typer.Exit(1 if failed else 0)


@staff.command("add")
def staff_add(
    user_id: Annotated[str, typer.Option(help="サインインに使うユーザーID。")],
    name: Annotated[str, typer.Option(help="同僚に表示する名前。")],
    email: Annotated[str, typer.Option(help="メールアドレス。OpenID の初回サインインで照合します。")],
    role: Annotated[list[Role], typer.Option(help="役割（複数指定できます）。")],
    password: Annotated[str | None, typer.Option(help="パスワード（15 文字以上）。省くと OpenID だけでサインインします。")] = None,
) -> None:
    """職員を追加します。"""
    from actions.staff import add_staff
    from models.actors import SYSTEM
    from models.database import transaction
    from rules.credentials import check_staff_password
    from rules.refusal import Refused
    from web.wiring import passwords_of, utc_now
    from wording.refusals import say

    settings = settings_or_exit()
    hashed = None
    try:
        if password is not None:
            check_staff_password(password, user_id=user_id, email=email)
            hashed = passwords_of(settings).hash(password)
        with opened_database(settings) as engine, transaction(engine) as session:
            add_staff(session, user_id=user_id, name=name, email=email, roles=role, password_hash=hashed, by=SYSTEM, now=utc_now())
    except Refused as refused:
        typer.echo(f"--{(refused.field or '').replace('_', '-')}: {say(refused)}", err=True)
        raise typer.Exit(1) from refused
    typer.echo(f"{user_id} を追加しました（{'、'.join(role)}）。")


app.command()(backup)
app.command()(restore)


class _Amiss(Exception):
    """What a check found, in words."""


def _check_port(port: int) -> None:
    """Name a port that another process has before anything is loaded, and before addresses are shown that lead to it."""
    import socket

    try:
        socket.create_server((HOST, port)).close()
    except OSError as fault:
        typer.echo(
            f"ポート {port} を使えません（{os.strerror(fault.errno or 0)}）。ほかのポートでお試しください：jtickets run --port {port % MOST_PORT + 1}", err=True
        )
        raise typer.Exit(1) from fault


def _load_demo(settings: Settings) -> list[str]:
    from demo.load import load
    from storage.store import open_store
    from web.wiring import desk_of, passwords_of, utc_now

    with opened_database(settings) as engine:
        return load(engine, open_store(settings.attachments), lambda: passwords_of(settings), desk=desk_of(settings), now=utc_now())


def _check_database(settings: Settings) -> str:
    from sqlalchemy import text

    from models.contracts import stray_lines
    from models.database import is_embedded, make_engine, transaction
    from models.schema_version import pending_migrations

    engine = make_engine(settings.database_url)
    kind = "SQLite" if is_embedded(engine) else "PostgreSQL"
    try:
        with transaction(engine, readonly=True) as session:
            session.execute(text("SELECT 1"))
        if pending_migrations(engine):
            return f"{kind}、更新が必要です：jtickets migrate"
        with transaction(engine, readonly=True) as session:
            stray = stray_lines(session)
    finally:
        engine.dispose()
    if stray:
        raise _Amiss(f"証書のない契約明細が {stray} 件あります。バックアップから戻すか、その証書を取り込み直してください")
    return f"{kind}、最新"


def _check_mail(settings: Settings) -> str:
    from mail.mailbox import probe as read_from
    from mail.smtp import probe

    if settings.imap_url:
        read_from(settings.imap_url)
    if not settings.smtp_url:
        return "JTICKETS_SMTP_URL なし：メールは /console/mails に残します"
    return probe(settings.smtp_url)


def _check_storage(settings: Settings) -> str:
    from storage.store import open_store

    open_store(settings.attachments).probe()
    return settings.attachments.partition("://")[0]


def _supervise(commands: list[list[str]]) -> int:
    """Run our own commands side by side until one ends or a signal comes; then end the others."""
    stopping = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent)}
    processes = [subprocess.Popen([sys.executable, "-m", "cli", *command], env=environment) for command in commands]  # noqa: S603 - our own commands
    while not stopping and all(process.poll() is None for process in processes):
        time.sleep(0.2)
    for process in processes:
        if process.poll() is None:
            process.terminate()
    ended = [process.wait(timeout=30) for process in processes]
    return 0 if stopping else max(abs(code) for code in ended) or 1

"""The command line: `jtickets --help`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from actions import staff as staff_actions
from cli_imports import imports
from demo import load as demo_loader
from jobs.parts import parts_of
from jobs.runner import run as run_jobs
from mail.smtp import probe as probe_smtp
from models.actors import SYSTEM
from models.database import is_embedded, make_engine, migrate, pending_migrations, transaction
from rules.credentials import check_staff_password
from rules.refusal import Refused
from rules.rights import Role
from settings import Settings, SettingsFault, read_settings
from storage.store import open_store
from web.logs import configure
from web.passwords import Passwords
from web.wiring import utc_now
from wording.refusals import say

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="J's チケットシステム: the support desk. Configuration: JTICKETS_* variables (docs/operating.md)."
)
staff = typer.Typer(no_args_is_help=True, help="People of the desk.")
app.add_typer(staff, name="staff")
app.add_typer(imports, name="import")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8720,
    face: Annotated[str, typer.Option(help="both, portal or console.")] = "both",
    workers: Annotated[int, typer.Option(help="Processes.", min=1, max=64)] = 1,
) -> None:
    """Serve the web pages until SIGTERM."""
    if face not in {"both", "portal", "console"}:
        raise typer.BadParameter("face is both, portal or console")
    settings = _settings()
    _require_migrated(settings)
    os.environ["JTICKETS_FACE"] = face
    uvicorn.run(
        "asgi:create",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=5,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or "",
        server_header=False,
        h11_max_incomplete_event_size=65536,
    )


@app.command()
def jobs() -> None:
    """Run the scheduled jobs (mail, reminders, imports) until SIGTERM; any number may run at once."""
    settings = _settings()
    _require_migrated(settings)
    configure(settings.log_level)
    run_jobs(parts_of(settings))


@app.command("migrate")
def migrate_command() -> None:
    """Bring the database's tables up to this version."""
    engine = make_engine(_settings().database_url)
    migrate(engine)
    typer.echo("the database is up to date")


@app.command()
def demo() -> None:
    """Load believable example data into an empty database."""
    settings = _settings()
    engine = make_engine(settings.database_url)
    migrate(engine)
    for line in demo_loader.load(engine, open_store(settings.attachments), _passwords(settings), now=utc_now()):
        typer.echo(line)


@app.command()
def run(port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8720) -> None:
    """Everything at once for a look: migrate, demo data on the first start, web and jobs."""
    os.environ.setdefault("JTICKETS_BASE_URL", f"http://127.0.0.1:{port}")
    os.environ.setdefault("JTICKETS_STAFF_TOTP", "optional")
    settings = _settings()
    engine = make_engine(settings.database_url)
    migrate(engine)
    logins = demo_loader.load(engine, open_store(settings.attachments), _passwords(settings), now=utc_now())
    engine.dispose()
    typer.echo(f"portal   {settings.base_url}/")
    typer.echo(f"console  {settings.base_url}/console/sign-in")
    for line in logins:
        typer.echo(line)
    raise typer.Exit(_supervise([["serve", "--port", str(port)], ["jobs"]]))


@app.command()
def check() -> None:
    """Try the settings, the database, mail and storage: one line each, exit 1 on a fault."""
    settings = _settings()
    typer.echo("settings  ok")
    parts: list[tuple[str, Callable[[], str]]] = [
        ("database", lambda: _check_database(settings)),
        ("mail", lambda: _check_mail(settings)),
        ("storage", lambda: _check_storage(settings)),
    ]
    failed = False
    for name, probe in parts:
        try:
            typer.echo(f"{name:<9} ok ({probe()})")
        except (SQLAlchemyError, OSError) as fault:
            failed = True
            typer.echo(f"{name:<9} FAULT: {' '.join(str(fault).split())[:300]}")
    raise typer.Exit(1 if failed else 0)


@staff.command("add")
def staff_add(
    user_id: Annotated[str, typer.Option(help="What they sign in with.")],
    name: Annotated[str, typer.Option(help="Their name as colleagues read it.")],
    email: Annotated[str, typer.Option(help="Their address; OpenID binds by it once.")],
    role: Annotated[list[Role], typer.Option(help="May be given several times.")],
    password: Annotated[str | None, typer.Option(help="For local sign-in (15 characters or more); without it OpenID only.")] = None,
) -> None:
    """Add a staff member."""
    settings = _settings()
    engine = make_engine(settings.database_url)
    hashed = None
    try:
        if password is not None:
            check_staff_password(password, user_id=user_id, email=email)
            hashed = _passwords(settings).hash(password)
        with transaction(engine) as session:
            staff_actions.add_staff(session, user_id=user_id, name=name, email=email, roles=role, password_hash=hashed, by=SYSTEM, now=utc_now())
    except Refused as refused:
        typer.echo(f"{refused.field or ''}: {say(refused)}", err=True)
        raise typer.Exit(1) from refused
    typer.echo(f"added {user_id} ({', '.join(role)})")


def main() -> None:
    """Run the command line."""
    app()


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsFault as fault:
        for sentence in fault.faults:
            typer.echo(sentence, err=True)
        raise typer.Exit(1) from fault


def _passwords(settings: Settings) -> Passwords:
    return Passwords(memory_kib=settings.argon2_memory_kib, time_cost=settings.argon2_time, at_once=settings.argon2_at_once)


def _require_migrated(settings: Settings) -> None:
    """The embedded database is brought up to date by itself; a served one by its operator, once for all processes."""
    engine = make_engine(settings.database_url)
    try:
        if is_embedded(engine):
            migrate(engine)
        elif pending_migrations(engine):
            typer.echo("the database lacks migrations: run `jtickets migrate` first", err=True)
            raise typer.Exit(1)
    except SQLAlchemyError as fault:
        typer.echo(f"JTICKETS_DATABASE_URL: the database does not answer: {' '.join(str(fault).split())[:300]}", err=True)
        raise typer.Exit(1) from fault
    finally:
        engine.dispose()


def _check_database(settings: Settings) -> str:
    engine = make_engine(settings.database_url)
    with transaction(engine, readonly=True) as session:
        session.execute(text("SELECT 1"))
    return f"{'SQLite' if is_embedded(engine) else 'PostgreSQL'}, {'migrations pending' if pending_migrations(engine) else 'up to date'}"


def _check_mail(settings: Settings) -> str:
    if not settings.smtp_url:
        return "no JTICKETS_SMTP_URL: letters are kept at /console/mails"
    return probe_smtp(settings.smtp_url)


def _check_storage(settings: Settings) -> str:
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
    here = Path(__file__).resolve().parent
    processes = [subprocess.Popen([sys.executable, "-m", "cli", *command], cwd=None, env={**os.environ, "PYTHONPATH": str(here)}) for command in commands]  # noqa: S603 - our own commands
    while not stopping and all(process.poll() is None for process in processes):
        time.sleep(0.2)
    for process in processes:
        if process.poll() is None:
            process.terminate()
    ended = [process.wait(timeout=30) for process in processes]
    return 0 if stopping else max(abs(code) for code in ended) or 1


if __name__ == "__main__":
    main()

"""A web process loads what it serves with; the rest waits until somebody needs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli_serve import plain_serve

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "alembic",
    "authlib",
    "cryptography",
    "httpx2",
    "joserfc",
    "openpyxl",
    "prometheus_client",
    "pydantic",
    "python_calamine",
    "rich",
    "segno",
    "typer",
    "websockets",
    "xlrd",
    "zxcvbn",
)


def modules_of(command: str, folder: Path, database_url: str, **variables: str) -> set[str]:
    """The modules that a process has loaded after `command`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JTICKETS_DATABASE_URL": database_url, "JTICKETS_STATE_DIR": str(folder), **variables}
    told = f"{command}; import sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", told], env=environment, cwd=folder, capture_output=True, text=True, check=True).stdout.split())


def test_a_worker_starts_without_what_no_page_needs(database_url: str, tmp_path: Path) -> None:
    loaded = modules_of("import cli, uvicorn, asgi; asgi.create()", tmp_path, database_url)

    assert {"console.routes", "customer_portal.routes"} <= loaded
    assert loaded.isdisjoint(HEAVY)
    assert loaded.isdisjoint(("console.queue", "console.imports", "customer_portal.tickets", "importers"))
    assert f"sqlalchemy.dialects.{'sqlite' if database_url.startswith('postgresql') else 'postgresql'}" not in loaded


def test_the_queue_and_a_ticket_map_the_tables_that_they_read(database_url: str, tmp_path: Path) -> None:
    loaded = modules_of("import asgi, console.queue, console.ticket; asgi.create()", tmp_path, database_url)

    assert loaded.isdisjoint(f"models.{module}" for module in ("bulk_changes", "canned", "email_changes", "figures", "requests", "staging"))
    assert loaded.isdisjoint(("mail.compose", "importers"))


@pytest.mark.parametrize(("face", "pages", "others"), [("portal", "customer_portal.routes", "console"), ("console", "console.routes", "customer_portal")])
def test_a_process_of_one_face_never_loads_the_other(database_url: str, tmp_path: Path, face: str, pages: str, others: str) -> None:
    loaded = modules_of("import asgi; asgi.create()", tmp_path, database_url, JTICKETS_FACE=face)

    assert pages in loaded
    assert others not in loaded


def test_plain_options_are_read_as_the_whole_command_line_reads_them() -> None:
    assert plain_serve(["serve"]) == {"host": "127.0.0.1", "port": 8720, "face": "both", "workers": 1}
    assert plain_serve(["serve", "--host", "0.0.0.0", "--port", "80", "--face", "portal", "--workers", "4"]) == {
        "host": "0.0.0.0",
        "port": 80,
        "face": "portal",
        "workers": 4,
    }


@pytest.mark.parametrize(
    "words",
    [
        "",
        "jobs",
        "--help",
        "serve --help",
        "serve --port",
        "serve --port 0",
        "serve --port 65536",
        "serve --port x",
        "serve --port ８０",
        "serve --port=80",
        "serve --port 80 --port 81",
        "serve --host --port",
        "serve --face staff",
        "serve --workers 65",
        "serve --color never",
        "serve 80",
    ],
)
def test_whatever_needs_explaining_is_left_to_the_whole_command_line(words: str) -> None:
    assert plain_serve(words.split()) is None

"""What Dockerfile and compose.yaml start, run as they say it on this host: each service's own command in its own environment, and the image's health check."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from sqlalchemy import Engine, select

from models.database import transaction
from models.job_runs import Heartbeat
from tests.services.smtp import free_port
from tests.services.waiting import until
from tests.shape.tree import ROOT, text

_GIVEN = {
    "POSTGRES_PASSWORD": "secret",
    "JTICKETS_BASE_URL": "https://tickets.example.jp",
    "JTICKETS_SECRET_KEY": "a-secret-only-the-tests-know-0123456789",
    "JTICKETS_SMTP_URL": "smtp://127.0.0.1:9",
    "JTICKETS_MAIL_FROM": "J's チケットシステム <tickets@example.jp>",
}
Service = dict[str, Any]


def services() -> dict[str, Service]:
    """The services of compose.yaml."""
    return cast("dict[str, Service]", yaml.safe_load(text(ROOT / "compose.yaml"))["services"])


def dockerfile() -> str:
    """The image's instructions, those of several lines in one."""
    return text(ROOT / "Dockerfile").replace("\\\n", " ")


def filled(value: str) -> str:
    """A value of compose.yaml with the variables that it names."""
    return re.sub(r"\$\{(\w+)(?::[?-][^}]*)?\}", lambda found: _GIVEN.get(found.group(1), ""), value)


def environment_of(service: Service, database_url: str, data: Path) -> dict[str, str]:
    """What a process of the image sees: the image's variables, the service's over them; `data` lies where /data would."""
    image = dict(re.findall(r"(\w+)=(\S+)", " ".join(re.findall(r"^ENV (.*)$", dockerfile(), re.MULTILINE))))
    told = {**image, **{name: filled(value) for name, value in service["environment"].items()}}
    seen = {name: value.replace("/data", str(data)) for name, value in told.items() if name != "PATH"}
    return {**os.environ, **seen, "PYTHONPATH": str(ROOT), "JTICKETS_DATABASE_URL": database_url}


def command_of(service: Service, port: int) -> list[str]:
    """The service's command, else the image's, on another port."""
    told = re.findall(r"^CMD (\[.*\])$", dockerfile(), re.MULTILINE)[-1]
    words = cast("Sequence[str]", service.get("command") or json.loads(told))
    assert words[0] == "jtickets"
    return [sys.executable, "-m", "cli", *(str(port) if word == "8720" else word for word in words[1:])]


def is_well(port: int) -> bool:
    """What the image's health check says."""
    told = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", dockerfile(), re.MULTILINE)[0]
    words = [word.replace("8720", str(port)) for word in json.loads(told)]
    assert words[0] == "python"
    return subprocess.run([sys.executable, *words[1:]], stderr=subprocess.DEVNULL, timeout=10, check=False).returncode == 0


@contextmanager
def started(command: list[str], environment: Mapping[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environment, cwd=folder)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def living(engine: Engine) -> Sequence[str]:
    with transaction(engine, readonly=True) as session:
        return session.scalars(select(Heartbeat.worker)).all()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_each_service_of_the_compose_file_does_its_part_and_ends_in_its_time(database_url: str, engine: Engine, tmp_path: Path) -> None:
    desk, port = services(), free_port()
    (tmp_path / "tmp").mkdir()

    def of(name: str) -> tuple[list[str], Mapping[str, str], Path]:
        return command_of(desk[name], port), environment_of(desk[name], database_url, tmp_path), tmp_path

    command, environment, folder = of("migrate")
    subprocess.run(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, timeout=60, check=True)
    assert not is_well(port)
    with started(*of("web")) as web, started(*of("jobs")) as jobs:
        until(lambda: is_well(port))
        until(lambda: living(engine))
        for name, process in (("web", web), ("jobs", jobs)):
            process.send_signal(signal.SIGTERM)
            assert process.wait(int(desk[name]["stop_grace_period"].removesuffix("s"))) in (0, -signal.SIGTERM)
    assert not is_well(port)
    assert living(engine) == []


def test_what_the_compose_file_needs_is_named_and_lies_in_the_image() -> None:
    wanted = set(re.findall(r"\$\{(\w+):\?", text(ROOT / "compose.yaml")))
    copied = {line.removeprefix("!") for line in text(ROOT / ".dockerignore").splitlines() if line.startswith("!")}

    assert wanted == set(_GIVEN)
    for name in wanted:
        assert name in text(ROOT / "compose.yaml").partition("x-desk")[0], "the head of the file names it"
    for source in re.findall(r"^COPY ((?!--from|\. )[^\n]*) \./$", dockerfile(), re.MULTILINE):
        assert set(source.split()) <= copied
    shipped = tomllib.loads(text(ROOT / "pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    assert {"*.py" if name.endswith(".py") else name for name in [*shipped, "NOTICE"]} <= copied

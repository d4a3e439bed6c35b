"""House rules of the repository itself: locks, weights, decisions."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from tests.shape.tree import ROOT, files, name, text

_HEAVIEST_PICTURE = 300 * 1024
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".ico", ".svg"})


def test_locks_hold_names_versions_and_hashes_and_no_address() -> None:
    for lock in ("requirements.txt", "requirements-dev.txt", "requirements-build.txt", "package-lock.json", "tests/lighthouse/package-lock.json"):
        held = text(ROOT / lock)
        assert not re.search(r"https?://|file:|--(?:extra-)?index-url|--find-links|\"resolved\"", held), lock


def test_every_locked_package_has_hashes() -> None:
    for lock in ("requirements.txt", "requirements-dev.txt", "requirements-build.txt"):
        entries = re.findall(r"^([\w.-]+)==[^\n]*((?:\n    --hash=[^\n]*)*)", text(ROOT / lock), flags=re.MULTILINE)
        assert len(entries) > 3
        assert [package for package, hashes in entries if "sha256:" not in hashes] == [], lock


def test_the_locks_agree_with_each_other() -> None:
    runtime, development = _pins("requirements.txt"), _pins("requirements-dev.txt")

    assert {package for package, version in runtime.items() if development.get(package) != version} == set()


def test_every_wanted_package_is_locked() -> None:
    project = _project()

    assert _wanted(project["project"]["dependencies"]) - set(_pins("requirements.txt")) == set()
    assert _wanted(project["dependency-groups"]["dev"]) - set(_pins("requirements-dev.txt")) == set()


def test_every_choice_of_a_package_is_written_down() -> None:
    written = "\n".join(text(path) for path in files() if name(path).startswith("docs/decisions/")).lower()
    project = _project()
    chosen = _wanted(project["project"]["dependencies"]) | _wanted(project["dependency-groups"]["dev"]) | _wanted(project["dependency-groups"]["build"])
    for folder in (ROOT, ROOT / "tests" / "lighthouse"):
        chosen |= set(json.loads(text(folder / "package.json"))["devDependencies"])

    assert sorted(package for package in chosen if f"`{package}`" not in written) == []


def test_no_picture_is_heavy() -> None:
    assert [name(path) for path in files() if path.suffix in _PICTURES and path.stat().st_size > _HEAVIEST_PICTURE] == []


def _project() -> dict[str, Any]:
    return tomllib.loads(text(ROOT / "pyproject.toml"))


def _pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", text(ROOT / lock), flags=re.MULTILINE))


def _wanted(requirements: list[Any]) -> set[str]:
    return {re.split(r"[\[~=<>; ]", line)[0].lower() for line in requirements if isinstance(line, str)}

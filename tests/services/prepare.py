"""Brings what the tests need beside Python: Chromium with Japanese fonts, the npm packages, on CI a Java runtime.

Run by `make test` before pytest; `make proof` asks for Lighthouse too. What cannot be had is said loudly; under CI=true that is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.services.browser import find_chromium
from tests.services.node import LIGHTHOUSE, ROOT, java, npm

_LOCK = "package-lock.json"
_STAMP = "node_modules/.installed"
_FONT = Path("/usr/share/fonts/opentype/noto")


def main() -> int:
    """0 when the tests can run as they should."""
    _install_debian_packages()
    _install_npm_packages(ROOT)
    if "lighthouse" in sys.argv:
        _install_npm_packages(LIGHTHOUSE)
    faults = list(_missing())
    for fault in faults:
        print(f"\n*** {fault}\n", file=sys.stderr)
    return 1 if faults and on_ci() else 0


def on_ci() -> bool:
    """Whether this run has to be complete."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def npm_packages_are_there(folder: Path = ROOT) -> bool:
    """Whether node_modules of `folder` holds what its lock names."""
    stamp = folder / _STAMP
    return stamp.exists() and stamp.read_text() == (folder / _LOCK).read_text()


def _install_debian_packages() -> None:
    needed = [] if find_chromium() else ["chromium"]
    if sys.platform == "linux" and not any(_FONT.glob("NotoSansCJK*")):
        needed.append("fonts-noto-cjk")
    welcome = ["default-jre-headless"] if on_ci() and java() is None else []
    as_root = _as_root()
    if not (needed or welcome) or not shutil.which("apt-get") or as_root is None:
        return
    _run([*as_root, "apt-get", "update", "-qq"])
    for packages in (needed, welcome):
        if packages:
            print(f"Installing {' '.join(packages)} …", flush=True)
            _run([*as_root, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages])


def _run(command: list[str]) -> None:
    # What failed shows in what is missing afterwards.
    subprocess.run(command, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, stdout=subprocess.DEVNULL)


def _as_root() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def _install_npm_packages(folder: Path) -> None:
    if npm_packages_are_there(folder):
        return
    done = subprocess.run([*npm(), "ci", "--no-progress", "--loglevel=error"], cwd=folder, check=False)
    if done.returncode == 0:
        (folder / _STAMP).write_text((folder / _LOCK).read_text())


def _missing() -> list[str]:
    faults: list[str] = []
    if find_chromium() is None:
        faults.append("NO BROWSER: no Chromium was found (JTICKETS_CHROMIUM names one). The tests in a browser DO NOT RUN.")
    if not npm_packages_are_there():
        faults.append("NO NPM PACKAGES: npm ci failed. The checks by axe-core and html-validate and the OpenID provider DO NOT RUN.")
    if "lighthouse" in sys.argv and not npm_packages_are_there(LIGHTHOUSE):
        faults.append("NO LIGHTHOUSE: npm ci failed in tests/lighthouse. Its marks ARE NOT GIVEN.")
    if java() is None:
        print("No Java runtime: the Nu HTML checker does not look at the pages, html-validate does.", file=sys.stderr)
    return faults


if __name__ == "__main__":
    sys.exit(main())

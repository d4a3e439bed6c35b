"""Takes the addresses out of a package-lock.json: what is locked is name, version and hash."""

from __future__ import annotations

import json
import sys
from pathlib import Path

lock = Path(sys.argv[1])
held = json.loads(lock.read_text())
for package in held["packages"].values():
    package.pop("resolved", None)
    package.pop("funding", None)
lock.write_text(json.dumps(held, indent=2, ensure_ascii=False) + "\n")

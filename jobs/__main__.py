"""The jobs process alone: ``python -m jobs``."""

from __future__ import annotations

import sys

from jobs.parts import parts_of
from jobs.runner import run
from settings import SettingsFault, read_settings


def main() -> int:
    """Run until SIGTERM; 1 with a sentence for each wrong setting."""
    try:
        settings = read_settings()
    except SettingsFault as fault:
        for sentence in fault.faults:
            print(sentence, file=sys.stderr)
        return 1
    run(parts_of(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())

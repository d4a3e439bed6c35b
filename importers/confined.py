"""What a process that opens a stranger's workbook may still do: little memory, little time, no network, its own files only."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import IO

from rules.refusal import Refused

ORPHAN_PATIENCE = 5
PATIENCE = 4
"""Times the processor time that may pass on the wall: a busy machine is no fault of the file."""

_LOOK_SECONDS = 0.5
_MALLOC = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "131072"}
"""To glibc: threads share one heap, and what is large is given back at once. Without it, reading in pieces takes twice the memory."""
_ROOT = Path(__file__).resolve().parent.parent
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_REFUSED = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "os.system", "shutil.", "ctypes.dlopen")


def limit_resources(seconds: int, *, memory_above: int, output_bytes: int) -> None:
    """Memory, processor time, wall time, size of what is written; no core file, which would hold people's addresses.

    `memory_above` are bytes of address space beyond what the process needs before it reads.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (output_bytes, output_bytes))
    # Should the parent die, nobody waits for this process any more.
    signal.alarm(seconds * ORPHAN_PATIENCE)
    status = Path("/proc/self/statm")
    if status.exists():
        size = int(status.read_text().split()[0]) * resource.getpagesize() + memory_above
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def close_the_door(*reads: Path, writes: Collection[Path] = ()) -> None:
    """From here on Python opens `reads`, its own modules and what lies in the folders `writes`, and nothing else; it connects to nobody."""
    ours = [_ROOT / package for package in ("importers", "rules", "wording")]
    libraries = [Path(place) for place in (sys.prefix, sys.base_prefix, *sys.path) if place and Path(place).resolve() != _ROOT]
    writable = tuple(f"{place}{os.sep}" for folder in writes for place in (folder, folder.resolve()))
    allowed = (*writable, *map(str, reads), *{str(place) for known in (*ours, *libraries) for place in (known, known.resolve())})

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            place, mode, flags = str(arguments[0]), str(arguments[1] or "r"), arguments[2]
            writing = bool(set(mode) & set("wax+")) or (arguments[1] is None and isinstance(flags, int) and bool(flags & _WRITING))
            # A named temporary file is told first by its folder.
            if not f"{place}{os.sep}".startswith(writable if writing else allowed):
                raise PermissionError(event)
        elif event.startswith(_REFUSED):
            raise PermissionError(event)

    sys.addaudithook(watch)


def run_confined(
    module: str,
    request: bytes,
    answer: IO[bytes] | int,
    *,
    seconds: int,
    folder: Path | None = None,
    watch: Callable[[], None] | None = None,
    look_seconds: float = _LOOK_SECONDS,
) -> tuple[int, bytes]:
    """Run `module` as a process of its own until it ends: its exit code and what it said.

    `folder` is where it keeps temporary files; `watch` is called every `look_seconds`, and ends the process by raising. Refuses workbook_too_slow.
    """
    # Nothing of ours goes into a process that reads a stranger's file: no secrets, no addresses of services.
    environment = {"LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8", "PATH": os.defpath, **_MALLOC, **({"TMPDIR": str(folder)} if folder else {})}
    command = [sys.executable, "-E", "-s", "-m", module]
    # As a file: `communicate` forgets what of a request it could not send before its time was up.
    with tempfile.TemporaryFile() as asked:
        asked.write(request)
        asked.seek(0)
        child = subprocess.Popen(command, stdin=asked, stdout=answer, stderr=subprocess.PIPE, cwd=_ROOT, env=environment)  # noqa: S603 - a module of ours
    with child:
        try:
            said = _wait(child, seconds * PATIENCE, watch, look_seconds)
        except subprocess.TimeoutExpired:
            raise Refused("workbook_too_slow") from None
        finally:
            if child.poll() is None:
                child.kill()
                child.communicate()
    if child.returncode in (-signal.SIGXCPU, -signal.SIGALRM, -signal.SIGKILL):
        raise Refused("workbook_too_slow")
    return child.returncode, said


def _wait(child: subprocess.Popen[bytes], patience: float, watch: Callable[[], None] | None, look_seconds: float) -> bytes:
    """What it said when it ended. Raises TimeoutExpired, and what `watch` raises."""
    until = time.monotonic() + patience
    while True:
        try:
            return child.communicate(timeout=look_seconds if watch else patience)[1]
        except subprocess.TimeoutExpired:
            if watch is None or time.monotonic() >= until:
                raise
            watch()

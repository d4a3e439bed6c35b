"""Logs: one line of key=value per event, escaped, without secrets."""

from __future__ import annotations

import logging
import re
import sys
from contextlib import suppress
from types import ModuleType
from typing import TextIO, cast

_without = [name for name in ("rich", "greenlet") if name not in sys.modules]
for _name in _without:
    # structlog loads rich for coloured output on terminals, 5 MB in every worker that no line here needs, unless it finds none; greenlet is a half.
    sys.modules[_name] = cast("ModuleType", None)
import structlog  # noqa: E402
from structlog.typing import EventDict, WrappedLogger  # noqa: E402

for _name in _without:
    del sys.modules[_name]

_UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What a terminal or a reader of lines takes for more than a letter; the renderer writes a line feed as two signs itself."""
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(level: str) -> None:
    """Write one escaped line per event to standard error, from `level` on."""
    # The edge has logged an unhandled fault already, in one line; the server would print its traceback again, over many.
    logging.getLogger("uvicorn.error").addFilter(lambda record: not record.getMessage().startswith("Exception in ASGI application"))
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            escape,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(file=cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=True,
    )


class _Unfailing:
    """Where lines are written to. One that finds no room is lost; the request or the letter it tells of is not."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Take `text`."""
        with suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand it on."""
        with suppress(OSError):
            self._file.flush()


def escape(_logger: WrappedLogger, _level: str, event: EventDict) -> EventDict:
    """`event` with every sign that could end its line or paint a terminal written as its number: what people send stays one line."""
    for name, value in event.items():
        if isinstance(value, str) and not value.isprintable():  # which all that is unsafe is not
            event[name] = _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", value)
    return event

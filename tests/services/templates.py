"""The templates, compiled once for all workers of a run: that takes 0.2 s a page."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from web.render import Renderer

_FOLDER = "DESK_TEMPLATES"
"""Where the compiled ones lie; the workers inherit it from the process that starts them."""


def keep_compiled() -> None:
    """Name the folder of this run, unless the process that started this one did."""
    if _FOLDER not in os.environ:
        os.environ[_FOLDER] = tempfile.mkdtemp(prefix="desk-templates-")


def drop_compiled() -> None:
    """Take the folder away."""
    shutil.rmtree(os.environ.pop(_FOLDER), ignore_errors=True)


def shared_renderer() -> Renderer:
    """The same compiled templates for every application that a test builds."""
    from web.render import Renderer  # the tests of the rules shall start without the web

    return Renderer(Path(os.environ[_FOLDER]))

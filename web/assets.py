"""Static files as browsers get them: style and scripts without comments and indents, which are for us and a sixth of the first load."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from models.places import find

_COMMENTS = {".css": re.compile(rb"/\*.*?\*/\n?", re.DOTALL), ".js": re.compile(rb"^[ \t]*//.*\n|[ \t]+//[ ].*$|[ ]?/\*[ ][^*]*[ ]\*/", re.MULTILINE)}
"""Whole comments; in a script those after code too, which begin with a blank on both sides: no string of ours looks so, a test says."""
_BLANKS = {".css": re.compile(rb"(?<=[{};,])\s+|\s+(?=[{}])"), ".js": re.compile(rb"^[ \t]+|\n(?=\n)", re.MULTILINE)}
"""Blanks that only set a file out for its readers; no string of ours has such, a test says."""


@cache
def asset(path: str) -> str:
    """The URL of a static file, with its content's mark so that browsers may keep it for ever."""
    return f"/static/{path}?v={hashlib.sha256(served(Path(find('static')) / path)).hexdigest()[:10]}"


@cache
def served(path: Path) -> bytes:
    """The content of the static file `path` as it is served."""
    content = path.read_bytes()
    if path.suffix not in _COMMENTS or "vendor" in path.parts:
        return content
    return _BLANKS[path.suffix].sub(b"", _COMMENTS[path.suffix].sub(b"", content))


class Static(StaticFiles):
    """Static files: kept for ever when the URL names their content."""

    def file_response(self, full_path: Any, stat_result: Any, scope: Scope, status_code: int = 200) -> Response:
        """The file, or that the browser has it already."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        if Path(full_path).suffix in _COMMENTS and not isinstance(response, NotModifiedResponse):
            content = served(Path(full_path))
            response = Response(content, status_code, media_type=response.media_type, headers={"etag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'})
            if self.is_not_modified(response.headers, Headers(scope=scope)):
                response = NotModifiedResponse(response.headers)
        versioned = b"v=" in scope.get("query_string", b"")
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        return response

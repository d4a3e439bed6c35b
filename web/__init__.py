"""The plumbing of both faces; it knows no page."""

from __future__ import annotations

from web import logs as logs  # the first of all, for it decides what the library behind the logs brings along

"""Cross-site request forgery: the form's token belongs to this cookie, and the browser says the form is ours."""

from __future__ import annotations

import hmac
from functools import lru_cache

from starlette.requests import Request


@lru_cache(maxsize=256)
def token_for(key: bytes, cookie: str) -> str:
    """The token that forms carry for the session or visitor cookie `cookie`."""
    return hmac.digest(key, b"csrf:" + cookie.encode(), "sha256").hex()[:40]


def token_matches(key: bytes, cookie: str, token: str) -> bool:
    """Whether `token` was made for `cookie`."""
    return bool(cookie) and hmac.compare_digest(token_for(key, cookie).encode(), token.encode())


def sent_by_us(request: Request) -> bool:
    """Whether the browser says that the form stands on a page of ours.

    `Sec-Fetch-Site` decides where it is sent; else `Origin` must name the host; with neither only a request without any cookie passes.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    if origin is not None:
        return origin.partition("://")[2] == request.headers.get("host", "")
    return "cookie" not in request.headers

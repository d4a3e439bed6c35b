"""Secrets of cookies and mailed links: 256 random bits with their holder, only the hash in the tables."""

from __future__ import annotations

import hashlib
import secrets

_LONGEST = 200
"""No secret of ours is longer; what is may not even be hashed."""


def new_token() -> str:
    """A secret for a cookie or a link."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """What the database keeps of a secret, "" for what cannot be one."""
    return hashlib.sha256(token.encode()).hexdigest() if token.isascii() and len(token) <= _LONGEST else ""

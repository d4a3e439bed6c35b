"""Secrets that must be read again, sealed at rest: AES-GCM under a key derived from JTICKETS_SECRET_KEY.

A TOTP secret of 20 bytes makes a text of 64 characters, the width its columns always had. What was kept in the clear by an earlier version
is read as it is, and sealed the next time it is used. The library is loaded with the first secret: 3 MB that a worker whom nobody asks for one never needs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

_NONCE = 12
_SEALED_CHARACTERS = 64


def seal_secret(secret: str, owner: str, key: bytes) -> str:
    """A base32 secret as it is kept for `owner` (``staff:3``, ``account:7``): in another row it opens for nobody."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(_NONCE)
    sealed = nonce + AESGCM(_key(key)).encrypt(nonce, base64.b32decode(secret), owner.encode())
    return base64.urlsafe_b64encode(sealed).decode()


def open_secret(kept: str, owner: str, key: bytes) -> str:
    """The base32 secret behind `kept`, "" where it was sealed under another key or for somebody else."""
    if not is_sealed(kept):
        return kept
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        sealed = base64.urlsafe_b64decode(kept)
        return base64.b32encode(AESGCM(_key(key)).decrypt(sealed[:_NONCE], sealed[_NONCE:], owner.encode())).decode()
    except (InvalidTag, binascii.Error):
        return ""


def is_sealed(kept: str) -> bool:
    """Whether `kept` is a sealed secret; one in the clear is shorter."""
    return len(kept) == _SEALED_CHARACTERS


def hash_code(code: str, owner: str, key: bytes) -> str:
    """What is kept of a recovery code: useless without the key."""
    return hmac.new(_key(key), f"{owner}:{code}".encode(), hashlib.sha256).hexdigest()


def _key(key: bytes) -> bytes:
    return hmac.new(key, b"secrets at rest", hashlib.sha256).digest()

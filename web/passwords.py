"""Argon2id, a few at a time: each hash takes 64 MiB and a tenth of a second, so it runs before any transaction opens."""

from __future__ import annotations

from base64 import b64encode
from threading import Semaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


class Passwords:
    """Hashes and checks passwords. Costs are settings, low in tests."""

    def __init__(self, *, memory_kib: int, time_cost: int, at_once: int) -> None:
        self._hasher = PasswordHasher(memory_cost=memory_kib, time_cost=time_cost, parallelism=1)
        self._turns = Semaphore(at_once)
        self._nobody = nobodys_hash(memory_kib=memory_kib, time_cost=time_cost)

    def hash(self, password: str) -> str:
        """The Argon2id hash of `password`, never cut or normalised."""
        with self._turns:
            return self._hasher.hash(password)

    def matches(self, kept: str | None, password: str) -> bool:
        """Whether `password` made the hash `kept`; without one the same work is done against nobody's hash."""
        with self._turns:
            try:
                return self._hasher.verify(kept or self._nobody, password) and kept is not None
            except (VerificationError, InvalidHashError):
                return False


def nobodys_hash(*, memory_kib: int, time_cost: int) -> str:
    """A hash that no password is known for, made up instead of computed: checking against it takes the work of a real one.

    The form is that of the Argon2 reference implementation: 16 bytes of salt and 32 of hash, in base64 without padding.
    """
    salt, made_up = (b64encode(signs).rstrip(b"=").decode() for signs in (b"nobody's account", b"no account has this password ..."))
    return f"$argon2id$v=19$m={memory_kib},t={time_cost},p=1${salt}${made_up}"

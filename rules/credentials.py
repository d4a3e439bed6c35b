"""User IDs and passwords (DOMAIN, "Who may register" 1 and 2; SECURITY, "Passwords")."""

from __future__ import annotations

import re
from functools import cache

from rules.refusal import Refused
from rules.text import fold, invisible

USER_ID_LEAST = 3
USER_ID_MOST = 128
PASSWORD_LEAST = 6
PASSWORD_MOST = 128
STAFF_PASSWORD_LEAST = 15
RESERVED = frozenset(
    "abuse admin administrator anonymous api help helpdesk hostmaster jscom jtickets mailer-daemon nobody"
    " no-reply noreply null operator portal postmaster root security service service_admin staff superuser support sysadmin"
    " system tickets-admin undefined webmaster".split()
)
"""User IDs that would let a customer look like the house."""

_PRINTABLE = re.compile(r"[!-~]*")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def parse_user_id(typed: str, field: str = "user_id") -> str:
    """The stored form of a user ID: half-width, trimmed, letters as typed.

    Refuses at `field`: user_id_empty, user_id_blank, user_id_invisible, user_id_characters(c), user_id_short(min, n),
    user_id_long(max, n), user_id_reserved(id).
    """
    user_id = fold(typed)
    if not user_id:
        raise Refused("user_id_empty", field)
    if any(sign.isspace() for sign in user_id):
        raise Refused("user_id_blank", field)
    if invisible(user_id):
        raise Refused("user_id_invisible", field)
    if not _PRINTABLE.fullmatch(user_id):
        raise Refused("user_id_characters", field, c=next(sign for sign in user_id if not sign.isascii()))
    if len(user_id) < USER_ID_LEAST:
        raise Refused("user_id_short", field, min=USER_ID_LEAST, n=len(user_id))
    if len(user_id) > USER_ID_MOST:
        raise Refused("user_id_long", field, max=USER_ID_MOST, n=len(user_id))
    if user_id_key(user_id) in RESERVED:
        raise Refused("user_id_reserved", field, id=user_id)
    return user_id


def user_id_key(user_id: str) -> str:
    """The form in which user IDs are compared and unique: folded, lower-case. Also for what is typed at sign-in."""
    return fold(user_id).lower()


def password_faults(password: str, *, user_id: str, email: str, contract_key: str, field: str = "password") -> list[Refused]:
    """All that is wrong with a customer's password; the other three as typed, "" where not known.

    Codes: password_empty, password_control, password_wide, password_short(min), password_long(max, n), password_upper,
    password_lower, password_digit, password_common, password_equals_user_id, password_equals_email, password_equals_contract.
    """
    unusable = _unusable(password, field)
    if unusable is not None:
        return [unusable]
    faults = _length_faults(password, PASSWORD_LEAST, field)
    faults += [Refused(code, field) for code, pattern in _KINDS if not re.search(pattern, password)]
    own = {"password_equals_user_id": user_id, "password_equals_email": email, "password_equals_contract": contract_key}
    return faults + _guessable(password, own, field)


def check_staff_password(password: str, *, user_id: str, email: str, field: str = "password") -> None:
    """A local staff password: 15 or more printable half-width characters, not common, not the user ID or e-mail.

    Codes as `password_faults`, without the kinds of characters: length is worth more.
    """
    unusable = _unusable(password, field)
    if unusable is not None:
        raise unusable
    own = {"password_equals_user_id": user_id, "password_equals_email": email}
    for fault in _length_faults(password, STAFF_PASSWORD_LEAST, field) + _guessable(password, own, field):
        raise fault


_KINDS = (("password_upper", "[A-Z]"), ("password_lower", "[a-z]"), ("password_digit", "[0-9]"))


def _unusable(password: str, field: str) -> Refused | None:
    """What makes every further complaint pointless: nothing typed, control signs, anything beyond ASCII."""
    if not password:
        return Refused("password_empty", field)
    if _CONTROLS.search(password) or (not password.isascii() and invisible(password)):
        return Refused("password_control", field)
    return None if password.isascii() else Refused("password_wide", field)


def _length_faults(password: str, least: int, field: str) -> list[Refused]:
    if len(password) < least:
        return [Refused("password_short", field, min=least)]
    if len(password) > PASSWORD_MOST:
        return [Refused("password_long", field, max=PASSWORD_MOST, n=len(password))]
    return []


def _guessable(password: str, own: dict[str, str], field: str) -> list[Refused]:
    """Common passwords, and the person's own entries whatever their case."""
    lowered = password.lower()
    faults = [Refused(code, field) for code, entry in own.items() if entry and lowered == fold(entry).lower()]
    if lowered in _common():
        faults.append(Refused("password_common", field))
    return faults


@cache
def _common() -> frozenset[str]:
    """30,000 leaked passwords in lower case; imported at the first question, for the lists weigh some megabytes."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])

"""Near misses: whether two keys differ by what a slip of the eye or of a finger explains."""

from __future__ import annotations

_LOOKALIKE = str.maketrans({"O": "0", "I": "1", "L": "1", "S": "5", "B": "8", "Z": "2", "Q": "0"})


def is_near(typed: str, real: str) -> bool:
    """Whether `typed` is `real` with one character changed, left out, added, or two neighbours swapped; or the same but for look-alikes (O/0, I/1)."""
    if typed == real:
        return False
    if typed.translate(_LOOKALIKE) == real.translate(_LOOKALIKE):
        return True
    if abs(len(typed) - len(real)) > 1:
        return False
    start = _common(typed, real)
    if len(typed) == len(real):
        swapped = typed[start : start + 2] == real[start : start + 2][::-1] and typed[start + 2 :] == real[start + 2 :]
        return swapped or typed[start + 1 :] == real[start + 1 :]
    longer, shorter = (typed, real) if len(typed) > len(real) else (real, typed)
    return longer[start + 1 :] == shorter[start:]


def _common(first: str, second: str) -> int:
    length = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        length += 1
    return length


_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./"
_ALIKE = ("O0Q", "I1L", "S5", "B8", "Z2")
_LEAST, _MOST = 4, 40
_MOST_SPELLINGS = 512


def near_keys(typed: str) -> frozenset[str]:
    """Every key that `is_near` to `typed` (folded, upper-case), so that an index finds them: about 80 for each character.

    Nothing for what is shorter than 4 or longer than 40 characters. Where very many characters have look-alikes, some of those spellings are left out.
    """
    if not _LEAST <= len(typed) <= _MOST:
        return frozenset()
    places = range(len(typed))
    changed = {f"{typed[:at]}{sign}{typed[at + 1 :]}" for at in places for sign in _SIGNS}
    added = {f"{typed[:at]}{sign}{typed[at:]}" for at in range(len(typed) + 1) for sign in _SIGNS}
    left_out = {typed[:at] + typed[at + 1 :] for at in places}
    swapped = {f"{typed[:at]}{typed[at + 1]}{typed[at]}{typed[at + 2 :]}" for at in places[:-1]}
    return frozenset((changed | added | left_out | swapped | _spellings(typed)) - {typed})


def _spellings(typed: str) -> set[str]:
    """`typed` with its look-alikes exchanged at any number of places."""
    found = [""]
    for sign in typed:
        signs = next((alike for alike in _ALIKE if sign in alike), sign)
        found = [start + one for start in found for one in (signs if len(found) < _MOST_SPELLINGS else sign)]
    return set(found)

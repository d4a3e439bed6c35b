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

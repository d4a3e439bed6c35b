"""Texts that come back from a Shift_JIS file: signs that it lacks stand there as 〓 or as their likes, and are no change."""

from __future__ import annotations

from collections.abc import Iterable

from actions.import_stored import Stored
from importers.export import in_cp932
from rules.lines import CERTIFICATE_FIELDS, FIELDS, Values

_CONTRACT = FIELDS.index("contract")
_NAMES = tuple(CERTIFICATE_FIELDS.index(name) for name in CERTIFICATE_FIELDS if name.endswith("_name"))
_TEXTS = tuple(FIELDS.index(name) for name in ("product_number", "service", "contact"))


def settle_signs(values: list[Values], stored: Stored) -> None:
    """Give the rows back what our own csv in Shift_JIS could not say of their certificates and lines; nearly always there is nothing."""
    lost = _lost({told[at] for _, _, told in stored.certificates.values() for at in _NAMES} | {told[at] for told in stored.values for at in _TEXTS})
    if not lost:
        return
    known: dict[str, dict[str, str]] = {}
    for key, (_, _, told) in stored.certificates.items():
        known.setdefault(key, {}).update((lost[told[at]], told[at]) for at in _NAMES if told[at] in lost)
    for told in stored.values:
        known.setdefault(told[_CONTRACT], {}).update((lost[told[at]], told[at]) for at in _TEXTS if told[at] in lost)
    for index, told in enumerate(values):
        texts = known.get(told[_CONTRACT])
        if texts:
            values[index] = tuple(texts.get(text, text) for text in told)


def _lost(texts: Iterable[str]) -> dict[str, str]:
    """The texts that look otherwise in a Shift_JIS file, and how."""
    return {text: shown for text in texts if not text.isascii() and (shown := in_cp932(text)) != text}

"""Texts that come back from a Shift_JIS file: signs that it lacks stand there as 〓 or as their likes, and are no change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from actions.import_stored import Stored
from importers.export import in_cp932
from rules.lines import CERTIFICATE_FIELDS, FIELDS, PAIRINGS, Values, identity

_CONTRACT, _SERIAL = FIELDS.index("contract"), FIELDS.index("serial")
_NAMES = tuple((CERTIFICATE_FIELDS.index(name), FIELDS.index(name)) for name in CERTIFICATE_FIELDS if name.endswith("_name"))
_TEXTS = tuple(FIELDS.index(name) for name in ("product_number", "service", "contact"))


def settle_signs(values: list[Values], stored: Stored) -> None:
    """Give the rows back what our own csv in Shift_JIS could not say of their certificates and lines; nearly always there is nothing.

    A cell gets no text but that of its own party, or of its own line; where that could be one of several, it stays as it is.
    """
    names = {told[at] for _, _, told in stored.certificates.values() for at, _ in _NAMES}
    lost = _lost(names | {told[at] for told in stored.values for at in _TEXTS})
    if lost:
        _settle_names(values, stored, lost)
        _settle_lines(values, stored, lost)


def _lost(texts: Iterable[str]) -> dict[str, str]:
    """The texts that look otherwise in a Shift_JIS file, and how."""
    return {text: shown for text in texts if not text.isascii() and (shown := in_cp932(text)) != text}


def _settle_names(values: list[Values], stored: Stored, lost: dict[str, str]) -> None:
    """The names of the parties: one for each certificate and role."""
    known: dict[str, list[tuple[int, str, str]]] = {}
    for key, (_, _, told) in stored.certificates.items():
        for at, place in _NAMES:
            if told[at] in lost:
                known.setdefault(key, []).append((place, lost[told[at]], told[at]))
    for index, row in enumerate(values):
        for place, shown, told in known.get(row[_CONTRACT], ()):
            if row[place] == shown:
                values[index] = (*values[index][:place], told, *values[index][place + 1 :])


def _settle_lines(values: list[Values], stored: Stored, lost: dict[str, str]) -> None:
    """The texts of the lines, in the contracts that lose any of them."""
    contracts = {told[_CONTRACT] for told in stored.values if any(told[at] in lost for at in _TEXTS)}
    if not contracts:
        return
    rows = {index: row for index, row in enumerate(values) if row[_CONTRACT] in contracts}
    lines = _Lines([told for told in stored.values if told[_CONTRACT] in contracts], lost)
    for named in (lines.named, lines.alike, lines.resembled):
        found = {index: those for index, row in rows.items() if (those := named(row))}
        for index, those in found.items():
            values[index] = _as_told(rows.pop(index), those, lost)
        lines.leave(found.values())


class _Lines:
    """The stored lines that no row is yet, by what a row may say of them."""

    def __init__(self, lines: Sequence[Values], lost: dict[str, str]) -> None:
        self._lines, self._lost = {identity(line): line for line in lines}, lost
        self._groups: list[dict[Values, list[Values]]] = []

    def named(self, row: Values) -> Sequence[Values]:
        """The line that says the same."""
        line = self._lines.get(identity(row))
        return [] if line is None else [line]

    def alike(self, row: Values) -> Sequence[Values]:
        """The lines that say the same in Shift_JIS."""
        return self._groups[0].get(identity(row), ())

    def resembled(self, row: Values) -> Sequence[Values]:
        """The lines of which `row` may be a corrected one."""
        for part, key in enumerate(PAIRINGS):
            found = self._groups[part + 1].get(key(row)) if row[_SERIAL] or not part else None
            if found:
                return found
        return ()

    def leave(self, taken: Iterable[Sequence[Values]]) -> None:
        """Look no more at the lines that rows are."""
        for those in taken:
            for line in those:
                self._lines.pop(identity(line), None)
        shown = [(line, tuple(self._lost.get(text, text) for text in line)) for line in self._lines.values()]
        self._groups = []
        for key in (identity, *PAIRINGS):
            group: dict[Values, list[Values]] = {}
            for line, looks in shown:
                group.setdefault(key(looks), []).append(line)
            self._groups.append(group)


def _as_told(row: Values, lines: Sequence[Values], lost: dict[str, str]) -> Values:
    """`row` with the texts on which all `lines` agree, where it says what Shift_JIS can say of them."""
    if row in lines:
        return row
    texts = [*row]
    for at in _TEXTS:
        told = {line[at] for line in lines}
        if len(told) == 1 and lost.get(text := told.pop()) == row[at]:
            texts[at] = text
    return tuple(texts)

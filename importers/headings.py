"""Finds the heading row of a sheet wherever it stands, and which column holds which field, by synonyms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256

from importers.cells import shown
from importers.raw import Cell, Merge, RawRows
from importers.synonyms import COLUMN_NAMES, EITHER_NAMES, PARTY_WORDS, PERIOD
from rules.lines import FIELDS, REQUIRED_FIELDS
from rules.text import fold

SEARCHED_ROWS = 1_000
"""The heading row is looked for in so many rows of a sheet."""
LOOKED_ON_ROWS = 30
"""After a heading row a better one is looked for in so many more."""
LEAST_FIELDS = 4
"""A row that names fewer fields is no heading row."""
MOST_HEADING = 80
"""Characters by which a heading is remembered."""
LINE_FIELDS = frozenset({"product_number", "serial", "service", "starts_on", "ends_on"})
NAME_COLUMN = "contract_name"
"""Beside a column of contract numbers, the one of contract names: the certificate's issue date says which counts."""


@dataclass(frozen=True)
class Column:
    number: int
    """From 0."""
    heading: str


@dataclass(frozen=True)
class Layout:
    """Where a sheet's fields stand."""

    first_row: int
    """The heading row (of two, the upper one), as Excel numbers it; 0 where the mapping names none."""
    last_row: int
    columns: Mapping[str, Column]
    """Field -> column; beside the fifteen fields `PERIOD` and `NAME_COLUMN` may stand."""
    unmapped: tuple[str, ...] = ()
    missing: tuple[str, ...] = field(default=())
    """Required fields without a column."""
    headings: tuple[str, ...] = ()
    """Of every column from the sheet's first one on, "" where there is none."""
    remembered: bool = False
    """Whether a person said so once of these headings."""


def find_layout(rows: RawRows, first_row: int, first_column: int, merges: Iterable[Merge]) -> Layout | None:
    """The layout told by the row (or two rows) that name the most fields, the first of equals; None without one."""
    across = _spans(merges, first_row + SEARCHED_ROWS)
    best: tuple[int, int, list[str]] | None = None
    best_count = LEAST_FIELDS - 1
    for index in range(min(len(rows), SEARCHED_ROWS)):
        if best and index > best[1] + LOOKED_ON_ROWS:
            break
        for bottom, headings in _readings(rows, index, first_row, first_column, across):
            count = _strength(headings)
            if count > best_count:
                best, best_count = (index, bottom, headings), count
    if best is None:
        return None
    top, bottom, headings = best
    return _layout(first_row + top, first_row + bottom, headings, first_column)


def layout_at(rows: RawRows, row: int, first_row: int, first_column: int) -> Layout | None:
    """The layout told by the one row that a person named, as Excel numbers it; None where there is no such row."""
    index = row - first_row
    return _layout(row, row, [_heading(cell) for cell in rows[index]], first_column) if 0 <= index < len(rows) else None


def heading_names(headings: Sequence[str]) -> list[str]:
    """The headings as they are remembered: without blanks and signs, the second of equal ones with its number; "" stays.

    The two columns that a workbook handed back has gained are not among them: it is the same workbook still.
    """
    seen: dict[str, int] = {}
    names: list[str] = []
    for heading in headings:
        name = "" if _bare(heading) in _ADDED else _bare(heading)[:MOST_HEADING]
        seen[name] = seen.get(name, 0) + 1
        names.append(name if not name or seen[name] == 1 else f"{name}#{seen[name]}")
    return names


def fingerprint(headings: Sequence[str]) -> str:
    """What a set of headings is remembered by, whatever their order; 64 hexadecimal digits."""
    return sha256("\n".join(sorted(filter(None, heading_names(headings)))).encode()).hexdigest()


def recalled(layout: Layout, first_column: int, fields: Mapping[str, str]) -> Layout:
    """`layout` with the columns a person gave to these headings: heading name -> field, "" for one that is left out."""
    columns: dict[str, Column] = {}
    left_out: list[str] = []
    for index, name in enumerate(heading_names(layout.headings)):
        wanted = fields.get(name, "") if name else ""
        if wanted and wanted not in columns:
            columns[wanted] = Column(first_column + index, layout.headings[index])
        elif name and not _is_counter(layout.headings[index]):
            left_out.append(layout.headings[index])
    return replace(layout, columns=columns, unmapped=tuple(left_out), missing=missing_fields(columns), remembered=True)


def second_table(layout: Layout) -> str:
    """The first heading of another table that stands right of the one that is read, "" without one."""
    return layout.unmapped[0] if _strength(layout.unmapped) >= LEAST_FIELDS else ""


def _layout(first_row: int, last_row: int, headings: list[str], first_column: int) -> Layout:
    columns, unmapped = assign(headings, first_column)
    return Layout(first_row, last_row, columns, unmapped, missing_fields(columns), tuple(headings))


def _readings(rows: RawRows, index: int, first_row: int, first_column: int, across: list[Merge]) -> Iterator[tuple[int, list[str]]]:
    """A row as headings of its own, and with the row below it; a title above the headings adds nothing to them."""
    upper = [_heading(cell) for cell in rows[index]]
    if sum(map(bool, upper)) < 2:
        return
    yield index, _under_period(upper, first_row + index, first_column, across)
    if index + 1 < len(rows):
        lower = [_heading(cell) for cell in rows[index + 1]]
        double = _two_rows(upper, lower, first_row + index, first_column, across)
        if _strength(double) > _strength(lower):
            yield index + 1, double


def assign(headings: Sequence[str], first_column: int) -> tuple[dict[str, Column], tuple[str, ...]]:
    """Field -> column for the headings of a row, and the headings of columns that hold no field.

    Where two columns claim a field the better synonym wins, then the left one.
    """
    claims = sorted((rank, index, name) for index, heading in enumerate(headings) for rank, name in classify(heading))
    columns: dict[str, Column] = {}
    taken: set[int] = set()
    for _, index, name in claims:
        if index not in taken and name not in columns:
            columns[name] = Column(first_column + index, headings[index])
            taken.add(index)
    if PERIOD in columns and "starts_on" in columns and "ends_on" in columns:
        taken.discard(columns.pop(PERIOD).number - first_column)
    spare = [Column(first_column + index, headings[index]) for _, index, name in claims if name == "contract" and index not in taken]
    taken |= {column.number - first_column for column in _pair_contracts(columns, spare)}
    taken |= {column.number - first_column for column in _pair_emails(columns, headings, taken, first_column)}
    unmapped = tuple(heading for index, heading in enumerate(headings) if heading and index not in taken and not _is_counter(heading))
    return columns, unmapped


@lru_cache(maxsize=4096)
def classify(heading: str) -> tuple[tuple[int, str], ...]:
    """The fields a heading may name, each with a rank (0 is best), () for none."""
    if not heading or len(heading) > 60:
        return ()
    found: dict[str, int] = {}
    for form in _forms(heading):
        for name, rank in _SYNONYMS.get(form, ()):
            found.setdefault(name, rank)
        party = _party(form)
        if party:
            found.setdefault(party, 1)
        if found:
            break
    return tuple(sorted((rank, name) for name, rank in found.items()))


def _pair_contracts(columns: dict[str, Column], spare: list[Column]) -> list[Column]:
    """Beside a column of numbers one of names, or the other way round; gives the column that was added."""
    held = columns.get("contract")
    for column in spare if held else ():
        if held and _is_name(held.heading) != _is_name(column.heading):
            number, name = (column, held) if _is_name(held.heading) else (held, column)
            columns["contract"], columns[NAME_COLUMN] = number, name
            return [column]
    return []


def _pair_emails(columns: dict[str, Column], headings: Sequence[str], taken: set[int], first_column: int) -> list[Column]:
    """メール right of a party's name is that party's; 担当者 and the like may stand between. Gives the columns that were added."""
    names = {column.number - first_column: name for name, column in columns.items() if name.endswith("_name")}
    added: list[Column] = []
    for index, role in sorted((index, name.removesuffix("_name")) for index, name in names.items()):
        if f"{role}_email" in columns:
            continue
        for at in range(index + 1, len(headings)):
            form = _bare(headings[at])
            if at not in taken and _EMAIL_WORD.fullmatch(form):
                columns[f"{role}_email"] = Column(first_column + at, headings[at])
                added.append(columns[f"{role}_email"])
                break
            if at in taken or not _OF_PERSON.search(form):
                break
    return added


def _is_name(heading: str) -> bool:
    return "名" in heading and "番号" not in heading


def missing_fields(columns: Mapping[str, Column]) -> tuple[str, ...]:
    """The required fields that no column holds."""
    held = set(columns) | ({"starts_on", "ends_on"} if PERIOD in columns else set[str]())
    return tuple(name for name in REQUIRED_FIELDS if name not in held)


def _strength(headings: Sequence[str]) -> int:
    """How many fields a row names; none where no field of a line is among them."""
    columns, _ = assign(headings, 0)
    names = {name for name in columns if name in FIELDS or name == PERIOD}
    return len(names) if len(names & LINE_FIELDS) + 2 * (PERIOD in names) >= 2 else 0


def _spans(merges: Iterable[Merge], last_row: int) -> list[Merge]:
    return [merge for merge in merges if merge[0] <= last_row and merge[3] > merge[1]][:10_000]


def _under_period(headings: list[str], row: int, first_column: int, across: list[Merge]) -> list[str]:
    """契約期間 merged over two columns (or three, with ～ between) heads the first day and the last."""
    headings = list(headings)
    for top, left, bottom, right in across:
        at = left - first_column
        beside = top <= row <= bottom and 0 <= at < right - first_column < len(headings) and right - left <= 2
        if beside and any(name == PERIOD for _, name in classify(headings[at])):
            headings[right - first_column] = f"{headings[at]} 終了"
            headings[at] = f"{headings[at]} 開始"
    return headings


def _two_rows(upper: list[str], lower: list[str], row: int, first_column: int, across: list[Merge]) -> list[str]:
    """The headings of two rows as one: 販売代理店 over 会社名 and メール; a merged or empty upper cell goes on to the right."""
    above, spanned = list(upper), [False] * len(upper)
    for top, left, bottom, right in across:
        if top <= row <= bottom and left >= first_column:
            for index in range(left - first_column, min(right - first_column + 1, len(above))):
                above[index], spanned[index] = upper[left - first_column], True
    headings: list[str] = []
    carried = ""
    for head, part, merged in zip(above, lower, spanned, strict=False):
        carried = head or (carried if part and not merged else "")
        headings.append(f"{carried} {part}" if carried and part and carried != part else carried or part)
    return headings


def _heading(cell: Cell) -> str:
    return " ".join(shown(cell).split())


def _is_counter(heading: str) -> bool:
    return _bare(heading) in _COUNTERS


def _forms(heading: str) -> tuple[str, ...]:
    """The spellings under which a heading is looked up: whole, without what stands in brackets, its last part."""
    whole = _bare(heading)
    outside = _bare(_BRACKETED.sub("", fold(heading)))
    return tuple(dict.fromkeys(form for form in (whole, outside, *_of_two(heading)) if form))


def _of_two(heading: str) -> tuple[str, ...]:
    """The lower of two headings alone, where the upper one is only a group: 契約期間 over 開始日."""
    upper, _, lower = heading.rpartition(" ")
    return (_bare(lower),) if upper and not any(word in _bare(upper) for words in _PARTIES.values() for word in words) else ()


def _bare(heading: str) -> str:
    return _ORNAMENT.sub("", fold(_NUMBER.sub("", heading)).lower()).replace("問い合わせ", "問合せ").replace("問合わせ", "問合せ").replace("問い合せ", "問合せ")


def _party(form: str) -> str:
    """agent_name, agent_email and so on for 販売代理店, 代理店メールアドレス, 設置先会社名; "" for other things of a party."""
    for role, words in _PARTIES.items():
        if not any(word in form for word in words):
            continue
        rest = form
        for word in words:
            rest = rest.replace(word, "")
        rest = rest.replace("情報", "").strip("のご先")
        if _EMAIL_WORD.fullmatch(rest):
            return f"{role}_email"
        return f"{role}_name" if _NAME_WORD.fullmatch(rest) else ""
    return ""


_WEAK = 8
_BRACKETED = re.compile(r"\([^)]*\)|\[[^\]]*\]|【[^】]*】|<[^>]*>|〔[^〕]*〕")
_ORNAMENT = re.compile(r"[\s()\[\]【】<>〔〕「」※*★●■◆○:・,、。._/\-|~'\"]|必須|任意|様")
_NUMBER = re.compile(r"[\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf]|^\s*\d{1,2}[.．)）:：](?!\d)")
"""①, ⑴, ⒈ and their like, and ``1.`` before a heading."""
_COUNTERS = frozenset({"no", "no.", "#", "番号", "項番", "連番", "行", "行番号", "通番", "seq", "結果", "直し方", "元の行"})
_ADDED = frozenset({"結果", "直し方"})
_PARTIES = {role: tuple(words.split()) for role, words in PARTY_WORDS.items()}
_EMAIL_WORD = re.compile(
    r"(?:保守登録|登録|代表|連絡先|会社|担当者?|ご?担当者?|窓口|contact|company)?の?(?:eメール|電子メール|メール|メアド|アドレス|e?mail)(?:アドレス|address)?1?"
)
_OF_PERSON = re.compile(r"担当|部署|部門|役職|電話|tel|fax|住所|郵便|〒")
_NAME_WORD = re.compile(r"(?:|ご?会社名?|社名|貴社名|名称?|企業名?|法人名?|組織名?|団体名|機関名|御?社名|companyname|company|name|organization)")


def _synonyms() -> dict[str, tuple[tuple[str, int], ...]]:
    table: dict[str, list[tuple[str, int]]] = {}
    for name, ranks in COLUMN_NAMES.items():
        for rank, words in enumerate(ranks):
            for word in words.split():
                table.setdefault(word, []).append((name, rank * 2))
    for word in EITHER_NAMES.split():
        table.setdefault(word, []).extend((("product_number", _WEAK), ("family", _WEAK + 1)))
    return {word: tuple(found) for word, found in table.items()}


_SYNONYMS = _synonyms()

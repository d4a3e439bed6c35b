"""内容の確認: a plan to look at, row by row, with what applying it causes; and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from actions.import_approvals import may_approve, needs_approval
from actions.import_batches import fingerprint
from actions.import_undo import undo_until
from console.import_batch import PATH, frame_of, steps_of
from console.import_fixing import fixes_of
from console.import_rows import Beside, row_of
from console.paging import address, number
from models.base import AnyRow
from models.import_corrections import correction_count
from models.import_lists import EVERY_ROW, INTERESTS, PROBLEMS, Show, applied_before, conflicts_of, moved_domains, plan_page, renewed_lines, renewed_rows
from models.imports import BatchKind, BatchState, ImportBatch
from rules.addresses import host_of, registrable
from rules.lines import EMAIL_FIELDS
from web.call import Call
from wording.catalog import N_
from wording.dates import number as grouped
from wording.imports import FIELD_LABELS, field_labels

_PLAN = "console/imports/plan.html"
_MOST_MOVED = 20


_COUNTS = ("missing", "conflicts", "renewals", "linked", "unlinked", "unticked", "ticked")
_READY, _EFFECTS = ("certificates", "new", "changed", "withdrawn", "domains"), ("accounts", "gain", "lose", "results", "tickets")


@dataclass(frozen=True)
class MovedDomain:
    """A party's e-mail that gets another registrable domain, and how many accounts hang on its certificate."""

    contract: str
    label: str
    old: str
    new: str
    accounts: int


def review(call: Call, batch: ImportBatch) -> Response:
    """The page of a batch that was read; the filter, the search and the place come with the address."""
    return call.page(_PLAN, **_context(call, batch))


def conditions(call: Call) -> dict[str, str]:
    """What a page of rows was asked for, to come back to it."""
    posted = call.basis.request.method == "POST"
    told = {name: (call.form.value(name) if posted else call.query(name)) for name in ("q", "columns")}
    show = [call.form.value("show")] if posted else call.queries("show")
    return {"show": shown_in(",".join(show)), "q": told["q"].strip()[:200], "columns": "all" if told["columns"] == "all" else ""}


def shown_in(address: str) -> str:
    """The kinds of rows that an address names, as addresses of ours name them: "" for those that are shown first."""
    return _named(_kinds(address))


def _kinds(named: str) -> frozenset[Show]:
    """The kinds of rows by name, several at once; those that are shown first where none is known."""
    found = [_GROUPS.get(name) or ({Show(name)} if name in [*Show] else set[Show]()) for name in named.split(",")]
    return frozenset[Show]().union(*found) or INTERESTS


def _named(kinds: frozenset[Show]) -> str:
    if kinds == INTERESTS:
        return ""
    return next((name for name, group in _GROUPS.items() if group == kinds), ",".join(kind for kind in Show if kind in kinds))


_GROUPS: dict[str, frozenset[Show]] = {"problem": PROBLEMS, "all": EVERY_ROW}
"""Names for several kinds."""
_TILES: dict[str, frozenset[Show]] = {
    "problem": PROBLEMS,
    **{kind.value: frozenset({kind}) for kind in (Show.CHANGED, Show.NEW, Show.UNCHANGED, Show.MISSING)},
}


def applied_sentence(call: Call, batch: ImportBatch) -> str:
    """What was written, and what waits."""
    written, held = batch.summary["written"], batch.summary["held"]["certificates"]
    certificates = grouped(written["certificates"])
    lines = grouped(written["new"] + written["changed"] + written.get("withdrawn", 0))
    if held:
        return call.say(N_("証書 {n}件（{m}行）を反映しました。{k}件は反映待ちです。"), n=certificates, m=lines, k=grouped(held))
    return call.say(N_("証書 {n}件（{m}行）を反映しました。"), n=certificates, m=lines)


def _context(call: Call, batch: ImportBatch) -> dict[str, Any]:
    asked = conditions(call)
    told: dict[str, Any] = {
        **frame_of(call),
        "batch": batch,
        "asked": asked,
        **_showing(batch, asked),
        "summary": _summary(batch),
        "again": applied_before(call.session, batch) if batch.state == BatchState.PLANNED else None,
        "applied": applied_sentence(call, batch) if "written" in batch.summary and batch.state in (BatchState.APPLIED, BatchState.UNDONE) else "",
        "fields": field_labels(call.basis.language),
        "links": steps_of(batch),
        "corrected": correction_count(call.session, batch.id),
        "fingerprint": fingerprint(batch),
        **_second_person(call, batch),
        **_undoing(call, batch),
    }
    return told | ({} if batch.kind == BatchKind.UNDO else _rows(call, batch, asked) | {"moved": _moved(call, batch)})


def _showing(batch: ImportBatch, asked: dict[str, str]) -> dict[str, Any]:
    """Which kinds of rows are shown, and for each tile whether it is and where pressing it leads: its kinds come or go."""
    kinds = _kinds(asked["show"])
    toggled = {name: kinds - group if group <= kinds else kinds | group for name, group in _TILES.items()}
    tiles = {name: (address(f"{PATH}/{batch.id}", asked | {"show": _named(toggled[name])}), group <= kinds) for name, group in _TILES.items()}
    return {"show": asked["show"], "kinds": [kind for kind in Show if kind in kinds], "tiles": tiles}


def _summary(batch: ImportBatch) -> dict[str, Any]:
    """The counts of a plan, those too that were not counted yet when it was kept."""
    told = batch.summary
    ready = {**dict.fromkeys(_READY, 0), **told.get("ready", {})}
    effects: dict[str, Any] = {**dict.fromkeys(_EFFECTS, 0), "verdicts": [], **told.get("effects", {})}
    return {**dict.fromkeys(_COUNTS, 0), **told, "ready": ready, "effects": effects}


def _rows(call: Call, batch: ImportBatch, asked: dict[str, str]) -> dict[str, Any]:
    after, before = number(call.query("after")), number(call.query("before"))
    found = plan_page(call.session, batch.id, _kinds(asked["show"]), sought=asked["q"], after=after, before=before, limit=call.limits.page_rows)
    beside = Beside(conflicts_of(call.session, batch.id, found.rows), renewed_lines(call.session, found.rows), renewed_rows(call.session, batch.id, found.rows))
    every = asked["columns"] == "all"
    here = f"{PATH}/{batch.id}"
    back = found.rows[0].position if found.rows and found.before else None
    onward = found.rows[-1].position if found.rows and found.after else None
    return {
        "rows": [row_of(row, beside, call.basis.language, every_field=every) for row in found.rows],
        "fixes": fixes_of(call, batch, found.rows),
        "page": {
            "previous_url": None if back is None else address(here, asked | {"before": str(back)}),
            "next_url": None if onward is None else address(here, asked | {"after": str(onward)}),
        },
        "toggle": address(here, asked | {"columns": "" if every else "all"}),
    }


def _second_person(call: Call, batch: ImportBatch) -> dict[str, Any]:
    open_ = batch.state in (BatchState.PLANNED, BatchState.WAITING)
    asks = open_ and needs_approval(batch) and call.wiring.settings.second_person
    return {"asks_approval": asks, "may_approve": batch.state == BatchState.WAITING and may_approve(batch, call.staff)}


def _undoing(call: Call, batch: ImportBatch) -> dict[str, Any]:
    """Until when it can be undone, what it undid, and what undid it."""
    until = undo_until(batch, call.limits) if batch.state == BatchState.APPLIED else None
    by = None
    if batch.state == BatchState.UNDONE:
        statement = select(ImportBatch).where(ImportBatch.undoes_id == batch.id, ImportBatch.kind == BatchKind.UNDO)
        by = call.session.scalars(statement.order_by(ImportBatch.id.desc()).limit(1)).one_or_none()
    return {"undo_until": until if until and call.now <= until else None, "undone_by": by}


def _moved(call: Call, batch: ImportBatch) -> list[MovedDomain]:
    if batch.state not in (BatchState.PLANNED, BatchState.WAITING):
        return []
    return [each for row in moved_domains(call.session, batch.id, limit=_MOST_MOVED) for each in _moves(call, row)]


def _moves(call: Call, row: AnyRow) -> Sequence[MovedDomain]:
    return [
        MovedDomain(row.contract_key, call.say(FIELD_LABELS[name]), row.facts[name][0], row.facts[name][1], row.accounts)
        for name in EMAIL_FIELDS
        if name in row.facts and registrable(host_of(row.facts[name][0])) != registrable(host_of(row.facts[name][1]))
    ]

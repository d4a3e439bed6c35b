"""What a reviewer decides of a plan: ticks, conflicts, applying it, a second person's approval, and undoing it."""

from __future__ import annotations

from datetime import date
from typing import Any

from starlette.responses import Response

from actions import import_apply, import_approvals, import_batches, import_undo
from actions.import_apply import Written
from console.import_batch import PATH, READ, WRITE, frame_of
from console.import_review import applied_sentence, conditions
from console.paging import address, number
from models import undoing
from models.imports import ImportBatch
from models.undoing import Undoing
from rules.refusal import Refused
from web.call import Call
from web.endpoint import Page, get, post
from wording.catalog import N_
from wording.dates import number as grouped
from wording.imports import FIELD_LABELS
from wording.refusals import say

_UNDO = "console/imports/undo.html"
_SIDES = ("removed", "changed", "returned")
_COMPARED = ("product_number", "serial", "starts_on", "ends_on", "service", "contact")


def confirm(call: Call) -> Response:
    """Tick rows and decide conflicts, or take that back."""
    batch = call.named(ImportBatch)
    shown, chosen = _numbers(call, "shown"), _choices(call)
    try:
        if call.form.has("all"):
            import_batches.confirm_all(call.session, batch, by=call.staff, now=call.now)
        elif call.form.has("renewals"):
            import_batches.confirm_renewals(call.session, batch, by=call.staff, now=call.now)
        else:
            import_batches.confirm(call.session, batch, ticked=_numbers(call, "ticked"), shown=shown, by=call.staff, now=call.now)
            theirs = {conflict for conflict, side in chosen.items() if side == "theirs"}
            import_batches.settle(call.session, batch, theirs=theirs, shown=chosen, by=call.staff, now=call.now)
    except Refused as refused:
        return _refused(call, batch, refused)
    kept = conditions(call) | {name: str(place) for name in ("after", "before") if (place := number(call.form.value(name))) is not None}
    return call.redirect(address(f"{PATH}/{batch.id}", kept), flash=N_("選んだ内容を保存しました。"))


def apply(call: Call) -> Response:
    """Write the sound certificates, or all of them or none."""
    batch = call.named(ImportBatch)
    seen, whole, second = call.form.value("fingerprint"), call.form.value("extent") == "all", call.wiring.settings.second_person
    try:
        written = import_apply.apply(call.session, batch, by=call.staff, now=call.now, seen=seen, all_or_nothing=whole, second_person=second)
    except Refused as refused:
        return _refused(call, batch, refused)
    return _written(call, batch, written)


def ask(call: Call) -> Response:
    """Let the plan wait for a second person."""
    batch = call.named(ImportBatch)
    seen, whole = call.form.value("fingerprint"), call.form.value("extent") == "all"
    try:
        import_approvals.ask(call.session, batch, by=call.staff, now=call.now, seen=seen, all_or_nothing=whole)
    except Refused as refused:
        return _refused(call, batch, refused)
    return call.redirect(f"{PATH}/{batch.id}", flash=N_("承認を依頼しました。もう 1 人が同じ画面で承認すると反映されます。"))


def approve(call: Call) -> Response:
    """Approve and apply."""
    batch = call.named(ImportBatch)
    try:
        written = import_approvals.approve(call.session, batch, by=call.staff, now=call.now, seen=call.form.value("fingerprint"))
    except Refused as refused:
        return _refused(call, batch, refused)
    return _written(call, batch, written)


def decline(call: Call) -> Response:
    """Give the plan back for review."""
    batch = call.named(ImportBatch)
    try:
        import_approvals.decline(call.session, batch, reason=call.form.value("reason").strip()[:500], by=call.staff, now=call.now)
    except Refused as refused:
        return _refused(call, batch, refused)
    return call.redirect(f"{PATH}/{batch.id}", flash=N_("内容の確認に戻しました。"))


def discard(call: Call) -> Response:
    """Leave it: nothing will be written."""
    batch = call.named(ImportBatch)
    try:
        import_batches.discard(call.session, batch, by=call.staff, now=call.now)
    except Refused as refused:
        return _refused(call, batch, refused)
    return call.redirect(PATH, flash=call.say(N_("「{file}」の取込を破棄しました。"), file=batch.file_name))


def preview_undo(call: Call) -> Response:
    """What undoing would change back."""
    batch = call.named(ImportBatch)
    try:
        plan = import_undo.plan_undo(call.session, batch, now=call.now, limits=call.limits)
    except Refused as refused:
        return call.page(_UNDO, **frame_of(call), batch=batch, refusal=say(refused, call.basis.language))
    side = call.query("show") if call.query("show") in _SIDES else next((name for name in _SIDES if plan.counts[name]), "removed")
    told = {"plan": plan, "side": side, "fingerprint": import_undo.fingerprint(batch, plan), "until": import_undo.undo_until(batch, call.limits)}
    return call.page(_UNDO, **frame_of(call), batch=batch, **told, **_lines(call, batch, side))


def undo(call: Call) -> Response:
    """Bring back what the batch found."""
    batch = call.named(ImportBatch)
    try:
        own = import_undo.undo(call.session, batch, by=call.staff, now=call.now, limits=call.limits, seen=call.form.value("fingerprint"))
    except Refused as refused:
        return _refused(call, batch, refused)
    kept = own.summary["undone"]["kept"]
    flash = call.say(N_("取込を元に戻しました。{n}件は、反映のあとで編集されているため残しました。"), n=grouped(kept)) if kept else N_("取込を元に戻しました。")
    return call.redirect(f"{PATH}/{own.id}", flash=flash)


def _lines(call: Call, batch: ImportBatch, side: str) -> dict[str, Any]:
    """One page of the lines of an undo plan, by their ids."""
    found = {"removed": undoing.going, "changed": undoing.changing_back, "returned": undoing.returning}[side]
    limit, after = call.limits.page_rows, number(call.query("after")) or 0
    rows = found(call.session, Undoing.of(batch), after=after, limit=limit + 1)
    onward = address(f"{PATH}/{batch.id}/undo", {"show": side, "after": str(rows[limit - 1].id)}) if len(rows) > limit else None
    page = {"previous_url": address(f"{PATH}/{batch.id}/undo", {"show": side}) if after else None, "next_url": onward}
    shown = rows[:limit]
    changes = {row.id: _changes(call, row) for row in shown} if side == "changed" else {}
    return {"rows": shown, "changes": changes, "page": page}


def _changes(call: Call, row: Any) -> list[tuple[str, str, str]]:
    """(Label, value now, value that comes back) of the fields that differ."""
    pairs = [(name, _text(getattr(row, name)), _text(getattr(row, f"old_{name}"))) for name in _COMPARED]
    return [(call.say(FIELD_LABELS[name]), now, then) for name, now, then in pairs if now != then]


def _text(value: object) -> str:
    return f"{value:%Y/%m/%d}" if isinstance(value, date) else str(value)


def _written(call: Call, batch: ImportBatch, written: Written) -> Response:
    if written.outdated:
        told = say(Refused("plan_outdated", n=written.outdated), call.basis.language)
        return call.redirect(f"{PATH}/{batch.id}", flash=told, kind="warn")
    return call.redirect(f"{PATH}/{batch.id}", flash=applied_sentence(call, batch))


def _refused(call: Call, batch: ImportBatch, refused: Refused) -> Response:
    """What a rule says no to, told on the batch's own page; what was written before is taken back."""
    call.session.rollback()
    return call.redirect(f"{PATH}/{batch.id}", flash=say(refused, call.basis.language), kind="danger")


def _choices(call: Call) -> dict[int, str]:
    """Conflict -> "ours" or "theirs", of those that the page showed."""
    asked = ((conflict, call.form.value(f"conflict-{conflict}")) for conflict in _numbers(call, "asked"))
    return {conflict: side for conflict, side in asked if side in ("ours", "theirs")}


def _numbers(call: Call, name: str) -> set[int]:
    return {found for typed in call.form.values(name) if (found := number(typed)) is not None}


_BATCH = f"{PATH}/{{id:int}}"
PAGES: list[Page] = [
    post(f"{_BATCH}/confirmations", confirm, WRITE),
    post(f"{_BATCH}/application", apply, WRITE),
    post(f"{_BATCH}/approval-request", ask, WRITE),
    post(f"{_BATCH}/approval", approve, WRITE),
    post(f"{_BATCH}/approval-refusal", decline, WRITE),
    post(f"{_BATCH}/discard", discard, WRITE),
    get(f"{_BATCH}/undo", preview_undo, READ),
    post(f"{_BATCH}/undo", undo, WRITE),
]

"""What `jtickets import plan` and `apply` print: the plan, and what came of it, for people and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from actions.import_apply import Written
    from actions.import_plans import Plan

_SHOWN = 20


def outcome(file: Path, batch_id: int | None, plan: Plan, written: Written | None) -> dict[str, Any]:
    """What came of the plan, as `apply --json` prints it; without `written` nothing was applied."""
    held = [index for index, row in plan.held_by.items() if row]
    rows = [
        {
            "sheet": plan.rows.sheets[index],
            "row": plan.rows.numbers[index],
            "status": plan.statuses[index],
            "contract": plan.rows.values[index][1],
            "held_by": plan.held_by[index],
            "reasons": [issue["message"] for issue in (*plan.rows.errors.get(index, ()), *plan.rows.warnings.get(index, ()))],
        }
        for index in sorted(held)
    ]
    certificates = sum(1 for certificate in plan.certificates.values() if certificate.held_by)
    return {
        "file": file.name,
        "batch": batch_id,
        "written": {
            "certificates": written.certificates if written else 0,
            "new": written.new if written else 0,
            "changed": written.changed if written else 0,
            "unchanged": plan.statuses.count("unchanged"),
        },
        "held": {"certificates": certificates, "rows": rows},
        "missing": plan.missing,
        "summary": plan.summary(),
    }


def print_plan(file: Path, sheets: list[dict[str, Any]], plan: Plan) -> None:
    """One JSON object, a row a line, so that 100,000 rows need no second copy in memory."""
    told = [{name: sheet[name] for name in ("name", "rows", "heading_row", "skipped", "hidden", "notes")} for sheet in sheets]
    print("{" + f'"file":{_json(file.name)},"sheets":{_json(told)},"rows":[')
    for index, row in enumerate(plan.told()):
        print(("," if index else "") + _json(row))
    print(f'],"missing":{_json(plan.missing)},"summary":{_json(plan.summary())}' + "}")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def show_plan(file: Path, sheets: list[dict[str, Any]], plan: Plan) -> None:
    """The plan for a person."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    summary = plan.summary()
    console.print(f"{file.name}：反映すると起きること", markup=False, soft_wrap=True)
    table = Table()
    table.add_column("判定")
    table.add_column("行", justify="right")
    for label, count in _counts(summary):
        table.add_row(label, f"{count:,}")
    console.print(table)
    for sheet in sheets:
        console.print(
            sheet["skipped"] or f"シート「{sheet['name']}」：{sheet['rows']:,}行（見出しは {sheet['heading_row']}行目）", markup=False, soft_wrap=True
        )
    _show_problems(console, plan)
    console.print(f"証書 {summary['certificates']:,}件。まだ何も反映されていません。", markup=False, soft_wrap=True)


def _counts(summary: dict[str, int]) -> list[tuple[str, int]]:
    labels = {"new": "新規", "changed": "変更", "unchanged": "変更なし", "error": "エラー", "warnings": "警告のある行", "missing": "ファイルにない明細"}
    return [(label, summary[name]) for name, label in labels.items()]


def _show_problems(console: Console, plan: Plan) -> None:
    problems = sorted({*plan.rows.errors, *plan.rows.warnings})
    for index in problems[:_SHOWN]:
        place = f"{plan.rows.sheets[index]} {plan.rows.numbers[index]}行目".strip()
        for kind, issues in (("エラー", plan.rows.errors), ("警告", plan.rows.warnings)):
            for issue in issues.get(index, ()):
                console.print(f"{kind}  {place}  {issue['message']}", markup=False, soft_wrap=True)
    if len(problems) > _SHOWN:
        console.print(f"ほか {len(problems) - _SHOWN:,}行。すべては --json で出力できます。", markup=False, soft_wrap=True)


def show_outcome(told: dict[str, Any], *, confirmed: bool) -> None:
    """What came of it, for a person."""
    from rich.console import Console

    console = Console()
    written, held = told["written"], told["held"]
    if written["certificates"]:
        lines = written["new"] + written["changed"]
        console.print(
            f"証書 {written['certificates']:,}件（新規 {written['new']:,}行・変更 {written['changed']:,}行、合わせて {lines:,}行）を反映しました。",
            markup=False,
        )
    else:
        console.print("反映する内容はありませんでした。何も変わっていません。", markup=False, soft_wrap=True)
    if held["rows"]:
        console.print(f"証書 {held['certificates']:,}件（{len(held['rows']):,}行）は反映待ちです。", markup=False, soft_wrap=True)
        for row in [row for row in held["rows"] if row["reasons"]][:_SHOWN]:
            console.print(f"  {row['sheet']} {row['row']}行目  {' '.join(row['reasons'])}", markup=False, soft_wrap=True)
        if not confirmed:
            console.print("警告だけの証書は、内容を確かめてから --confirm-warnings を付けると反映できます。", markup=False, soft_wrap=True)
    if told["missing"]:
        console.print(f"ファイルにない明細が {len(told['missing']):,}件あります。残しました。", markup=False, soft_wrap=True)

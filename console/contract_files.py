"""Contracts as files: the lines that a search finds, and the template to fill in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from starlette.responses import Response, StreamingResponse

from actions import journal
from console.contract_search import PATH, search_of
from importers.export import as_csv, as_xlsx
from models.contract_export import exported_lines
from models.contracts import ContractLine
from models.masters import families
from rules.calendar import TOKYO, tokyo_date
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.downloads import disposition
from web.endpoint import Page, get, post
from web.errors import NotFound
from wording.workbook import EXPORTED, TEMPLATE

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = {"xlsx": (XLSX, "xlsx", ""), "csv": ("text/csv; charset=utf-8", "csv", "utf-8"), "csv_cp932": ("text/csv; charset=shift_jis", "csv", "cp932")}
_MOST_SERVICES = 500


def export(call: Call) -> Response:
    """The lines of the certificates that the search finds, streamed while they are read; the journal notes who took what."""
    kind = call.form.value("kind")
    if kind not in KINDS:
        raise NotFound
    media, ending, encoding = KINDS[kind]
    search = search_of(call, call.form.value)
    journal.record(call.session, "export", "contract", None, by=call.staff, now=call.now, kind=kind, conditions=[text for text, _ in search.conditions(call)])
    lines = exported_lines(call.wiring.engine, search.wanted)
    pieces = as_csv(lines, encoding=encoding) if encoding else as_xlsx(lines)
    return StreamingResponse(pieces, media_type=media, headers=headers(EXPORTED.format(stamp=stamp(call.now), ending=ending)))


def template(call: Call) -> Response:
    """The workbook to fill in."""
    from importers.template import template_workbook  # and with it openpyxl, 15 MB that no other page needs

    services = call.session.scalars(select(ContractLine.service).distinct().order_by(ContractLine.service).limit(_MOST_SERVICES)).all()
    names = [row.name for row in families(call.session)]
    content = template_workbook(families=names, services=services, today=tokyo_date(call.now))
    return Response(content, media_type=XLSX, headers=headers(TEMPLATE))


def stamp(now: datetime) -> str:
    """`now` as the name of a file tells it."""
    return now.astimezone(TOKYO).strftime("%Y%m%d_%H%M")


def headers(name: str) -> dict[str, str]:
    """Of a file that is to be kept and never shown."""
    return {"content-disposition": disposition(name), "x-content-type-options": "nosniff", "cache-control": "private, no-store"}


_READ = staff(Area.CONTRACTS, Right.READ)
PAGES: list[Page] = [
    post(f"{PATH}/export", export, _READ),
    get(f"{PATH}/template", template, _READ),
]

"""Tickets as files: what a view, a filter or a search holds, without a word of the threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from starlette.responses import Response, StreamingResponse

from actions import journal
from console.contract_files import KINDS, headers, stamp
from console.queue import PATH, conditions_of, read_choice, wanted_of
from importers.export import csv_of
from importers.xlsx_stream import Look, StreamCell, Styled, Table, write_tables
from models.base import NEVER, AnyRow
from models.queue import queue_masters
from models.ticket_export import exported_tickets
from rules.calendar import TOKYO
from rules.rights import Area, Right
from rules.search import terms_of
from web.access import staff
from web.call import Call
from web.endpoint import Page, post
from web.errors import NotFound
from wording import labels
from wording.workbook import TICKET_HEADINGS, TICKETS_EXPORTED, TICKETS_SHEET

_WIDTHS = (10, 40, 28, 16, 18, 14, 16, 8, 14, 22, 22, 16, 16, 18, 18, 18, 18, 18, 18)
Cell = str | int | datetime | None


def export(call: Call) -> Response:
    """The tickets of the list, streamed while they are read; the journal notes who took what."""
    kind = call.form.value("kind")
    if kind not in KINDS:
        raise NotFound
    media, ending, encoding = KINDS[kind]
    masters = queue_masters(call.session)
    choice = read_choice(call, masters, call.form.value)
    conditions = [f"{name}：{value}" for name, value, _ in conditions_of(choice, call, masters)]
    journal.record(call.session, "export_tickets", "ticket", None, by=call.staff, now=call.now, kind=kind, conditions=conditions)
    wanted = wanted_of(choice, call, masters, masters.calendar)
    tickets = exported_tickets(call.wiring.engine, wanted, terms_of(choice.q) if choice.q else (), most=call.limits.export_rows)
    lines = (_cells(row, call.basis.language) for row in tickets)
    pieces = csv_of(_texts(lines), encoding=encoding) if encoding else write_tables([Table(TICKETS_SHEET, _rows(lines), _WIDTHS)])
    return StreamingResponse(pieces, media_type=media, headers=headers(TICKETS_EXPORTED.format(stamp=stamp(call.now), ending=ending)))


def _cells(row: AnyRow, language: str) -> list[Cell]:
    """A ticket in the order of `TICKET_HEADINGS`; moments in Tokyo, without their zone."""
    verdict = row.opening_verdict.get("verdict")
    return [
        row.id,
        row.subject,
        row.company_name or "",
        row.person_name or "",
        row.product,
        row.category,
        labels.state(row.state, language),
        labels.priority(row.priority, language),
        row.assignee or "",
        row.contract_text,
        row.serial_text,
        row.model,
        row.os_version,
        labels.verdict(verdict, language) if verdict else "",
        *(_moment(at) for at in (row.created_at, row.updated_at, row.due_at, row.first_answer_at, row.resolved_at)),
    ]


def _moment(at: datetime | None) -> datetime | None:
    return at.astimezone(TOKYO).replace(tzinfo=None, second=0, microsecond=0) if at and at < NEVER else None


def _texts(lines: Iterable[list[Cell]]) -> Iterator[list[str]]:
    yield from chain([[*TICKET_HEADINGS]], ([_text(cell) for cell in cells] for cells in lines))


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:%Y/%m/%d %H:%M}" if isinstance(cell, datetime) else str(cell)


def _rows(lines: Iterable[list[Cell]]) -> Iterator[list[StreamCell]]:
    yield [Styled(heading, Look.HEADING) for heading in TICKET_HEADINGS]
    for cells in lines:
        yield [Styled(cell, Look.MOMENT) if isinstance(cell, datetime) else cell for cell in cells]


PAGES: list[Page] = [post(f"{PATH}/export", export, staff(Area.TICKETS, Right.READ))]

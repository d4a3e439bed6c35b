"""How the desk's pages grow with the tickets: each at 10,000 and at the wanted number, one reader, one process."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from bench.corpus import FIRST_MOMENT, RARE, company, contract_key, inquiry, serial, slip
from bench.databases import Databases
from bench.measure import Plan, ask_for, start
from bench.pages import CUSTOMER, DESK, WANTED, asked, requests_of
from bench.servers import Server

SMALL = 10_000
"""What the others are compared with."""
_MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Grown:
    """A page among so many tickets: milliseconds."""

    database: str
    tickets: int
    page: str
    p50: float
    p99: float
    cpu: float
    answers: int


def measure_growth(databases: Databases, plan: Plan, wanted: Sequence[str] = ()) -> Iterator[Grown]:
    """Every page (or those whose name begins with one of `wanted`), as it is finished; a page is asked once before it counts."""
    with start(DESK, databases, 1) as server:
        for page, requests in _pages(plan.tickets).items():
            if not wanted or page.startswith(tuple(wanted)):
                yield _grown(databases, server, page, requests, plan)


def _grown(databases: Databases, server: Server, page: str, requests: Sequence[bytes], plan: Plan) -> Grown:
    status = WANTED.get(page, 200)
    ask_for(server, [requests], status, seconds=0.2)
    before = server.cpu_ms()
    _, times = ask_for(server, [requests], status, seconds=plan.seconds)
    ordered = sorted(times)
    worst = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return Grown(databases.kind, plan.tickets, page, statistics.median(ordered), worst, (server.cpu_ms() - before) / len(ordered), len(ordered))


def _pages(tickets: int) -> dict[str, list[bytes]]:
    found = {page: requests_of(DESK, page, 0, tickets) for page in ("queue", "ticket")}
    for name, path in _paths(tickets).items():
        found[name] = [asked(path, CUSTOMER.cookie(0) if name.startswith("portal") else DESK.cookie(9))]
    # The last one: no job puts its posts into the full text here.
    return found | {"reply": requests_of(DESK, "reply", 0, tickets)}


def _paths(tickets: int) -> Mapping[str, str]:
    """What else people open, by a name for the table. Words: frequent, rare, short, numbers, nothing."""
    queue = {
        "due": "view=due",
        "mine": "view=mine",
        "unassigned": "view=unassigned",
        "waiting_customer": "view=waiting_customer",
        "waiting_vendor": "view=waiting_vendor",
        "waiting_center": "view=waiting_center",
        "resolved_today": "view=resolved_today",
        "updated": "sort=updated",
        "created": "sort=created",
        "number": "sort=number",
        "all": "state=all",
        "all oldest": "state=all&sort=created",
        "closed": "state=closed",
        "page in the middle": f"state=all&sort=number&after=0-{tickets // 2}",
        "product": "product=ruckus",
        "product all": "product=ruckus&state=all",
        "product closed": "product=ruckus&state=closed",
        "product updated": "product=ruckus&sort=updated",
        "person all": "assignee=3&state=all",
        "person product": "assignee=3&product=ruckus",
        "person updated": "assignee=3&sort=updated",
        "person closed": "assignee=3&state=closed",
        "priority": "priority=urgent",
        "priority all": "priority=urgent&state=all",
        "priority center": "priority=urgent&state=waiting_center&product=ruckus",
        "unassigned all": "assignee=none&state=all",
        "unassigned closed": "assignee=none&state=closed",
        "near of a product": "state=due&product=ruckus&assignee=3",
    }
    return {f"list {name}": f"/console/tickets?{query}" for name, query in queue.items()} | _searches(tickets) | _others(tickets)


def _searches(tickets: int) -> dict[str, str]:
    one = inquiry(tickets // 2)
    words = {
        "frequent": "再起動",
        "two": "監視",
        "one": "の",
        "rare": RARE,
        "none": "龘龘",
        "two words": "再起動 梅田オフィス",
        "long": "取得したログを確認したところ",
        "number": str(one.number),
        "serial": serial(one.account, one.line),
        "part of serials": serial(one.account, one.line)[:6],
        "contract": contract_key(one.account),
        "company": company(one.account),
        "slip": slip(one.number),
        "part of slips": slip(one.number)[4:9],
        "person": "検証 123郎",
        "mail": "tantou@bench123",
    }
    searches = {f"search {name}": f"q={quote(word)}" for name, word in words.items()}
    narrowed = {
        "center": "state=waiting_center",
        "vendor": "state=waiting_vendor",
        "product": "product=ruckus&state=closed&priority=low",
        "today": "state=resolved_today",
        "unassigned": "assignee=none&state=closed",
    }
    searches |= {f"search one, {name}": f"q={quote('の')}&{condition}" for name, condition in narrowed.items()}
    searches |= {f"search two, {name}": f"q={quote('監視')}&{condition}" for name, condition in narrowed.items()}
    searches["search two, oldest"] = f"q={quote('監視')}&before=0-60"
    searches["search rare, product"] = f"q={quote(RARE)}&product=ruckus"
    return {name: f"/console/tickets?{query}" for name, query in searches.items()}


def _others(tickets: int) -> dict[str, str]:
    first, last = FIRST_MOMENT, inquiry(tickets).at
    days = f"since={first:%Y-%m-%d}&until={min(last, first + 35 * _MONTH):%Y-%m-%d}"
    half = f"since={last - 5 * _MONTH:%Y-%m-%d}&until={last:%Y-%m-%d}"
    middle = f"since={first + (last - first) / 2:%Y/%m/%d}&until={first + (last - first) / 2:%Y/%m/%d}"
    email = quote("tantou@bench123.example")
    return {
        "reports": "/console/reports",
        "reports 6 months": f"/console/reports?{half}",
        **{f"reports 36 months by {by}": f"/console/reports?by={by}&{days}" for by in ("month", "product", "engineer", "category")},
        "journal": "/console/journal",
        "journal act": "/console/journal?act=assign",
        "journal rare act": "/console/journal?act=export_tickets",
        "journal actor": f"/console/journal?actor={quote('計測 3子')}",
        "journal nobody": f"/console/journal?actor={quote('誰でもない')}",
        "journal ticket": f"/console/journal?subject=ticket&id={tickets // 2}",
        "journal accounts": "/console/journal?subject=account",
        "journal day": f"/console/journal?{middle}",
        "mails": "/console/mails",
        "mails troubled": "/console/mails?state=troubled",
        "mails waiting": "/console/mails?state=waiting",
        "mails parked": "/console/mails?state=parked",
        "mails done": "/console/mails?state=done",
        "mails ticket": f"/console/mails?q={tickets // 2}",
        "mails address": f"/console/mails?q={email}",
        "mails no address": "/console/mails?q=nobody",
        "mails returned": "/console/mails/returned",
        "jobs": "/console/jobs",
        "accounts": "/console/accounts",
        "accounts word": f"/console/accounts?q={quote('商事第123')}",
        "accounts none": f"/console/accounts?q={quote('龘龘')}",
        "account": "/console/accounts/124",
        "account's disclosure": "/console/accounts/124/disclosure",
        "contracts": "/console/contracts",
        "contracts word": f"/console/contracts?q={quote('商事第123')}",
        "contracts serial": f"/console/contracts?q={serial(123, 1)}",
        "contracts none": f"/console/contracts?q={quote('龘龘')}",
        "contract": "/console/contracts/124",
        "radar": "/console/radar",
        "arrivals": f"/console/tickets/arrivals?since={int(last.timestamp())}",
        "related": f"/console/tickets/{tickets // 2}/related",
        "portal list": "/tickets",
        "portal list open": "/tickets?state=open",
        "portal search": f"/tickets?q={quote('再起動')}",
        "portal search none": f"/tickets?q={quote('龘龘')}",
        "portal search slip": f"/tickets?q={slip(tickets // 2)}",
    }


def ratio(grown: Grown, small: Mapping[str, Grown]) -> float:
    """How many times as long the page takes as among 10,000 tickets; 0 where that is not known."""
    with suppress(KeyError, ZeroDivisionError):
        return grown.p50 / small[grown.page].p50
    return 0.0

"""Lists of tickets as files."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta

import openpyxl
from sqlalchemy import Engine, select

from models.database import transaction
from models.journal import JournalEntry
from models.queue import Wanted
from models.search import put_in, waiting_posts
from models.ticket_export import exported_tickets
from rules.rights import Role
from rules.tickets import State
from tests.client import Client
from tests.people import NOW, add_account, add_post, add_staff, add_ticket, sign_in_staff


def test_a_view_leaves_as_a_workbook_and_as_text_without_a_word_of_the_threads(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        member = add_staff(session, "kansa", name="吉田", roles=[Role.AUDITOR])
        sign_in_staff(client, session, member)
        account = add_account(session)
        first = add_ticket(session, account, subject='=HYPERLINK("x")', contract="SD-000123-H", serial="0012", due_at=NOW + timedelta(hours=2))
        add_ticket(session, account, subject="髙い件", family="ruckus", state=State.OPEN, assignee=add_staff(session))
        add_ticket(session, account, subject="終わった件", state=State.CLOSED)
        add_post(session, first, "社内だけの話", staff=member, note=True)
    client.get("/console/tickets?open=tools")

    book = openpyxl.load_workbook(io.BytesIO(client.submit("Excel（xlsx）").content))
    rows = [list(row) for row in book["チケット一覧"].iter_rows(values_only=True)]
    text = list(csv.reader(io.StringIO(client.submit("csv（UTF-8）").content.decode("utf-8-sig"))))
    old = client.submit("csv（Shift_JIS）").content.decode("cp932")

    assert [row[0] for row in rows] == ["番号", 10001, 10002]
    assert rows[1][1] == '=HYPERLINK("x")' and book["チケット一覧"]["B2"].data_type == "s"
    assert rows[1][10] == "0012" and [f"{at:%m/%d %H:%M}" for at in (rows[1][14], rows[1][16])] == ["12/01 10:00", "12/01 12:00"]
    assert rows[2][16] is None and isinstance(rows[1][14], datetime)
    assert [row[1] for row in text] == ["件名", '\'=HYPERLINK("x")', "髙い件"] and text[2][6:9] == ["対応中", "中", "中村"]
    assert "髙い件" in old and "社内だけの話" not in old + str(rows) + str(text)
    with transaction(engine, readonly=True) as session:
        entry = session.scalars(select(JournalEntry).order_by(JournalEntry.id.desc())).first()
    assert entry and (entry.act, entry.actor_name, entry.facts) == ("export_tickets", "吉田", {"kind": "csv_cp932", "conditions": ["状態：未解決"]})


def test_a_search_leaves_as_it_was_found_and_no_file_grows_beyond_the_limit(engine: Engine) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        for n in range(7):
            add_post(session, add_ticket(session, account, subject=f"件 {n}"), "VPN の話" if n % 2 else "別の話", account=account)
        put_in(session, waiting_posts(session, NOW, limit=100))

    assert [row.subject for row in exported_tickets(engine, Wanted(), ("話", "vpn"), most=100)] == ["件 5", "件 3", "件 1"]
    assert [row.subject for row in exported_tickets(engine, Wanted(), (), most=3)] == ["件 0", "件 1", "件 2"]


def test_who_reads_no_tickets_takes_none(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "center", roles=[Role.SERVICE_CENTER]))
    client.get("/console/contracts")

    client.post("/console/tickets/export", {"kind": "csv", "csrf_token": client.csrf_token()}, expect=403)

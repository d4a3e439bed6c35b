"""Search finds exactly what a plain substring scan finds, on both databases, wherever a post stands on its way into the index."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session, object_session

from models.database import transaction
from models.people import Account
from models.search import EDITION, newest_old_ticket, put_in, put_in_anew, take_out, waiting_posts
from models.search_hits import Hit, Sought, find_tickets
from models.tickets import Attachment, Message, MessageKind, Ticket
from rules.search import terms_of
from rules.text import searchable
from rules.tickets import State
from tests.people import NOW, add_account, add_post, add_staff, add_ticket

_OF_THE_SECOND = 3
"""Each third ticket is the second account's."""
_WORDS = (
    "障害",
    "再起動",
    "ファームウェア",
    "ｻｰﾊﾞ",
    "切断",
    "VPN",
    "ＳＲＸ３４０",
    "CV4126AF",
    "①",
    "㈱東西",
    "100%",
    "a_b",
    "\\d",
    "𠮷野",
    "ஷ",
    "𩸽",
    "鸽a",
    "が",
    "を",
    "、",
    " ",
    "\n",
    "設定",
    "Ver.21.4R3",
    "192.168.10.1",
    "BN012301X",
    "tantou@rei123.example",
)


def _texts(seed: int, count: int) -> list[str]:
    chance = random.Random(seed)
    return [f"{''.join(chance.choices(_WORDS, k=chance.randint(3, 25)))}{chance.choice(('', ' '))}D26-{chance.randrange(10**8):08d}" for _ in range(count)]


def _queries(seed: int, texts: list[str], count: int) -> Iterator[str]:
    """Pieces of the texts of one to eight characters, some joined, some that nobody wrote."""
    chance = random.Random(seed)
    for _ in range(count):
        words: list[str] = []
        for _ in range(chance.choice((1, 1, 1, 2))):
            text = chance.choice(texts)
            at = chance.randrange(len(text)) if chance.random() < 0.8 else len(text) - chance.randint(3, 12)
            words.append(text[at : at + chance.choice((1, 1, 2, 2, 3, 4, 5, 8))])
        yield " ".join(words) if chance.random() < 0.9 else "".join(words)[::-1]


def _fill(session: Session, texts: list[str], posts_a_ticket: int) -> dict[int, list[tuple[int, str]]]:
    """Tickets with these posts, straight into their tables; answers ticket → (message, its searched text)."""
    accounts = [add_account(session, user_id=user_id, email=f"{user_id}@rei.example") for user_id in ("kimura", "sasaki")]
    held: dict[int, list[tuple[int, str]]] = {}
    rows: list[dict[str, Any]] = []
    number = 0
    for place, first in enumerate(range(0, len(texts), posts_a_ticket)):
        account = accounts[place % _OF_THE_SECOND == 0]
        ticket = add_ticket(session, account, subject="件名", contract="C-1", serial="S-1", body="最初の投稿")
        head = f"{searchable(ticket.search_text)}\nc-1 s-1\nc-1\ns-1\n"
        opened = session.scalars(select(Message.id).where(Message.ticket_id == ticket.id)).one()
        held[ticket.id] = [(opened, f"{head}最初の投稿")]
        for text in texts[first : first + posts_a_ticket]:
            number += 1
            kind = MessageKind.NOTE if number % 7 == 0 else MessageKind.CUSTOMER
            message: dict[str, Any] = {"id": 1_000_000 + number, "ticket_id": ticket.id, "kind": kind, "author_name": "木村", "body": text}
            rows.append(message | {"created_at": NOW, "published_at": NOW, "undo": {}})
            held[ticket.id].append((1_000_000 + number, head + searchable(text)))
    session.execute(insert(Message), rows)
    return held


def _scan(held: dict[int, list[tuple[int, str]]], typed: str) -> list[Hit]:
    terms = terms_of(typed)
    number = Sought(terms).number  # a ticket is found by its own, too
    found = {ticket: max((message for message, text in posts if all(term in text for term in terms)), default=0) for ticket, posts in held.items()}
    return [Hit(ticket, message) for ticket, message in sorted(found.items(), reverse=True) if message or ticket == number]


def _index(engine: Engine, most: int, edition: int = EDITION) -> None:
    with transaction(engine) as session:
        put_in(session, waiting_posts(session, NOW, limit=most), edition=edition)


def _compare(engine: Engine, posts: int, queries: int) -> None:
    """Two thirds were put in by the version before, the last hundred posts not at all; then the first are put in anew."""
    seed = random.randrange(10**6)
    texts = _texts(seed, posts)
    with transaction(engine) as session:
        held = _fill(session, texts, 5)
    waiting = posts + len(held) - 100
    for put in range(0, waiting, 2_000):
        _index(engine, min(2_000, waiting - put), edition=1 if put < waiting * 2 / 3 else EDITION)
    asked = list(_queries(seed, texts, queries))
    _ask(engine, held, asked[: queries // 2], seed)
    with transaction(engine) as session:
        assert put_in_anew(session, limit=posts // 3) == posts // 3
    _ask(engine, held, asked[queries // 2 : queries * 2 // 3], seed)
    with transaction(engine) as session:
        put_in_anew(session, limit=posts)
        assert newest_old_ticket(session) == -1
    _ask(engine, held, asked[queries * 2 // 3 :], seed)


def _ask(engine: Engine, held: dict[int, list[tuple[int, str]]], queries: list[str], seed: int) -> None:
    with transaction(engine, readonly=True) as session:
        second = session.scalars(select(Account.id).order_by(Account.id.desc())).first()
        theirs = set(session.scalars(select(Ticket.id).where(Ticket.account_id == second)))
        for typed in queries:
            if terms := terms_of(typed):
                hits = _scan(held, typed)
                told = f"seed {seed}: {typed}"
                assert find_tickets(session, Sought(terms), limit=10**6) == hits, told
                # Few tickets fulfil the one condition and are read through, most fulfil the other; a page stops early, one goes back.
                few = [hit for hit in hits if hit.ticket_id % 7 == 3]
                assert find_tickets(session, Sought(terms, [Ticket.id % 7 == 3]), limit=10) == few[:10], f"few, {told}"
                many = [hit for hit in hits if hit.ticket_id % 7 != 3]
                assert find_tickets(session, Sought(terms, [Ticket.id % 7 != 3]), limit=10**6) == many, f"many, {told}"
                assert find_tickets(session, Sought(terms), beyond=0, backwards=True, limit=10) == hits[-10:], f"back, {told}"
                assert find_tickets(session, Sought(terms, [Ticket.id % 7 != 3]), beyond=0, backwards=True, limit=10) == many[-10:], f"many, back, {told}"
                own = [hit for hit in hits if hit.ticket_id in theirs]
                sought = Sought(terms, [Ticket.account_id == second], account_id=second)
                assert find_tickets(session, sought, limit=10) == own[:10], f"own, {told}"


def test_search_finds_what_a_scan_finds(engine: Engine) -> None:
    _compare(engine, 5_000, 100)


@pytest.mark.proof
def test_search_finds_what_a_scan_finds_among_many(engine: Engine) -> None:
    _compare(engine, 100_000, 1_000)


def test_pages_of_hits_meet_without_a_gap(engine: Engine) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        numbers = [add_ticket(session, account, subject="同じ件名").id for _ in range(9)]
    _index(engine, 5)

    with transaction(engine, readonly=True) as session:
        pages = [find_tickets(session, Sought(("同じ",)), limit=4)]
        while pages[-1]:
            pages.append(find_tickets(session, Sought(("同じ",)), beyond=pages[-1][-1].ticket_id, limit=4))
        back = find_tickets(session, Sought(("同じ",)), beyond=pages[1][-1].ticket_id, backwards=True, limit=3)

    assert [hit.ticket_id for page in pages for hit in page] == numbers[::-1]
    assert [hit.ticket_id for hit in back] == [hit.ticket_id for hit in pages[1][:3]]


def test_a_page_that_ends_anywhere_names_the_newest_post_of_each_ticket(engine: Engine) -> None:
    with transaction(engine) as session:
        held = _fill(session, ["同じ投稿"] * 177, 3)
    _index(engine, 1_000)
    hits = [Hit(ticket, max(message for message, _ in posts)) for ticket, posts in sorted(held.items(), reverse=True)]

    with transaction(engine, readonly=True) as session:
        for limit in range(1, len(hits) + 1):
            assert find_tickets(session, Sought(("投稿",)), limit=limit) == hits[:limit]
            assert find_tickets(session, Sought(("同じ投稿",)), beyond=0, backwards=True, limit=limit) == hits[-limit:]


def test_a_customer_finds_no_note_and_no_answer_before_its_time(engine: Engine) -> None:
    later = NOW + timedelta(seconds=10)
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session))
        member = add_staff(session)
        add_post(session, ticket, "秘密の合言葉", staff=member, note=True)
        add_post(session, ticket, "まだ届かない回答", staff=member).published_at = later

    for _ in range(2):
        with transaction(engine, readonly=True) as session:
            assert _numbers(session, "合言葉", None) == _numbers(session, "届かない", None) == [ticket.id]
            assert _numbers(session, "合言葉", later) == []
            assert _numbers(session, "届かない", NOW) == []
            assert _numbers(session, "届かない", later) == [ticket.id]
        _index(engine, 100)


def _numbers(session: Session, word: str, public_at: datetime | None) -> list[int]:
    return [hit.ticket_id for hit in find_tickets(session, Sought((word,), public_at=public_at), limit=5)]


def test_what_changed_is_found_by_its_new_words_only(engine: Engine) -> None:
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session), subject="古い件名")
        session.add(_file(ticket))
    _index(engine, 100)

    with transaction(engine) as session:
        held = session.get_one(Ticket, ticket.id)
        held.search_text = "新しい件名"
        take_out(session, ticket.id)
        for term, count in (("古い", 0), ("新しい", 1), ("故障ログ.txt", 1)):
            assert len(find_tickets(session, Sought((term,)), limit=5)) == count
    _index(engine, 100)

    with transaction(engine, readonly=True) as session:
        for term, count in (("古い", 0), ("新しい", 1), ("故障ログ.txt", 1)):
            assert len(find_tickets(session, Sought((term,)), limit=5)) == count


def test_conditions_on_the_ticket_hold_for_its_hits(engine: Engine) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        closed = add_ticket(session, account, state=State.CLOSED)
        add_ticket(session, account)
    _index(engine, 1)

    with transaction(engine, readonly=True) as session:
        hits = find_tickets(session, Sought(("切断",), [Ticket.state == State.CLOSED]), limit=5)

    assert [hit.ticket_id for hit in hits] == [closed.id]


def _file(ticket: Ticket) -> Attachment:
    return Attachment(token="t1", message_id=_first_post(ticket), name="故障ログ.txt", size=1, sha256="0", storage_key="k1", created_at=NOW)


def _first_post(ticket: Ticket) -> int:
    session = object_session(ticket)
    assert session
    return session.scalars(select(Message.id).where(Message.ticket_id == ticket.id)).one()


def test_a_letter_beyond_the_first_plane_is_no_other_letter(engine: Engine) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        numbers = [add_ticket(session, account, subject="件名", body=body).id for body in ("𩸽の件", "鸽の件")]
    for put_in_first in (False, True):
        if put_in_first:
            _index(engine, 10)
        with transaction(engine, readonly=True) as session:
            for typed, number in (("𩸽", numbers[0]), ("鸽", numbers[1])):
                for conditions in ([], [Ticket.id > 0]):
                    assert [hit.ticket_id for hit in find_tickets(session, Sought(terms_of(typed), conditions), limit=9)] == [number]

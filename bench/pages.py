"""What is asked of both applications: queue, ticket page, two searches, reply and sign-in, each as ready bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from bench.corpus import ACCOUNTS, RARE, unresolved_numbers
from bench.desk_rows import staff_token
from bench.generator import COUNTER
from bench.reference_tables import reference_token
from web.csrf import token_for

KEY = "a key for the bench only, longer than 32"
PASSWORD = "Bench-Password-2026"
SEARCHES = {"common": "監視", "rare": RARE}
"""Searches by the word that is looked for, in whole messages."""
PAGES = ("queue", "ticket", *SEARCHES, "reply", "sign-in")
WANTED = {"queue": 200, "ticket": 200, **dict.fromkeys(SEARCHES, 200), "reply": 303, "sign-in": 303}
_TICKETS = 200
_BOUNDARY = "----bench0123456789abcdef"
_BODY = (
    "お世話になっております。ご連絡ありがとうございます。\n\nお送りいただいたログを確認したところ、電源ユニットの電圧が下がった時刻と一致しております。\n"
    "交換品を手配いたしますので、お受け取りのご担当者様のお名前とお電話番号をお知らせください。\n\nよろしくお願いいたします。"
)


def customer_token(number: int) -> str:
    """The cookie of the customers' session `number`."""
    return f"bench-customer-{number:02d}-0123456789abcdef"


_TOKENS: Mapping[str, Callable[[int], str]] = {"desk": staff_token, "customer": customer_token, "reference": reference_token}


@dataclass(frozen=True)
class Application:
    """How to ask one of the two applications."""

    name: str
    queue: str
    search: str
    cookie_name: str

    def cookie(self, number: int) -> str:
        """The cookie header of the session `number`."""
        token = _TOKENS[self.name](number)
        return f"{self.cookie_name}={token}"


DESK = Application("desk", "/console/tickets", "/console/tickets", "jtickets_console")
CUSTOMER = Application("customer", "/tickets", "/tickets", "jtickets_portal")
"""The desk as its customers have it."""
REFERENCE = Application("reference", "/tickets", "/search", "reference")


def requests_of(application: Application, page: str, client: int, tickets: int) -> list[bytes]:
    """The requests that the client `client` sends in turn."""
    cookie = application.cookie(client)
    if page == "queue":
        return [asked(application.queue, cookie)]
    if page in SEARCHES:
        return [asked(f"{application.search}?q={quote(SEARCHES[page])}", cookie)]
    if page == "sign-in":
        return [_sign_in(application, (client * 31 + step) % ACCOUNTS) for step in range(16)]
    numbers = unresolved_numbers(tickets, _TICKETS)
    if page == "ticket":
        return [asked(f"{application.queue}/{number}", cookie) for number in numbers]
    return [_reply(application, number, client, cookie) for number in numbers]


def _reply(application: Application, number: int, client: int, cookie: str) -> bytes:
    if application.name == "reference":
        return _post_fields(f"/tickets/{number}/reply", {"csrf": f"csrf-{client}", "body": _BODY}, cookie)
    fields = {
        "csrf_token": token_for(KEY.encode(), staff_token(client)),
        "last_seen": "999999999",
        "submission": f"bench-{COUNTER.decode()}",
        "body": _BODY,
        "next_state": "open",
    }
    return _post_parts(f"{application.queue}/{number}/replies", fields, cookie)


def _sign_in(application: Application, account: int) -> bytes:
    fields = {"user_id": f"bench{account:03d}", "password": PASSWORD}
    if application.name == "reference":
        return _post_fields("/login", fields, "")
    visitor = f"bench-visitor-{account:03d}"
    return _post_fields("/login", {"csrf_token": token_for(KEY.encode(), visitor), "next": "", **fields}, f"jtickets_visitor={visitor}")


def asked(path: str, cookie: str) -> bytes:
    """A GET of `path`."""
    return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/html\r\naccept-encoding: gzip\r\ncookie: {cookie}\r\n\r\n".encode()


def _post_fields(path: str, fields: Mapping[str, str], cookie: str) -> bytes:
    return _post(path, urlencode(fields).encode(), "application/x-www-form-urlencoded", cookie)


def _post_parts(path: str, fields: Mapping[str, str], cookie: str) -> bytes:
    """As a browser sends a form that may carry files, with its file field empty."""
    parts = [f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    files = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n'
    body = "".join([*parts, files, f"--{_BOUNDARY}--\r\n"])
    return _post(path, body.encode(), f"multipart/form-data; boundary={_BOUNDARY}", cookie)


def _post(path: str, body: bytes, kind: str, cookie: str) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/html\r\nsec-fetch-site: same-origin\r\n"
        f"content-type: {kind}\r\ncontent-length: {len(body)}\r\ncookie: {cookie}\r\n\r\n"
    )
    return head.encode() + body

"""Whether an answer's time tells a stranger what the desk knows: a known and an unknown user ID, address and contract, asked in turn."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from bench.corpus import contract_key, customer_email
from bench.databases import Databases
from bench.measure import desk_environment
from bench.pages import DESK, KEY
from bench.servers import python, serve
from web.csrf import token_for

TIMES = 40
"""Pairs of requests of each kind."""
_WARM = 3
_VISITOR = "bench-stranger"
_MANY = "1000000"


@dataclass(frozen=True)
class Told:
    """One question: the medians for what the desk knows and for what it does not, in milliseconds."""

    database: str
    question: str
    known: float
    unknown: float

    @property
    def ratio(self) -> float:
        """Known to unknown: 1 tells nothing."""
        return self.known / self.unknown


def ask_as_stranger(databases: Databases) -> Iterator[Told]:
    """Every question on one server of one process, known and unknown in turn."""
    environment = desk_environment(databases.desk_url, databases.folder)
    environment |= {f"JTICKETS_LIMITS_{name}": _MANY for name in ("REGISTRATIONS_PER_HOUR", "CONTRACT_FAILURES_PER_DAY")}
    command = python("-m", "cli", "serve", "--port", "{port}", "--workers", "1")
    with serve(command, environment, log=databases.folder / "strangers.log", path=DESK.queue, cookie=DESK.cookie(0)) as server:
        for question, (path, status, known, unknown) in _questions(contract_key(1), customer_email(2)).items():
            times: dict[bool, list[float]] = {True: [], False: []}
            for step in range(TIMES + _WARM):
                for is_known in (True, False) if step % 2 else (False, True):
                    seconds = _post(server.port, path, status, known if is_known else unknown)
                    if step >= _WARM:
                        times[is_known].append(seconds * 1000)
            yield Told(databases.kind, question, statistics.median(times[True]), statistics.median(times[False]))


def _questions(contract: str, address: str) -> Mapping[str, tuple[str, int, dict[str, str], dict[str, str]]]:
    """By name: path, status, the form that holds something known, and the one that does not; `contract` and `address` stand in the desk."""
    strange = f"nobody@{address.rpartition('@')[2]}"
    wrong = {"password": "Wrong-Password-2026"}
    form = {"company_name": "架空", "person_name": "架空", "user_id": "stranger", "email": strange, "consent": "1"}
    form |= {"password": "Stranger-2026-xyz", "password_confirmation": "Stranger-2026-xyz"}
    keys = [{**form, "contract_key": key, "maintenance_email": strange} for key in (contract, contract[::-1])]
    mails = [{**form, "contract_key": contract[::-1], "maintenance_email": one} for one in (address, strange)]
    return {
        "user ID at login": ("/login", 422, {"user_id": "bench001", **wrong}, {"user_id": "bench999", **wrong}),
        "address at recovery": ("/recover", 303, {"email": address}, {"email": strange}),
        "contract": ("/register", 422, keys[0], keys[1]),
        "maintenance e-mail": ("/register", 422, mails[0], mails[1]),
    }


def _post(port: int, path: str, status: int, fields: Mapping[str, str]) -> float:
    """Seconds until the answer is here whole."""
    body = urlencode({"csrf_token": token_for(KEY.encode(), _VISITOR), **fields})
    headers = {"content-type": "application/x-www-form-urlencoded", "cookie": f"jtickets_visitor={_VISITOR}", "sec-fetch-site": "same-origin"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.connect()
        began = time.perf_counter()
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        seconds = time.perf_counter() - began
    finally:
        connection.close()
    if answer.status != status:
        raise SystemExit(f"{path} answered {answer.status}, not {status}")
    return seconds

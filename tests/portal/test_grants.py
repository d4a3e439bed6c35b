"""What no form of an exception lets in, and the list of what the desk allowed."""

from __future__ import annotations

from sqlalchemy import Engine, select

from models.database import transaction
from models.people import Account
from models.requests import ExceptionGrant
from rules.requests import RequestState
from tests.client import Client
from tests.people import add_grant, add_request
from tests.portal.test_exceptions import APPLICANT, desk, letters, link, register, request_now

__all__ = ["desk"]


def test_a20_fields_that_the_forms_of_an_exception_do_not_have_change_nothing(engine: Engine, client: Client) -> None:
    more = {
        "state": "completed",
        "account_id": "7",
        "decision": "grant_account",
        "grant": "approved",
        "verdict": "same",
        "host": "evil.example",
        "version": "9",
    }
    register(client)
    held = client.page.value_of("held") if client.page else ""
    client.post("/exceptions", {"held": held, "csrf_token": client.csrf_token(), **more, "email": "x@evil.example", "maintenance_email": "x@evil.example"})
    assert [to for to, _ in letters(engine, "exception_link")] == [APPLICANT]
    path = link(engine, "exception_link")
    client.get(path)
    client.post(f"{path}/proof?decision=grant_account", {"csrf_token": client.csrf_token(), **more})
    asked = request_now(engine)
    assert (asked.state, asked.account_id, asked.decision, asked.email_host, asked.verdict) == (
        RequestState.PENDING,
        None,
        "",
        "tokyo.tozai.example",
        "subdomains_differ",
    )

    decide_with = {
        "decision": "grant_account",
        "reason": "支店",
        "version": str(asked.version),
        "host": "tozai.example",
        "granted_by": "社長",
        "email": "x@evil.example",
    }
    client.get(f"/console/exceptions/{asked.id}")
    client.post(f"/console/exceptions/{asked.id}/decision?decision=grant_maintenance_email", {"csrf_token": client.csrf_token(), **decide_with})
    with transaction(engine, readonly=True) as session:
        grant = session.scalars(select(ExceptionGrant)).one()
        account = session.scalars(select(Account)).one()
    assert (grant.host, grant.granted_by, grant.account_id, account.email) == ("tokyo.tozai.example", "佐藤", account.id, APPLICANT)


def test_the_grants_are_paged_by_key_with_the_search_kept(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        request = add_request(session)
        for _ in range(120):
            add_grant(session, request)

    page = client.get("/console/grants?q=tokyo")
    seen: list[str] = []
    while True:
        seen += [link.attributes["href"] for link in page.root.all("a", class_="mono")]
        following = next((link.attributes["href"] for link in page.root.all("a") if link.attributes.get("rel") == "next"), "")
        if not following:
            break
        assert "q=tokyo" in following
        page = client.get(following)

    assert len(seen) == len(set(seen)) == 120

"""The other door: the company's OpenID provider, a real one and one that lies (SECURITY, section 4 F)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwk
from sqlalchemy import Engine, select
from starlette.types import ASGIApp

from asgi import application
from models.admission import SignIn
from models.database import transaction
from models.journal import JournalEntry
from models.people import Staff, StaffSession
from settings import Settings
from tests.client import BASE_URL, Client, Page
from tests.clock import Clock
from tests.people import add_staff
from tests.services.oidc import CLIENT, SECRET, LyingProvider, RealProvider, lying_provider, real_provider
from web.oidc import kept_provider
from web.wiring import Wiring

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For what the provider and the desk say to each other; what is kept of it is tried on both."""
CALLBACK = "/console/sign-in/callback"
ACCOUNTS: dict[str, dict[str, Any]] = {
    "sato-at-the-provider": {"email": "sato@jscom.co.jp", "email_verified": True},
    "another-sato": {"email": "sato@jscom.co.jp", "email_verified": True},
    "unproved": {"email": "sato@jscom.co.jp", "email_verified": False},
    "stranger": {"email": "stranger@elsewhere.example", "email_verified": True},
}


@pytest.fixture(autouse=True)
def nothing_fetched_before() -> None:
    """Providers of the tests come and go on ports that the system hands out again: what one told must not count for the next."""
    kept_provider.cache_clear()


@pytest.fixture(scope="module")
def running_provider() -> Iterator[RealProvider]:
    """The npm package oidc-provider."""
    with real_provider(BASE_URL + CALLBACK, ACCOUNTS) as running:
        yield running


@pytest.fixture
def provider(running_provider: RealProvider, clock: Clock) -> RealProvider:
    """It lives in the real time, so the desk does too; 佐藤 is whoever comes."""
    clock.set(datetime.now(UTC))
    running_provider.become("sato-at-the-provider")
    return running_provider


@pytest.fixture
def liar(clock: Clock) -> Iterator[LyingProvider]:
    with lying_provider(clock) as running:
        yield running


@pytest.fixture
def sato(engine: Engine) -> Staff:
    """佐藤, prepared by an administrator, without a password."""
    with transaction(engine) as session:
        member = add_staff(session, "sato", name="佐藤")
        member.password_hash = None
    return member


def desk(wiring: Wiring, settings: Settings, issuer: str) -> ASGIApp:
    """The desk with this provider configured."""
    configured = {"oidc_issuer": issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    return application(replace(wiring, settings=replace(settings, **configured)))


def begin(client: Client, path: str = "/console/sign-in/provider") -> str:
    """The provider's address to which the desk sends a browser."""
    return client.get(path, follow=False).headers["location"]


def callback(address: str) -> str:
    return address.removeprefix(BASE_URL)


def refused(client: Client, engine: Engine, address: str, why: str, *, expect: int = 400) -> Page:
    """The callback is refused: a page that explains, no session, a line in the journal."""
    page = client.get(address, expect=expect)

    assert page.heading in ("サインインできませんでした", "このページを見る権限がありません")
    assert page.says("サインインの画面に戻る")
    with transaction(engine, readonly=True) as session:
        assert session.scalar(select(StaffSession.id)) is None
        facts = session.scalars(select(JournalEntry.facts).where(JournalEntry.act == "refuse_sign_in")).all()
        assert [fact["why"] for fact in facts] == [why]
    assert client.get("/console/contracts").path.startswith("/console/sign-in")
    return page


def bound(engine: Engine) -> tuple[str | None, str | None]:
    with transaction(engine, readonly=True) as session:
        member = session.scalars(select(Staff).where(Staff.user_id == "sato")).one()
        return member.oidc_issuer, member.oidc_subject


@pytest.mark.node
def test_a_prepared_person_walks_through_and_is_bound(wiring: Wiring, settings: Settings, engine: Engine, provider: RealProvider, sato: Staff) -> None:
    with Client(desk(wiring, settings, provider.issuer)) as client:
        assert client.get("/console/contracts").says("会社のアカウントでサインイン")

        page = client.get(callback(provider.walk(begin(client, client.page.link("会社のアカウントでサインイン") if client.page else ""))))

        assert page.path == "/console/contracts"
        assert page.says("佐藤")
        assert bound(engine) == (provider.issuer, "sato-at-the-provider")
        with transaction(engine, readonly=True) as session:
            assert session.scalars(select(SignIn.how)).all() == ["openid"]
            assert session.scalars(select(JournalEntry.act)).all() == ["bind_identity"]


@pytest.mark.node
def test_later_only_issuer_and_subject_count(wiring: Wiring, settings: Settings, engine: Engine, provider: RealProvider, sato: Staff) -> None:
    with Client(desk(wiring, settings, provider.issuer)) as client:
        client.get(callback(provider.walk(begin(client))))
        client.submit("/console/sign-out")
        with transaction(engine) as session:
            session.get_one(Staff, sato.id).email_key = "renamed@jscom.co.jp"

        assert client.get(callback(provider.walk(begin(client)))).path == "/console/tickets"


@pytest.mark.node
@pytest.mark.parametrize(
    ("subject", "why", "status"), [("unproved", "email_unverified", 400), ("stranger", "oidc_unknown", 403), ("nobody", "refused_there", 400)]
)
def test_others_stay_outside(
    wiring: Wiring, settings: Settings, engine: Engine, provider: RealProvider, sato: Staff, subject: str, why: str, status: int
) -> None:
    with Client(desk(wiring, settings, provider.issuer)) as client:
        provider.become(subject)
        address = provider.walk(begin(client))

        page = refused(client, engine, callback(address), why, expect=status)

        assert "<script>" not in page.html.replace("<script src", "")
        assert bound(engine) == (None, None)


@one_database
@pytest.mark.node
def test_a_second_subject_with_a_bound_address_is_nobody(wiring: Wiring, settings: Settings, engine: Engine, provider: RealProvider, sato: Staff) -> None:
    with transaction(engine) as session:
        member = session.get_one(Staff, sato.id)
        member.oidc_issuer, member.oidc_subject = provider.issuer, "sato-at-the-provider"
    with Client(desk(wiring, settings, provider.issuer)) as client:
        provider.become("another-sato")
        address = provider.walk(begin(client))

        refused(client, engine, callback(address), "oidc_unknown", expect=403)


@one_database
@pytest.mark.node
def test_a_disabled_person_is_told_the_same_as_a_stranger(wiring: Wiring, settings: Settings, engine: Engine, provider: RealProvider, sato: Staff) -> None:
    with transaction(engine) as session:
        session.get_one(Staff, sato.id).active = False
    with Client(desk(wiring, settings, provider.issuer)) as client:
        page = refused(client, engine, callback(provider.walk(begin(client))), "oidc_unknown", expect=403)

        assert page.says("「sato@jscom.co.jp」は、コンソールを使う職員として登録されていません。")


@one_database
@pytest.mark.node
@pytest.mark.parametrize(
    ("true", "changed", "why"),
    [
        ("state=", "state=x", "state"),
        ("state=", "other=", "state"),
        ("code=", "code=x", "code"),
        ("code=", "other=", "code"),
        ("iss=", "iss=https%3A%2F%2Fevil.example", "issuer"),
        ("iss=", "other=", "issuer"),
    ],
)
def test_an_altered_answer_is_refused(
    wiring: Wiring, settings: Settings, engine: Engine, provider: RealProvider, sato: Staff, true: str, changed: str, why: str
) -> None:
    with Client(desk(wiring, settings, provider.issuer)) as client:
        refused(client, engine, callback(provider.walk(begin(client))).replace(true, changed), why)


@pytest.mark.node
def test_an_answer_counts_once(wiring: Wiring, settings: Settings, engine: Engine, provider: RealProvider, sato: Staff) -> None:
    with Client(desk(wiring, settings, provider.issuer)) as client:
        address = callback(provider.walk(begin(client)))
        attempt = client.cookies.get("jtickets_attempt")
        client.get(address)
        client.submit("/console/sign-out")

        client.get(address, expect=400)
        client.cookies.set("jtickets_attempt", attempt)
        client.get(address, expect=400)


@one_database
@pytest.mark.node
def test_an_answer_counts_in_its_own_browser_only(wiring: Wiring, settings: Settings, engine: Engine, provider: RealProvider, sato: Staff) -> None:
    app = desk(wiring, settings, provider.issuer)
    with Client(app) as client, Client(app) as another:
        address = callback(provider.walk(begin(client)))
        begin(another)

        refused(another, engine, address, "state")


@pytest.mark.node
def test_an_attempt_made_up_by_hand_is_refused(wiring: Wiring, settings: Settings, engine: Engine, provider: RealProvider, sato: Staff) -> None:
    with Client(desk(wiring, settings, provider.issuer)) as client:
        address = callback(provider.walk(begin(client)))
        state, _, rest = client.cookies.get("jtickets_attempt").partition("~")
        client.cookies.delete("jtickets_attempt")
        client.cookies.set("jtickets_attempt", f"{state}~{rest.partition('~')[0]}~%2Fconsole%2Fjournal.{'0' * 64}")

        refused(client, engine, address, "state")


@pytest.mark.node
def test_an_answer_comes_within_ten_minutes(wiring: Wiring, settings: Settings, engine: Engine, provider: RealProvider, sato: Staff, clock: Clock) -> None:
    with Client(desk(wiring, settings, provider.issuer)) as client:
        address = callback(provider.walk(begin(client)))
        clock.advance(minutes=10, seconds=1)

        refused(client, engine, address, "state")


@one_database
@pytest.mark.node
def test_a_provider_that_keeps_the_address_apart_is_asked_for_it(wiring: Wiring, settings: Settings, clock: Clock, sato: Staff) -> None:
    clock.set(datetime.now(UTC))
    with real_provider(BASE_URL + CALLBACK, ACCOUNTS, claims_apart=True) as provider, Client(desk(wiring, settings, provider.issuer)) as client:
        assert client.get(callback(provider.walk(begin(client)))).path == "/console/tickets"


@pytest.mark.node
def test_leaving_goes_on_to_the_providers_own_page(wiring: Wiring, settings: Settings, provider: RealProvider, sato: Staff) -> None:
    with Client(desk(wiring, settings, provider.issuer)) as client:
        client.get(callback(provider.walk(begin(client))))
        page = client.submit("/console/sign-out")

        address = client.get(page.link("会社のアカウントからもサインアウトする"), follow=False).headers["location"]

        assert address.startswith(f"{provider.issuer}/session/end?client_id=desk&post_logout_redirect_uri=")


def test_what_a_true_token_proves_is_believed(wiring: Wiring, settings: Settings, liar: LyingProvider, sato: Staff) -> None:
    with Client(desk(wiring, settings, liar.issuer)) as client:
        assert client.get(liar.callback(begin(client))).path == "/console/tickets"


@one_database
@pytest.mark.parametrize(
    ("claims", "header"),
    [
        ({}, {"alg": "none"}),
        ({}, {"alg": "HS256"}),
        ({"aud": "another-desk"}, {}),
        ({"aud": [CLIENT, "another-desk"], "azp": "another-desk"}, {}),
        ({"aud": [CLIENT, "another-desk"]}, {}),
        ({"azp": "another-desk"}, {}),
        ({"iss": "https://another.example"}, {}),
        ({"nonce": "of-another-day"}, {}),
        ({"nonce": None}, {}),
        ({"exp": 1_700_000_000}, {}),
        ({"exp": None}, {}),
        ({"iat": 2_000_000_000}, {}),
        ({"iat": None}, {}),
        ({"sub": None}, {}),
        ({}, {"kid": "unknown"}),
    ],
)
def test_a_token_that_proves_nothing_is_refused(
    wiring: Wiring, settings: Settings, engine: Engine, liar: LyingProvider, sato: Staff, claims: dict[str, Any], header: dict[str, Any]
) -> None:
    liar.claims, liar.header = claims, header
    with Client(desk(wiring, settings, liar.issuer)) as client:
        refused(client, engine, liar.callback(begin(client)), "id_token")


@one_database
@pytest.mark.parametrize(
    ("claims", "status", "why"),
    [
        ({"email_verified": False}, 400, "email_unverified"),
        ({"email_verified": "true"}, 403, "oidc_unknown"),
        ({"email_verified": None}, 403, "oidc_unknown"),
        ({"email": "sato@jscom.co.jp, x@evil.example"}, 403, "oidc_unknown"),
        ({"email": 7}, 403, "oidc_unknown"),
    ],
)
def test_an_address_that_is_not_proved_binds_nobody(
    wiring: Wiring, settings: Settings, engine: Engine, liar: LyingProvider, sato: Staff, claims: dict[str, Any], status: int, why: str
) -> None:
    liar.claims = claims
    with Client(desk(wiring, settings, liar.issuer)) as client:
        refused(client, engine, liar.callback(begin(client)), why, expect=status)


@one_database
def test_keys_changed_between_two_sign_ins_are_fetched_once(wiring: Wiring, settings: Settings, liar: LyingProvider, sato: Staff) -> None:
    with Client(desk(wiring, settings, liar.issuer)) as client:
        client.get(liar.callback(begin(client)))
        client.submit("/console/sign-out")
        assert liar.asked_for_keys == 1
        liar.kid, liar.key = "second", jwk.ECKey.generate_key("P-256")

        assert client.get(liar.callback(begin(client))).path == "/console/tickets"
        assert liar.asked_for_keys == 2


def test_a_signature_by_another_key_is_refused(wiring: Wiring, settings: Settings, engine: Engine, liar: LyingProvider, sato: Staff) -> None:
    with Client(desk(wiring, settings, liar.issuer)) as client:
        address = liar.callback(begin(client))
        liar.key = jwk.ECKey.generate_key("P-256")

        refused(client, engine, address, "id_token")


@one_database
@pytest.mark.parametrize(
    "document", [{"issuer": "https://another.example"}, {"issuer": None}, {"token_endpoint": "file:///etc/passwd"}, {"jwks_uri": None}, {"jwks_uri": "{}"}]
)
def test_a_document_of_another_issuer_is_not_believed(wiring: Wiring, settings: Settings, liar: LyingProvider, sato: Staff, document: dict[str, Any]) -> None:
    liar.document = document
    with Client(desk(wiring, settings, liar.issuer)) as client:
        page = client.get("/console/sign-in/provider", expect=503)

        assert page.heading == "会社のアカウントに接続できません"


@one_database
def test_a_provider_that_is_down_is_told_and_works_again_when_it_is_back(
    wiring: Wiring, settings: Settings, liar: LyingProvider, sato: Staff, clock: Clock
) -> None:
    liar.document = {"issuer": "broken"}
    with Client(desk(wiring, settings, liar.issuer)) as client:
        client.get("/console/sign-in/provider", expect=503)
        liar.document = {}
        client.get("/console/sign-in/provider", expect=503)  # nobody waits for it again at once

        clock.advance(seconds=11)
        assert client.get(liar.callback(begin(client))).path == "/console/tickets"


@one_database
def test_a_provider_that_breaks_off_after_the_start_signs_nobody_in(
    wiring: Wiring, settings: Settings, liar: LyingProvider, engine: Engine, sato: Staff
) -> None:
    with Client(desk(wiring, settings, liar.issuer)) as client:
        address = liar.callback(begin(client))
        liar.token_status = 500

        client.get(address, expect=503)
        assert client.get("/console/contracts").path.startswith("/console/sign-in")


@one_database
def test_a_slow_provider_keeps_nobody_else_waiting(wiring: Wiring, settings: Settings, liar: LyingProvider) -> None:
    liar.stalls = True
    with Client(desk(wiring, settings, liar.issuer)) as client:
        began = time.monotonic()
        page = client.get("/console/sign-in/provider", expect=503)
        first = time.monotonic() - began
        client.get("/console/sign-in/provider", expect=503)

        assert page.says("応答がありません")
        assert first < 8
        assert time.monotonic() - began - first < 1


def test_without_a_provider_there_is_no_such_page(client: Client) -> None:
    client.get("/console/sign-in/provider", expect=404)
    client.get(f"{CALLBACK}?state=x&code=y", expect=404)
    assert not client.get("/console/sign-in").says("会社のアカウント")


def test_a_name_that_comes_twice_is_a_bad_request(wiring: Wiring, settings: Settings, liar: LyingProvider) -> None:
    with Client(desk(wiring, settings, liar.issuer)) as client:
        client.get(f"{CALLBACK}?state=x&state=y", expect=400)


@pytest.mark.parametrize("header", ["x-remote-user", "x-forwarded-user", "remote-user"])
def test_a_header_names_nobody(client: Client, sato: Staff, header: str) -> None:
    assert client.get("/console/contracts", headers={header: "sato"}).path.startswith("/console/sign-in")

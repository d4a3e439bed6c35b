"""The main job as its people do it: real processes, a real SMTP server, from the workbook to the answer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from pyotp.totp import TOTP
from sqlalchemy import Engine, select

from models.contracts import Certificate, ContractLine, Party, PartyRole
from models.database import transaction
from models.masters import ProductFamily
from rules.calendar import tokyo_date
from rules.contracts import CONTACT
from tests.client import Client, Page
from tests.services.smtp import Received, SmtpSink, free_port
from tests.workbooks import FIRST

ROOT = Path(__file__).resolve().parents[1]
UNDO_SECONDS = 1
CENTER, ENGINEER = "watanabe", "nakamura"
STAFF_PASSWORD = "Sakura-to-Kaede-2026"
PASSWORD = "Momiji-no-Ki-2026"
SUBJECT = "IPsec VPN が 1 時間ごとに切断される"
NOTE = "メーカーの既知の不具合らしい。お客様にはまだ伝えない。"
LOG = ("messages.log", b"kmd: IKE Phase-2 Failure\n" * 40)
SHOT = ("画面写真.png", b"\x89PNG\r\n\x1a\n" + bytes(200))
_LINK = re.compile(r"http://127\.0\.0\.1:\d+(/\S+)")


class Visitor(Client):
    """A browser of its own that reaches the desk through the network."""

    def __init__(self, address: str) -> None:
        self._http = httpx2.Client(base_url=address, follow_redirects=False, timeout=15, headers={"accept-language": "ja", "user-agent": "Mozilla/5.0"})
        self._origin = address
        self.page: Page | None = None


@dataclass
class RunningDesk:
    """The desk as it runs in production: web and jobs apart, configured by the environment."""

    address: str
    environment: dict[str, str]
    sink: SmtpSink
    people: ExitStack

    def visitor(self) -> Client:
        return self.people.enter_context(Visitor(self.address))

    def command(self, *words: str) -> str:
        done = subprocess.run([sys.executable, "-m", "cli", *words], env=self.environment, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@dataclass(frozen=True)
class Covered:
    """What the customer reads on their certificate."""

    contract: str
    company: str
    maintenance_email: str
    family: str
    slug: str
    product: str
    serial: str

    @property
    def email(self) -> str:
        """An address of the person who registers: a colleague of whom the certificate names."""
        return f"hayashi@{self.maintenance_email.rpartition('@')[2]}"

    @property
    def cc(self) -> str:
        return f"kanshi@{self.maintenance_email.rpartition('@')[2]}"


@pytest.fixture
def desk(database_url: str, engine: Engine, tmp_path: Path, smtp_sink: SmtpSink) -> Iterator[RunningDesk]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    chosen = {
        "JTICKETS_DATABASE_URL": database_url,
        "JTICKETS_BASE_URL": address,
        "JTICKETS_SMTP_URL": smtp_sink.url,
        "JTICKETS_STATE_DIR": str(tmp_path / "var"),
        "JTICKETS_ARGON2_MEMORY_KIB": "64",
        "JTICKETS_ARGON2_TIME": "1",
        "JTICKETS_LIMITS_UNDO_SEND_SECONDS": str(UNDO_SECONDS),
        "JTICKETS_LOG_LEVEL": "warning",
        "PYTHONPATH": str(ROOT),
    }
    environment = {**os.environ, **chosen}
    with ExitStack() as stack:
        for words in (["serve", "--port", str(port)], ["jobs"]):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-m", "cli", *words], env=environment))
            stack.callback(_end, process)
        _wait_until_ready(address)
        yield RunningDesk(address, environment, smtp_sink, stack.enter_context(ExitStack()))


def test_the_main_job_is_done_from_the_workbook_to_the_answer(desk: RunningDesk, engine: Engine) -> None:
    for user_id, name, role in ((CENTER, "渡辺", "service_center"), (ENGINEER, "中村", "support")):
        told = desk.command(
            "staff", "add", "--user-id", user_id, "--name", name, "--email", f"{user_id}@jscom.co.jp", "--role", role, "--password", STAFF_PASSWORD
        )
        assert user_id in told
    bring_in_certificates(desk)
    covered = covered_today(engine)

    customer = register(desk, covered)
    number = open_ticket(desk, customer, covered)
    engineer = answer(desk, covered, number)
    read_and_reply(desk, customer, covered, number)
    assert "お客様の返信" in letters(desk, f"{ENGINEER}@jscom.co.jp", 2)[1].subject

    assert engineer.get(f"/console/tickets/{number}").says(NOTE, "再起動のあとは切断されていません。", "対応中")
    nothing_of_the_note_is_outside(desk, customer, number)


def bring_in_certificates(desk: RunningDesk) -> None:
    """The service center uploads the month's workbook, reads the plan and applies it."""
    center = sign_in(desk, CENTER)
    center.get("/console/imports")
    path = center.submit("読み込んで確認する", files={"files": [(FIRST.name, FIRST.read_bytes())]}).path

    until = time.monotonic() + 20
    while center.get(path).heading != "取込内容の確認":
        assert time.monotonic() < until, center.get(path).text
        time.sleep(0.1)

    assert center.get(path).says("証書 60件（215行）を反映します")
    assert center.submit("/application").says("証書 60件（215行）を反映しました。")


def covered_today(engine: Engine) -> Covered:
    """A certificate whose holder may register today: the processes run on the real clock."""
    today = tokyo_date(datetime.now(UTC))
    statement = (
        select(Certificate.contract_key, Party.name, Party.email, ProductFamily.name, ProductFamily.slug, ContractLine.product_number, ContractLine.serial)
        .join(Party, Party.certificate_id == Certificate.id)
        .join(ContractLine, ContractLine.certificate_id == Certificate.id)
        .join(ProductFamily, ProductFamily.id == ContractLine.family_id)
        .where(Certificate.issued_on < today, ContractLine.starts_on <= today, ContractLine.ends_on >= today, ContractLine.contact == CONTACT)
        .where(Party.role == PartyRole.END_USER, ContractLine.serial != "")
        .order_by(ContractLine.ends_on.desc(), Certificate.contract_key, ContractLine.serial)
    )
    with transaction(engine, readonly=True) as session:
        row = session.execute(statement.limit(1)).first()
    assert row, "no certificate of the sample is valid any more"
    contract, company, email, family, slug, product, serial = row
    return Covered(contract, company, email, family, slug, product, serial)


def register(desk: RunningDesk, covered: Covered) -> Client:
    """A customer registers with what the certificate says, by the link that the mail brings, and logs in."""
    customer = desk.visitor()
    customer.get("/")
    customer.click("新規アカウント登録")
    sent = customer.submit(
        "/register",
        company_name=covered.company,
        person_name="林 めぐみ",
        user_id="hayashi",
        password=PASSWORD,
        password_confirmation=PASSWORD,
        email=covered.email,
        maintenance_email=covered.maintenance_email,
        contract_key=covered.contract,
        consent=True,
    )
    assert sent.says(covered.email)
    [link] = letters(desk, covered.email, 1)
    assert link.recipients == (covered.email,)
    path = _LINK.findall(link.text)[0]
    customer.get(path)
    assert customer.submit(path).heading == "登録が完了しました"
    assert "本登録の完了" in letters(desk, covered.email, 2)[1].subject
    customer.click("ログイン")
    assert customer.submit("/login", user_id="hayashi", password=PASSWORD).path == "/tickets"
    return customer


def open_ticket(desk: RunningDesk, customer: Client, covered: Covered) -> int:
    """A ticket with two files, by way of the check page; the receipt goes to the profile's address and to the CC."""
    customer.click("新規サポートチケット発行")
    customer.get(f"/tickets/new/{covered.slug}")
    check = customer.submit(
        "内容を確認する",
        subject=SUBJECT,
        contract_key=covered.contract,
        serial=covered.serial,
        category="障害",
        body="本日 9 時ごろから、1 時間ごとに切断されます。",
        cc=covered.cc,
        files={"files": [LOG, SHOT]},
    )
    assert check.heading == "内容を確認してください" and check.says(SUBJECT, covered.serial, LOG[0], SHOT[0], covered.cc)
    page = customer.submit("新規チケットの作成")
    number = int(page.path.rpartition("/")[2])
    assert page.says(SUBJECT, f"#{number}", "受付済み")
    assert customer.get(attachment(page, SHOT[0])).content == SHOT[1]

    receipt = letters(desk, covered.email, 3)[2]
    assert (receipt.message["To"], receipt.message["Cc"]) == (covered.email, covered.cc)
    assert set(receipt.recipients) == {covered.email, covered.cc}
    assert receipt.subject == f"[J's チケット #{number}] [{covered.family}] {SUBJECT}"
    assert all(text in receipt.text for text in (SUBJECT, "障害", "本日 9 時ごろから", LOG[0], SHOT[0], f"{desk.address}/tickets/{number}"))
    return number


def answer(desk: RunningDesk, covered: Covered, number: int) -> Client:
    """The support engineer finds the ticket, sees that it is covered, notes something for colleagues and answers."""
    assert [letter.subject for letter in letters(desk, f"{ENGINEER}@jscom.co.jp", 1)] == [f"[J's チケット #{number}] 新着 [{covered.family}] {SUBJECT}"]
    engineer = sign_in(desk, ENGINEER)
    assert engineer.get("/console/tickets").says(SUBJECT, "新規", "未割り当て")
    assert engineer.get(f"/console/tickets?q={covered.serial}").says(SUBJECT)
    page = engineer.click(SUBJECT)
    assert page.says("保守対象です", covered.contract, covered.product, covered.company, covered.cc)
    assert engineer.get(attachment(page, LOG[0])).content == LOG[1]

    engineer.get(f"/console/tickets/{number}")
    assert engineer.submit("/notes", body=NOTE).says(NOTE, "社内メモ")
    began = time.monotonic()
    assert engineer.submit("/replies", body="再起動のあとの様子をお知らせください。").says("まだ公開していません。")

    letter = letters(desk, covered.email, 4)[3]
    assert time.monotonic() - began >= UNDO_SECONDS, "it left while the answer could still be taken back"
    assert (letter.message["To"], letter.message["Cc"]) == (covered.email, covered.cc)
    assert "再起動のあとの様子をお知らせください。" in letter.text
    assert letter.subject == f"[J's チケット #{number}] [{covered.family}] {SUBJECT}"
    return engineer


def read_and_reply(desk: RunningDesk, customer: Client, covered: Covered, number: int) -> None:
    """The customer reads the answer and writes again; that mail is one more."""
    customer.get("/tickets")
    page = customer.click(SUBJECT)
    assert page.says("再起動のあとの様子をお知らせください。", "お客様のご返信待ち")
    customer.click("返信")
    page = customer.submit("/replies", body="再起動のあとは切断されていません。")
    assert page.says("再起動のあとは切断されていません。", "対応中")
    assert "再起動のあとは切断されていません。" in letters(desk, covered.email, 5)[4].text


def nothing_of_the_note_is_outside(desk: RunningDesk, customer: Client, number: int) -> None:
    """The note stays in the console: not on the customer's pages, not in their search, in no letter."""
    pages = [customer.get(path).html for path in (f"/tickets/{number}", f"/tickets/{number}?reply=1", "/tickets", "/tickets?q=既知の不具合", "/profile")]
    told = "".join([*pages, *(letter.subject + letter.text for letter in desk.sink.letters)])

    assert len(desk.sink.letters) == 5 + 2, "five to the customer, two to the engineer"
    assert "既知の不具合らしい" not in told
    assert "社内メモ" not in told


def sign_in(desk: RunningDesk, user_id: str) -> Client:
    """The first sign-in of a local account: the password, then the authenticator is enrolled."""
    member = desk.visitor()
    member.get("/console/sign-in")
    enrolment = member.submit("/console/sign-in", user_id=user_id, password=STAFF_PASSWORD)
    secret = enrolment.root.first("code")
    assert secret, enrolment.text
    signed_in = member.submit("/console/sign-in/code", code=TOTP(secret.text.replace(" ", "")).now())
    assert signed_in.path.startswith("/console/") and "sign-in" not in signed_in.path
    return member


def attachment(page: Page, name: str) -> str:
    """Where the file `name` of the page is downloaded from."""
    link = next((link for link in page.root.all("a", class_="file") if name in link.text), None)
    assert link, f"no file {name} on {page.path}"
    return link.attributes["href"]


def letters(desk: RunningDesk, address: str, count: int) -> list[Received]:
    """The letters to `address` in order, as soon as there are `count`; one too many fails here or at the end."""
    until = time.monotonic() + 15
    while len(held := desk.sink.to(address)) < count:
        assert time.monotonic() < until, f"{len(held)} of {count} letters to {address}"
        time.sleep(0.05)
    assert len(held) == count, [letter.subject for letter in held]
    return held


def _wait_until_ready(address: str) -> None:
    until = time.monotonic() + 30
    answer = None
    while answer is None or answer.status_code != 200:
        assert time.monotonic() < until, answer.text if answer else "nobody listens"
        time.sleep(0.1)
        try:
            answer = httpx2.get(f"{address}/readyz", timeout=5)
        except httpx2.TransportError:
            continue


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()

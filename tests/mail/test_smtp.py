"""One letter to a real server: every recipient gets an answer, whatever the server does."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mail.recorder import Recorder, open_sender
from mail.smtp import Blame, Outcome, Post, ServerDown, Verdict, parse_smtp_url, probe
from mail.talk import Company, Parcel
from tests.services.awkward_smtp import RESET, AwkwardServer, awkward_server
from tests.services.smtp import SmtpSink, free_port
from tests.services.tls_smtp import tls_smtp_server

TEXT = b"Subject: x\r\n\r\nbody\r\n.dot\r\n"
A, B, C = "a@tozai.example", "b@tozai.example", "c@tozai.example"


@pytest.fixture
def awkward() -> Iterator[AwkwardServer]:
    with awkward_server() as server:
        yield server


@pytest.fixture
def open_post() -> Iterator[Callable[..., Post]]:
    opened: list[Post] = []

    def open_one(url: str, **how: Any) -> Post:
        opened.append(Post(url, **how))
        return opened[-1]

    yield open_one
    for post in opened:
        post.close()


def send(post: Post, *recipients: str) -> Outcome:
    return post.send(Parcel(TEXT, recipients or (A,)), "tickets@jscom.example", Company())


def verdicts(outcome: Outcome) -> dict[str, str]:
    return {address: str(answer.verdict) for address, answer in outcome.answers.items()}


def test_all_recipients_are_accepted(open_post: Callable[..., Post], smtp_sink: SmtpSink) -> None:
    post = open_post(smtp_sink.url)

    outcome = send(post, A, B)

    assert verdicts(outcome) == {A: Verdict.ACCEPTED, B: Verdict.ACCEPTED}
    assert smtp_sink.letters[0].recipients == (A, B)
    assert smtp_sink.letters[0].raw.endswith(b"body\r\n.dot\r\n")


def test_one_connection_carries_many_letters(open_post: Callable[..., Post], awkward: AwkwardServer) -> None:
    post = open_post(awkward.url)

    for _ in range(5):
        post.ready()
        send(post)

    assert awkward.connections == 1
    assert len(awkward.taken) == 5


def test_one_refused_recipient_keeps_nobody_else_from_the_letter(open_post: Callable[..., Post], smtp_sink: SmtpSink) -> None:
    smtp_sink.refuse(B)
    smtp_sink.refuse(C, "451 4.7.1 greylisted")

    outcome = send(open_post(smtp_sink.url), A, B, C)

    assert verdicts(outcome) == {A: Verdict.ACCEPTED, B: Verdict.PERMANENT, C: Verdict.TEMPORARY}
    assert outcome.answers[B].text == "550 5.1.1 no such user"
    assert outcome.blame is Blame.NOBODY
    assert smtp_sink.letters[0].recipients == (A,)


def test_all_refused_is_told_and_the_connection_goes_on(open_post: Callable[..., Post], smtp_sink: SmtpSink) -> None:
    post = open_post(smtp_sink.url)
    smtp_sink.refuse(A)

    first, second = send(post, A), send(post, B)

    assert verdicts(first) == {A: Verdict.PERMANENT}
    assert verdicts(second) == {B: Verdict.ACCEPTED}


@pytest.mark.parametrize(
    ("where", "answer", "verdict", "blame"),
    [
        ("DATA", "451 later", Verdict.TEMPORARY, Blame.SERVER),
        ("END", "451 later", Verdict.TEMPORARY, Blame.LETTER),
        ("END", "554 content refused", Verdict.PERMANENT, Blame.NOBODY),
        ("DATA", RESET, Verdict.TEMPORARY, Blame.LETTER),
        ("END", RESET, Verdict.UNKNOWN, Blame.LETTER),
        ("MAIL", RESET, Verdict.TEMPORARY, Blame.LETTER),
        ("RCPT", RESET, Verdict.TEMPORARY, Blame.LETTER),
        ("MAIL", "451 busy", Verdict.TEMPORARY, Blame.SERVER),
        ("MAIL", "530 authentication required", Verdict.TEMPORARY, Blame.SERVER),
        ("MAIL", "552 too large", Verdict.PERMANENT, Blame.NOBODY),
        ("RCPT", "421 closing", Verdict.TEMPORARY, Blame.SERVER),
        ("END", "421 closing", Verdict.TEMPORARY, Blame.SERVER),
    ],
)
def test_a_failure_is_weighed_by_where_it_fell(
    open_post: Callable[..., Post], awkward: AwkwardServer, where: str, answer: str, verdict: Verdict, blame: Blame
) -> None:
    awkward.at[where] = answer

    outcome = send(open_post(awkward.url), A, B)

    assert verdicts(outcome) == {A: verdict, B: verdict}
    assert outcome.blame is blame


def test_after_a_break_the_next_letter_gets_a_fresh_connection(open_post: Callable[..., Post], awkward: AwkwardServer) -> None:
    post = open_post(awkward.url)
    awkward.at["DATA"] = RESET
    send(post)
    awkward.at.clear()

    outcome = send(post)

    assert verdicts(outcome) == {A: Verdict.ACCEPTED}
    assert awkward.connections == 2


def test_a_server_that_is_not_there_takes_no_letter(open_post: Callable[..., Post]) -> None:
    with pytest.raises(ServerDown):
        open_post(f"smtp://127.0.0.1:{free_port()}").ready()


def test_a_black_hole_is_given_up_in_time(open_post: Callable[..., Post], awkward: AwkwardServer) -> None:
    awkward.delay = 2

    with pytest.raises(ServerDown):
        open_post(awkward.url, seconds=0.3).ready()


def test_a_certificate_nobody_vouches_for_is_refused(open_post: Callable[..., Post], awkward: AwkwardServer) -> None:
    awkward.at["STARTTLS"] = "220 go"

    with pytest.raises(ServerDown):
        open_post(awkward.url.replace("smtp://", "smtp+starttls://"), trust=ssl.create_default_context(), seconds=1).ready()


def test_a_refused_login_does_not_tell_the_password(open_post: Callable[..., Post], awkward: AwkwardServer) -> None:
    awkward.at["EHLO"] = "250 AUTH PLAIN"
    awkward.at["AUTH"] = "535 wrong"

    with pytest.raises(ServerDown) as told:
        open_post(awkward.url.replace("smtp://", "smtp://desk:s3cret-word@")).ready()

    assert "s3cret-word" not in str(told.value)


def test_the_url_names_scheme_host_port_and_login() -> None:
    server = parse_smtp_url("smtp+starttls://desk:p%40ss@mail.example.jp")

    assert (server.scheme, server.host, server.port, server.user, server.password) == ("smtp+starttls", "mail.example.jp", 587, "desk", "p@ss")
    assert parse_smtp_url("smtps://mail.example.jp").port == 465
    with pytest.raises(ValueError):
        parse_smtp_url("mail.example.jp")


def test_probing_names_the_server_or_fails(smtp_sink: SmtpSink) -> None:
    assert probe(smtp_sink.url) == f"smtp 127.0.0.1:{smtp_sink.port}"
    with pytest.raises(OSError):
        probe(f"smtp://127.0.0.1:{free_port()}")


def test_without_a_server_letters_are_recorded() -> None:
    sender = open_sender("")

    outcome = sender.send(Parcel(TEXT, (A,)), "tickets@jscom.example", Company())

    assert isinstance(sender, Recorder)
    assert outcome.answers[A].text == "recorded"
    assert verdicts(outcome) == {A: Verdict.ACCEPTED}


def test_a_server_that_takes_commands_at_once_gets_the_same_letters_and_gives_the_same_answers(open_post: Callable[..., Post], awkward: AwkwardServer) -> None:
    awkward.at["EHLO"] = "250-awkward\r\n250 PIPELINING"
    post = open_post(awkward.url)
    awkward.refused[B], awkward.refused[C] = "550 no such user", "451 later"

    first, nobody, third = send(post, A, B, C), send(post, B, C), send(post, A)

    assert verdicts(first) == {A: Verdict.ACCEPTED, B: Verdict.PERMANENT, C: Verdict.TEMPORARY}
    assert verdicts(nobody) == {B: Verdict.PERMANENT, C: Verdict.TEMPORARY}
    assert verdicts(third) == {A: Verdict.ACCEPTED}
    assert [text for text in awkward.taken if text] == [TEXT.replace(b"\r\n.", b"\r\n..")] * 2
    assert awkward.connections == 1


class Following(Company):
    """Says what is sent next; does `then` when it is asked."""

    def __init__(self, parcel: Parcel | None = None, then: Callable[[], object] = lambda: None) -> None:
        self.parcel = parcel
        self.then = then
        self.asked = 0

    def following(self) -> Parcel | None:
        self.asked += 1
        self.then()
        return self.parcel


class Lost(Company):
    """Of a letter that another worker has by now."""

    def renew(self, seconds: float) -> None:
        raise LookupError


def numbered(number: int, *recipients: str) -> Parcel:
    return Parcel(f"Subject: {number}\r\n\r\nbody\r\n".encode(), recipients or (A,))


def numbers(taken: Sequence[bytes]) -> list[int]:
    return [int(text.splitlines()[0][-1:]) for text in taken if text]


def carry(post: Post, parcel: Parcel, company: Company) -> dict[str, str]:
    return verdicts(post.send(parcel, "tickets@jscom.example", company))


@pytest.fixture
def eager(awkward: AwkwardServer) -> AwkwardServer:
    """Takes commands at once."""
    awkward.at["EHLO"] = "250-awkward\r\n250 PIPELINING"
    return awkward


def test_the_next_letters_commands_go_out_with_the_text_before_whatever_becomes_of_it(open_post: Callable[..., Post], eager: AwkwardServer) -> None:
    eager.refused[B] = "550 no such user"
    post = open_post(eager.url)
    parcels = [numbered(0), numbered(1), numbered(2, B), numbered(3, A, B), numbered(4)]

    seen: list[dict[str, str]] = []
    for parcel, following, end in zip(parcels, [*parcels[1:], None], ["250 taken", "451 later", "250 taken", "554 refused", "250 taken"], strict=True):
        eager.at["END"] = end
        seen.append(carry(post, parcel, Following(following)))

    assert seen == [{A: "accepted"}, {A: "temporary"}, {B: "permanent"}, {A: "permanent", B: "permanent"}, {A: "accepted"}]
    assert numbers(eager.taken) == [0, 4]
    assert eager.connections == 1
    assert "RSET" not in eager.commands[: eager.commands.index(f"RCPT TO:<{B}>")]


@pytest.mark.parametrize(
    ("where", "verdict"), [("END", Verdict.UNKNOWN), ("MAIL", Verdict.TEMPORARY), ("RCPT", Verdict.TEMPORARY), ("DATA", Verdict.TEMPORARY)]
)
def test_a_server_that_breaks_off_at_what_was_said_ahead_hears_one_letter_after_the_other(
    open_post: Callable[..., Post], eager: AwkwardServer, where: str, verdict: Verdict
) -> None:
    post = open_post(eager.url)
    first, later = Following(numbered(1), lambda: eager.at.update({where: RESET})), Following(numbered(3))

    if where == "END":
        first = Following()
        carry(post, numbered(0), first)
        first = Following(numbered(2), lambda: eager.at.update({where: RESET}))
        broken = carry(post, numbered(1), first)
    else:
        carry(post, numbered(0), first)
        broken = carry(post, numbered(1), Following(numbered(2)))
    del eager.at[where]

    assert broken == {A: verdict}
    assert [carry(post, numbered(2), later), carry(post, numbered(3), Following())] == [{A: "accepted"}] * 2
    assert eager.connections == 2
    assert (first.asked, later.asked) == (1, 0), "nobody asks what comes next"


def test_a_letter_that_was_told_of_and_is_not_sent_reaches_nobody(open_post: Callable[..., Post], eager: AwkwardServer) -> None:
    post = open_post(eager.url)
    told = Following(numbered(9, B))

    carry(post, numbered(0), told)
    carry(post, numbered(1, C), told)  # another one comes between
    post.ready()  # or nothing for a while
    carry(post, numbered(2), told)
    with pytest.raises(LookupError):
        carry(post, numbered(9, B), Lost())
    carry(post, numbered(3), told)
    post.close()

    assert numbers(eager.taken) == [0, 1, 2, 3]
    assert len(eager.taken) == 4
    assert eager.connections == 4
    assert "QUIT" not in eager.commands


def test_an_address_that_would_end_a_command_is_never_said(open_post: Callable[..., Post], awkward: AwkwardServer) -> None:
    outcome = send(open_post(awkward.url), A, "b@tozai.example>\r\nRCPT TO:<evil@evil.example")

    assert sorted(verdicts(outcome).values()) == [Verdict.ACCEPTED, Verdict.PERMANENT]
    assert not any("evil" in command for command in awkward.commands)


@pytest.mark.filterwarnings("ignore:unclosed")  # the test server's own, after a handshake that failed
@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_a_letter_goes_by_tls_with_a_login_to_a_server_whose_certificate_is_vouched_for(open_post: Callable[..., Post], tmp_path: Path, scheme: str) -> None:
    with tls_smtp_server(tmp_path, scheme, user="desk", password="geheim-2026") as server:
        trusting = ssl.create_default_context(cafile=str(server.authority))
        url = f"{scheme}://desk:geheim-2026@localhost:{server.sink.port}"

        outcome = send(open_post(url, trust=trusting), A)
        with pytest.raises(ServerDown):
            open_post(url).ready()
        with pytest.raises(ServerDown):
            open_post(url.replace("geheim", "falsch"), trust=trusting).ready()

        assert verdicts(outcome) == {A: Verdict.ACCEPTED}
        assert server.logins[0] and not any(server.logins[1:])
        assert server.sink.letters[0].recipients == (A,)

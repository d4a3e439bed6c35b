"""One letter to a real server: every recipient gets an answer, whatever the server does."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mail.recorder import Recorder, open_sender
from mail.smtp import Blame, Company, Outcome, Parcel, Post, ServerDown, Verdict, parse_smtp_url, probe
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
        ("DATA", "451 later", Verdict.TEMPORARY, Blame.LETTER),
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

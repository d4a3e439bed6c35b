"""Every refusal is a sentence that says what is wrong and what to do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

import pytest

from rules.addresses import parse_address
from rules.credentials import password_faults
from rules.refusal import Refused
from rules.registration import Applicant, normalise
from rules.tickets import State, TicketText, check_ticket
from wording.refusals import REPAIRED, SENTENCES, say

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("rules", "actions", "importers", "mail", "models", "storage", "web", "console", "customer_portal", "jobs")


def test_every_code_that_is_refused_with_has_a_sentence_and_its_facts() -> None:
    wrong: list[str] = []
    for path, call in _refusals():
        given = {keyword.arg for keyword in call.keywords} | {"label"}
        for code in _codes(call.args[0]):
            sentence = SENTENCES.get(code)
            if sentence is None:
                wrong.append(f"{path}:{call.lineno} {code} has no sentence")
            elif None not in given and not _blanks(sentence) <= given:
                wrong.append(f"{path}:{call.lineno} {code} lacks {sorted(_blanks(sentence) - given)}")

    assert wrong == []


def test_the_scan_sees_the_refusals_of_the_rules() -> None:
    codes = {code for _, call in _refusals() for code in _codes(call.args[0])}

    assert {"address_form", "user_id_short", "contract_key_characters", "cc_many", "state_move"} <= codes


def test_codes_chosen_at_run_time_have_sentences_too() -> None:
    empty = normalise(Applicant("", "", "", "", "", "", password="", password_confirmation="x"), password_required=True)
    faults = [*empty.faults, *check_ticket(TicketText("", "", "", "", ""), categories=(), body_characters=1)]
    for password in ("x", "Tanaka1", "aB3xyz@x.jp", "Abc1", "Passw0rd", "全角", "\t"):
        faults += password_faults(password, user_id="tanaka1", email="ab3xyz@x.jp", contract_key="abc1")

    assert all(say(fault) for fault in faults)


@pytest.mark.parametrize("text", [*SENTENCES.values(), REPAIRED])
def test_sentences_keep_the_style(text: str) -> None:
    assert "！" not in text
    assert "することができ" not in text
    assert "させていただ" not in text
    assert not any("０" <= sign <= "９" for sign in text)


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_ends(code: str) -> None:
    assert SENTENCES[code].endswith(("。", "）"))


@pytest.mark.parametrize(
    ("refused", "sentence"),
    [
        (Refused("user_id_short", "user_id", min=3, n=2), "ユーザーIDは、半角 3 文字以上で入力してください（いまは 2 文字です）。"),
        (Refused("user_id_characters", "user_id", c="田"), "ユーザーIDに使えない文字「田」が入っています。半角の英字・数字・記号で入力してください。"),
        (Refused("password_upper", "password"), "パスワードに、英大文字を 1 文字以上入れてください。"),
        (Refused("address_empty", "email"), "メールアドレスを入力してください。"),
        (Refused("address_form", "email"), "メールアドレスの形をお確かめください（例：tanto@example.co.jp）。"),
        (Refused("address_trailing_dot", "email", sign="。"), "メールアドレスの終わりの「。」を除いてください。"),
        (Refused("address_blank", "maintenance_email"), "保守登録メールの途中に空白が入っています。空白を除いてください。"),
        (Refused("own_domain", "email", host="jscom.co.jp"), "「jscom.co.jp」は当社のドメインのため登録できません。貴社のメールアドレスを入力してください。"),
        (Refused("consent_missing", "consent"), "個人情報の取り扱いをお読みのうえ、同意にチェックを入れてください。"),
        (
            Refused("contract_key_characters", "contract_key", c="%"),
            "ご契約番号（または契約名）に使えない文字「%」が入っています。半角の英数字と「-」「_」「.」「/」で入力してください（例：JSC26040123A、SD-000000-H）。",
        ),
        (Refused("sign_in_wrong"), "ユーザーIDまたはパスワードが違います。"),
        (Refused("contract_text_empty", "contract_key"), "保守契約番号（または契約名）を入力してください。分からない場合は「不明」と入力してください。"),
        (
            Refused("cc_many", "cc", max=10, n=12, over=2),
            "メールCC は 10 件までです（いまは 12 件です）。2 件外してください。複数の方には、メーリングリストもお使いいただけます。",
        ),
        (Refused("text_long", "person_name", max=100, n=1204), "お名前は、100 文字以内で入力してください（いまは 1,204 文字です）。"),
    ],
)
def test_the_words_are_those_of_the_house(refused: Refused, sentence: str) -> None:
    assert say(refused) == sentence


def test_the_refused_pair_carries_its_number_and_says_what_to_check() -> None:
    sentence = say(Refused("pair_refused", "contract_key", n="R-2611-0017"))

    assert sentence.startswith("ご契約番号（または契約名）と保守登録メールの組み合わせでは、登録できません。")
    assert "証書の発行当日は登録できません" in sentence
    assert sentence.endswith("（受付番号 R-2611-0017）")


def test_both_domains_are_shown_where_they_differ() -> None:
    sentence = say(Refused("domains_differ", "email", email_host="a.co.jp", maintenance_host="b.co.jp"))

    assert "@ より後ろが異なります。" in sentence
    assert "a.co.jp" in sentence
    assert "b.co.jp" in sentence


def test_waiting_ends_at_a_time_of_tokyo() -> None:
    assert "14:05 以降に" in say(Refused("too_many_tries", until=datetime(2026, 11, 20, 5, 5, tzinfo=UTC)))


def test_states_are_told_as_words() -> None:
    assert say(Refused("state_move", "state", frm=State.WAITING_CENTER, to=State.CLOSED)).startswith("「契約確認中」から「終了」には変更できません。")


def test_what_a_person_typed_is_shown_and_never_filled_in_again() -> None:
    assert say(Refused("cc_form", "cc", x="{label} {0} %s")).startswith("メールCC の「{label} {0} %s」は")


def test_the_sign_of_a_refused_address_reaches_the_sentence() -> None:
    with pytest.raises(Refused) as refused:
        parse_address("太郎@example.co.jp", "maintenance_email")

    assert say(refused.value) == "保守登録メールに使えない文字「太」が入っています。半角の英字・数字・記号で入力してください。"


def test_a_code_without_a_sentence_is_a_fault() -> None:
    with pytest.raises(KeyError):
        say(Refused("no_such_code"))


def _refusals() -> Iterator[tuple[str, ast.Call]]:
    """Every call of Refused in the rooms, with the path of its file."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused" and node.args:
                    yield str(path.relative_to(ROOT)), node


def _codes(argument: ast.expr) -> list[str]:
    """The codes that an argument may be: a literal, or either side of a choice between literals."""
    if isinstance(argument, ast.IfExp):
        return [*_codes(argument.body), *_codes(argument.orelse)]
    return [argument.value] if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else []


def _blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}

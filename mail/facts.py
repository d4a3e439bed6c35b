"""What each letter may say: the names its text may use, what they mean, and a believable sample of each. Nothing behind them can be reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

from mail.desk import Desk
from wording.catalog import N_

CUSTOMER, STAFF, CENTER = "customer", "staff", "center"
AUDIENCES: Mapping[str, str] = {CUSTOMER: N_("お客様へのメール"), STAFF: N_("職員へのメール"), CENTER: N_("サービス管理センターへのメール")}


@dataclass(frozen=True)
class Fact:
    """One name. With `parts` it is a group (``ticket.id``), with `each` a list whose items go by that name, with `path` a link made of other facts.

    One without a meaning is given to make links of, and no text may name it. `show` is the filter that makes it readable.
    """

    name: str
    meaning: str = ""
    sample: Any = ""
    path: str = ""
    parts: tuple[Fact, ...] = ()
    each: str = ""
    show: str = ""


@dataclass(frozen=True)
class Content:
    """Whom a letter goes to, what it may say, and what its body must say: without it the reader cannot do what the letter is for."""

    audience: str
    facts: tuple[Fact, ...]
    needs: tuple[str, ...] = ()


def project(notice: str, given: Mapping[str, Any], desk: Desk) -> dict[str, Any]:
    """What the text of `notice` sees of the facts `given`: plain values under the declared names. A fact that is missing raises KeyError."""
    return {"desk": desk_facts(desk)} | {fact.name: _projected(fact, given, desk) for fact in CONTENTS[notice].facts if fact.meaning}


def desk_facts(desk: Desk) -> SimpleNamespace:
    """What every letter may say of the desk."""
    return SimpleNamespace(**{part.name: getattr(desk, part.name) for part in DESK.parts})


def sample(notice: str) -> dict[str, Any]:
    """Believable facts, as the letter's function would give them."""
    return _sampled(CONTENTS[notice].facts)


def names(facts: tuple[Fact, ...]) -> Iterator[tuple[str, Fact]]:
    """Every name a text may use, dotted, with its fact; a list stands before what its items have."""
    for fact in facts:
        if not fact.meaning:
            continue
        if not fact.parts or fact.each:
            yield fact.name, fact
        yield from ((f"{fact.each or fact.name}.{name}", part) for name, part in names(fact.parts))


def _projected(fact: Fact, given: Mapping[str, Any], desk: Desk) -> Any:
    if fact.path:
        return desk.link(fact.path.format_map(given))
    value = given[fact.name]
    if fact.each:
        return [_grouped(fact, item, desk) if fact.parts else item for item in value]
    return _grouped(fact, value, desk) if fact.parts else value


def _grouped(fact: Fact, value: Any, desk: Desk) -> SimpleNamespace:
    """Only the declared parts of `value`, a mapping or an object."""
    parts = fact.parts
    held: Mapping[str, Any] = cast("Any", value) if isinstance(value, Mapping) else {part.name: getattr(value, part.name) for part in parts if not part.path}
    return SimpleNamespace(**{part.name: _projected(part, held, desk) for part in parts if part.meaning})


def _sampled(facts: tuple[Fact, ...]) -> dict[str, Any]:
    return {fact.name: _sample_of(fact) for fact in facts if not fact.path}


def _sample_of(fact: Fact) -> Any:
    if not fact.parts:
        return [fact.sample] if fact.each else fact.sample
    one = _sampled(fact.parts)
    return [one] if fact.each else SimpleNamespace(**one)


_MOMENT = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)
DESK = Fact(
    "desk",
    N_("この窓口"),
    parts=(
        Fact("base_url", N_("このシステムの URL"), "https://tickets.example.jp"),
        Fact("desk_address", N_("お問合せ先のメールアドレス"), "tickets-admin@jscom.co.jp"),
        Fact("center_address", N_("サービス管理センターのメールアドレス"), "support-center@jscom.co.jp"),
    ),
)
_COMPANY = Fact("company", N_("お客様の会社名"), "東西ネットワーク株式会社")
_PERSON = Fact("person", N_("お客様の氏名"), "木村 はるか")
_USER = Fact("user_id", N_("ユーザーID"), "kimura")
_TOKEN = Fact("token", sample="…")
_LINK = Fact("link", N_("開いていただくページの URL"))
_AT = Fact("at", N_("変更した日時"), _MOMENT, show="moment")
_EXPIRES = Fact("expires_at", N_("URL の期限の日時"), _MOMENT, show="moment")
_COUNT, _MORE = Fact("count", N_("全部の件数"), 3), Fact("more", N_("載せきれなかった件数（0 もあります）"), 2)
_TICKET = Fact("ticket", N_("チケット"), parts=(Fact("id", N_("チケットID"), 10482), Fact("subject", N_("チケットの件名"), "SRX300 で IPsec VPN が切断される")))
_PRODUCT, _CATEGORY = Fact("product", N_("製品"), "Juniper-SRX"), Fact("category", N_("カテゴリ"), "障害")
_POST = (
    Fact("post", N_("投稿の本文"), "本日 9 時ごろから切断されます。\nログを添付します。"),
    Fact("cut", N_("本文を途中で切ったか（はい・いいえ）"), sample=False),
    Fact("files", N_("添付ファイル"), parts=(Fact("name", N_("ファイル名"), "log.txt"), Fact("size", N_("大きさ"), 1_204_224, show="size")), each="file"),
)
_MESSAGE = Fact("message", N_("担当者が書いた文"), "ご連絡ありがとうございます。証書の写しを確認しました。")
_NUMBER = Fact("number", N_("受付番号"), "26-104001")


def _to(path: str) -> Fact:
    return replace(_LINK, path=path)


_ABOUT_TICKET = Content(
    CUSTOMER,
    (
        _COMPANY, _PERSON, _TICKET, _PRODUCT, _CATEGORY, *_POST, _to("/tickets/{ticket.id}"),
        Fact("stop_link", N_("CC の方が写しを止めるページの URL（CC のないメールでは空）"), "https://tickets.example.jp/copies/10482-…"),
        Fact("opens", N_("次の受付の日時（受付時間の中では空）"), "11月24日(火) 9:00"),
    ),
    ("link",),
)  # fmt: skip
_SILENT = Content(CUSTOMER, (_COMPANY, _PERSON, _TICKET, _PRODUCT, Fact("since", N_("最後の回答の日"), "2026/11/20"), _to("/tickets/{ticket.id}")), ("link",))
_ENDS = replace(_SILENT, facts=(*_SILENT.facts, Fact("closes_on", N_("終了する日"), "2026/12/15")), needs=("link", "closes_on"))
_STAFF_TICKET = (
    _TICKET, _PRODUCT, _CATEGORY, Fact("customer", N_("お客様の会社名と氏名"), "東西ネットワーク株式会社 木村 はるか 様"),
    _to("/console/tickets/{ticket.id}"),
)  # fmt: skip
_ANSWER_DUE = Content(STAFF, (*_STAFF_TICKET, Fact("due_at", N_("回答の期限"), _MOMENT, show="moment")), ("link",))
_POSTED = Content(STAFF, (*_STAFF_TICKET, *_POST), ("link",))
_BY = Fact("by", N_("割り当てた職員"), "本田")


def _told(*more: Fact, needs: tuple[str, ...] = ("user_id", "desk.desk_address")) -> Content:
    """A letter to an account about its sign-in: it names the account, and whom to call when it was somebody else."""
    return Content(CUSTOMER, (_COMPANY, _PERSON, _USER, *more), needs)


def _change(*more: Fact, needs: tuple[str, ...] = ("change.id",)) -> Content:
    parts = (
        Fact("id", N_("変更の受付番号"), 1047),
        Fact("old_email", N_("変更前の保守登録メール"), "hosyu@tozai.example"),
        Fact("new_email", N_("変更後の保守登録メール"), "noc@tozai.example"),
        Fact("due_on", N_("対応の期限の日"), date(2026, 12, 3), show="day"),
    )
    return Content(CUSTOMER, (_COMPANY, _PERSON, Fact("change", N_("変更の依頼"), parts=parts), *more), needs)


def _listed(audience: str, facts: Fact, path: str, *more: Fact) -> Content:
    return Content(audience, (facts, _COUNT, _MORE, *more, _to(path)), ("link",))


_CHANGES = Fact(
    "changes",
    N_("変更の依頼"),
    parts=(
        Fact("id", sample=1047),
        Fact("due_on", N_("期限の日"), "2026/12/03"),
        Fact("company", N_("依頼した会社"), "東西ネットワーク株式会社"),
        Fact("old_email", N_("変更前の保守登録メール"), "hosyu@tozai.example"),
        Fact("link", N_("その依頼のページの URL"), path="/console/email-changes/{id}"),
    ),
    each="one",
)
_CHANGES_DUE = _listed(CENTER, _CHANGES, "/console/email-changes")
_ENDINGS = Fact(
    "endings",
    N_("終了が近い契約"),
    parts=(
        Fact("contract", N_("契約番号"), "JSC26040123A"),
        Fact("ends_on", N_("終了する日"), "2027/03/31"),
        Fact("lines", N_("明細の件数"), 4),
    ),
    each="one",
)
_REQUESTS = Fact(
    "requests",
    N_("例外申請"),
    parts=(
        Fact("id", sample=31),
        Fact("number", N_("例外申請の番号"), "EX-0031"),
        Fact("company", N_("申請した会社"), "東西ネットワーク株式会社"),
        Fact("since", N_("待ち始めた日時"), _MOMENT, show="moment"),
        Fact("link", N_("その申請のページの URL"), path="/console/exceptions/{id}"),
    ),
    each="one",
)
_SECTIONS = Fact(
    "sections",
    N_("一覧の見出し"),
    parts=(
        Fact("path", sample="/console/tickets?view=mine"),
        Fact("title", N_("見出し"), "担当のチケット"),
        Fact("count", N_("件数"), "2件"),
        Fact("lines", N_("その中の 1 行ずつ"), "#10482 SRX300 で IPsec VPN が切断される", each="line"),
        Fact("link", N_("その一覧の URL"), path="{path}"),
    ),
    each="section",
)
_QUOTAS = Fact(
    "quotas",
    N_("上限"),
    parts=(
        Fact("what", N_("何の上限か（storage＝保存先、account_bytes＝添付の合計、tickets＝今日のチケット、それ以外＝社外メールCC）"), "storage"),
        Fact("who", N_("お客様（全体の上限では空）"), "東西ネットワーク株式会社（kimura）"),
        Fact("used", N_("使った量"), "81 GB"),
        Fact("limit", N_("上限"), "100 GB"),
    ),
    each="one",
)
_TICKETS = Fact(
    "tickets",
    N_("担当になったチケット"),
    parts=(
        Fact("id", N_("チケットID"), 10482),
        Fact("subject", N_("チケットの件名"), "SRX300 で IPsec VPN が切断される"),
        Fact("link", N_("そのチケットの URL"), path="/console/tickets/{id}"),
    ),
    each="one",
)
_LETTERS = Fact(
    "letters",
    N_("送れなかったメール"),
    parts=(Fact("id", sample=7), Fact("subject", N_("メールの件名"), "本登録の完了"), Fact("link", N_("そのメールのページの URL"), path="/console/mails/{id}")),
    each="letter",
)
_JOBS = Fact(
    "jobs",
    N_("遅れているジョブ"),
    parts=(Fact("title", N_("ジョブの名前"), "期限切れの整理"), Fact("since", N_("いつからか"), _MOMENT, show="moment")),
    each="job",
)
_FOUND = Fact(
    "found",
    N_("点検の結果"),
    parts=(
        Fact("kind", N_("種類（fails_edit＝変更で断られる、no_live_line＝有効な明細がない、address_gone＝証書にない）"), "fails_edit"),
        Fact("count", N_("アカウントの数"), 2),
    ),
    each="one",
)
_ENTRIES = Fact(
    "entries",
    N_("このメールアドレスのアカウント"),
    parts=(_TOKEN, _USER, Fact("link", N_("パスワードを設定し直すページの URL"), path="/recover/{token}")),
    each="entry",
)

CONTENTS: Mapping[str, Content] = {
    "registration_link": Content(CUSTOMER, (_TOKEN, _to("/register/confirm/{token}"), _EXPIRES), ("link",)),
    "registration_ending": Content(CUSTOMER, (_EXPIRES,)),
    "registered": _told(_to("/login"), needs=("user_id", "link")),
    "login_ids": Content(CUSTOMER, (_ENTRIES, Fact("hours", N_("URL を使える時間"), 1), _to("/login")), ("entry.user_id", "entry.link")),
    "password_changed": _told(_AT),
    "email_link": Content(CUSTOMER, (_TOKEN, _to("/profile/email/{token}")), ("link",)),
    "email_changed": _told(_AT),
    "totp_changed": _told(_AT, Fact("enrolled", N_("確認コードを使い始めたか（はい・いいえ）"), sample=True)),
    "ticket_opened": _ABOUT_TICKET,
    "ticket_updated": _ABOUT_TICKET,
    "answered": _ABOUT_TICKET,
    "mail_not_taken": Content(CUSTOMER, (Fact("ticket_id", N_("チケットID"), 10482), _to("/tickets/{ticket_id}")), ("link",)),
    "copies_offer": Content(CUSTOMER, (_TOKEN, _to("/copies/{token}")), ("link",)),
    "silent_reminder": _SILENT,
    "silent_notice": _ENDS,
    "silent_closed": _SILENT,
    "exception_link": Content(CUSTOMER, (_TOKEN, _to("/exceptions/{token}"), _EXPIRES), ("link",)),
    "exception_received": Content(CUSTOMER, (_TOKEN, _COMPANY, _PERSON, _NUMBER, _to("/exceptions/{token}")), ("number", "link")),
    "exception_question": Content(CUSTOMER, (_TOKEN, _COMPANY, _PERSON, _NUMBER, _MESSAGE, _to("/exceptions/{token}")), ("number", "message", "link")),
    "exception_declined": Content(CUSTOMER, (_COMPANY, _PERSON, _NUMBER, _MESSAGE), ("number", "message")),
    "exception_approved": Content(
        CUSTOMER,
        (
            _COMPANY,
            _PERSON,
            _NUMBER,
            _USER,
            _MESSAGE,
            _to("/login"),
            Fact("kind", N_("申請の種類（registration＝新規登録、profile＝プロフィールの変更）"), "registration"),
        ),
        ("user_id", "link", "message"),
    ),
    "explanation": Content(CUSTOMER, (_MESSAGE, _to("/register")), ("message",)),
    "email_change_received": _change(),
    "email_change_answered": _change(
        Fact("declined", N_("お断りか（いいえ＝確認のお願い）"), sample=False),
        Fact("text", N_("サービス管理センターが書いた文"), "証書の写しをお送りください。"),
        needs=("change.id", "text"),
    ),
    "email_change_done": _change(),
    "email_change_holder": _change(
        Fact("choice", N_("アカウントの扱い（move＝一緒に変更、ask＝お客様が変更、suspend＝利用停止）"), "ask"),
        _USER,
        _to("/profile/edit"),
        needs=("change.new_email", "user_id"),
    ),
    "email_change_reversed": _change(Fact("user_id", N_("ユーザーID（依頼した方へのメールでは空）"), "kimura")),
    "contract_ending_account": Content(CUSTOMER, (_COMPANY, _PERSON, _ENDINGS, _MORE, _to("/profile")), ("one.contract", "one.ends_on")),
    "staff_ticket_opened": _POSTED,
    "staff_ticket_updated": _POSTED,
    "staff_mail_replied": Content(STAFF, _STAFF_TICKET, ("link",)),
    "staff_assigned": Content(STAFF, (*_STAFF_TICKET, _BY), ("link",)),
    "staff_assigned_many": _listed(STAFF, _TICKETS, "/console/tickets?view=mine", _BY),
    "staff_first_answer_near": _ANSWER_DUE,
    "staff_first_answer_overdue": _ANSWER_DUE,
    "staff_next_answer_near": _ANSWER_DUE,
    "staff_next_answer_overdue": _ANSWER_DUE,
    "staff_digest": Content(
        STAFF, (Fact("name", N_("読む人の氏名"), "中村"), Fact("today", N_("きょうの日付"), "11/24(火)"), _SECTIONS, _to("/console/profile")), ("section.link",)
    ),
    "staff_exception_waiting": _listed(STAFF, _REQUESTS, "/console/exceptions"),
    "staff_mails_failed": _listed(STAFF, _LETTERS, "/console/mails?state=troubled"),
    "staff_quota": _listed(STAFF, _QUOTAS, "/console/accounts"),
    "staff_jobs_late": Content(STAFF, (_JOBS, _COUNT, _to("/console/jobs")), ("link",)),
    "staff_calendar_ending": Content(
        STAFF,
        (
            Fact("known_until", N_("営業日が分かる最後の日"), "2026/12/31"),
            Fact("year", N_("登録が要る年"), 2027),
            _to("/console/masters/company-days"),
        ),
        ("known_until", "link"),
    ),
    "staff_registration_limit": Content(
        STAFF,
        (Fact("contract_key", N_("契約番号"), "JSC26040123A"), Fact("failures", N_("失敗の回数"), 20), _to("/console/refusals?q={contract_key}")),
        ("contract_key", "link"),
    ),
    "email_change_tomorrow": _CHANGES_DUE,
    "email_change_due": _CHANGES_DUE,
    "email_change_overdue": _CHANGES_DUE,
    "contract_ending": _listed(
        CENTER,
        replace(_ENDINGS, parts=(*_ENDINGS.parts, Fact("company", N_("エンドユーザーなどの会社名"), "東西ネットワーク株式会社"))),
        "/console/contracts",
    ),
    "accounts_found": Content(CENTER, (_FOUND, _COUNT, _to("/console/radar")), ("link",)),
}
"""Every letter, in the order people meet them; its name stands in `mail.compose.NOTICES`."""

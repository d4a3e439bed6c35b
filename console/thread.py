"""A ticket's thread for the page: posts with their files and mails, the events between them, the drafts of the reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row

from models.actors import SYSTEM
from models.tickets import MessageKind
from wording import labels
from wording.catalog import N_, translate

_ATTACHMENTS = "/console/attachments"
_CUSTOMERS_ACTS = frozenset({"open", "reply", "settle", "reopen_ticket"})
_JOINS = {
    "follow_up": N_("続き"),
    "link_tickets": N_("関連"),
    "merge_into": N_("まとめた先"),
    "take_merged": N_("まとめたチケット"),
    "split_from": N_("分けた元"),
    "split_off": N_("分けたチケット"),
}
_PARTS = {"unlink_tickets": "link_tickets", "undo_merge": "merge_into", "give_merged_back": "take_merged"}
"""Acts that end what another one began."""
_NAMED_CHANGES = {"change_product": "product", "change_ticket_category": "category"}
_EVENTS = {
    "open": N_("{who}がチケットを作成しました"),
    "open_by_phone": N_("{who}が電話で受け付けました"),
    "attach_account": N_("{who}がアカウント「{after}」のチケットにしました"),
    "detach_account": N_("{who}がアカウント「{before}」を外しました"),
    "follow_up": N_("{who}が続きのチケット {after} を作成しました"),
    "link_tickets": N_("{who}が {after} と関連付けました"),
    "unlink_tickets": N_("{who}が {after} との関連付けを外しました"),
    "merge_into": N_("{who}がこのチケットを {after} にまとめました"),
    "take_merged": N_("{who}が {after} をこのチケットにまとめました"),
    "undo_merge": N_("{who}が {after} へのまとめを取り消しました"),
    "give_merged_back": N_("{who}が {after} のまとめを取り消しました"),
    "split_from": N_("{who}が {after} の書き込みからこのチケットを作成しました"),
    "split_off": N_("{who}が書き込みをチケット {after} に分けました"),
    "reply": N_("{who}が返信しました"),
    "answer": N_("{who}が返信しました"),
    "withdraw_answer": N_("{who}が返信を取り消しました"),
    "undo_change": N_("{who}がまとめた変更を元に戻しました"),
    "undo_last": N_("{who}が直前の変更を取り消しました"),
    "note": N_("{who}が社内メモを書きました"),
    "assign": N_("{who}が担当を「{before}」から「{after}」に変更しました"),
    "change_state": N_("{who}が状態を「{before}」から「{after}」に変更しました"),
    "change_cc": N_("{who}がメールCC を変更しました（{before} → {after}）"),
    "change_product": N_("{who}が製品を「{before}」から「{after}」に変更しました"),
    "change_ticket_category": N_("{who}がカテゴリを「{before}」から「{after}」に変更しました"),
    "settle": N_("{who}が解決済みにしました"),
    "reopen_ticket": N_("{who}がまだ解決していないとしました"),
    "ask_center": N_("{who}がサービス管理センターに契約の確認を依頼しました"),
    "answer_center": N_("{who}が契約の確認に回答しました"),
    "mail_reply": N_("メールで返信が届きました"),
    "stop_copies": N_("{after} の方のお申し出で、写しを止めました"),
    "resume_copies": N_("{after} の方のお申し出で、写しを再開しました"),
    "match_contract": N_("{who}が契約を「{before}」から「{after}」に照合しました（理由：{reason}）"),
    "withdraw_match": N_("{who}が契約の照合「{before}」を取り消しました"),
    "change_priority": N_("{who}が優先度を「{before}」から「{after}」に変更しました"),
    "run_macro": N_("{who}が定型アクション「{after}」を実行しました"),
}
_UNREAD = N_("ここから未読です")
_OTHER_EVENT = N_("{who}が変更しました")
_STATE_ALONG = N_("{text}（状態：{before} → {after}）")
_BETWEEN_POSTS = {
    "assign": "user",
    "change_state": "pen",
    "change_priority": "flag",
    "withdraw_answer": "undo",
    "undo_change": "undo",
    "undo_last": "undo",
    "change_cc": "mail",
    "change_product": "pen",
    "change_ticket_category": "pen",
    "settle": "ok",
    "reopen_ticket": "undo",
    "ask_center": "doc",
    "answer_center": "doc",
    "stop_copies": "mail",
    "resume_copies": "mail",
    "follow_up": "link",
    "link_tickets": "link",
    "unlink_tickets": "undo",
    "merge_into": "link",
    "take_merged": "link",
    "undo_merge": "undo",
    "give_merged_back": "undo",
    "split_from": "link",
    "split_off": "link",
    "attach_account": "user",
    "detach_account": "undo",
    "match_contract": "doc",
    "withdraw_match": "undo",
}
"""Acts that stand between the posts, with their icons; the others are posts themselves."""
_NOBODY, _NO_CC, _AS_TYPED = N_("未割り当て"), N_("なし"), N_("お客様の入力")
_CUSTOMER, _COLLEAGUE, _SYSTEM = N_("{name} 様"), N_("{name}さん"), N_("{name}")


class Post(NamedTuple):
    """One message. `mail` tells how its notification fares: "", waiting, sent or failed."""

    id: int
    kind: str
    author: str
    staff_id: int | None
    at: datetime
    until: datetime
    """Published from then on."""
    text: str
    files: Sequence[tuple[str, str, int]] = ()
    """(path, name, bytes)"""
    logs: Sequence[dict[str, Any]] = ()
    """What those say that are logs."""
    to: Sequence[str] = ()
    cc: int = 0
    mail: str = ""


class Event(NamedTuple):
    """A change, as a sentence; `icon` is "" where it stands in the history only."""

    text: str
    at: datetime
    icon: str = ""


@dataclass(frozen=True)
class MailReply:
    """A mail that answered a notification: for staff alone, and nobody's post, for anybody can write a sender."""

    sender: str
    at: datetime
    text: str


@dataclass(frozen=True)
class Thread:
    """Everything written on a ticket, oldest first."""

    items: list[Post | Event | MailReply]
    events: list[Event]
    neighbours: list[tuple[str, int]]
    """What other tickets are to this one, and their numbers, as the history tells."""
    unread: int
    """The first post of others that the reader's page has not shown yet, 0 without one or when they never were here."""
    unread_count: int
    drafts: Mapping[str, Row[Any]]
    """The reader's unsent texts by kind (answer, note)."""

    @property
    def posts(self) -> list[Post]:
        """The messages alone."""
        return [item for item in self.items if isinstance(item, Post)]

    @property
    def newest(self) -> int:
        """The newest message's id, 0 without any: what a reply says its author saw."""
        return max((post.id for post in self.posts), default=0)


def build_thread(parts: Sequence[Row[Any]], *, staff_id: int | None, language: str) -> Thread:
    """The thread of `models.ticket_page.thread_parts`, as the member `staff_id` reads it."""
    files = _by_message(parts, "file")
    recipients = _by_message(parts, "recipient")
    items: list[Post | Event | MailReply] = []
    events: list[Event] = []
    unread = _unread(parts, staff_id)
    for part in parts:
        if part.part == "message":
            if unread and part.id == unread[0]:
                items.append(Event(translate(_UNREAD, language), part.at, "down"))
            items.append(_post(part, files.get(part.id, []), recipients.get(part.id, [])))
        elif part.part == "returned":
            items.append(MailReply(part.name, part.at, part.text))
        elif part.part == "event":
            event = event_of(part, language)
            events.append(event)
            if event.icon:
                items.append(event)
    return Thread(
        items, events, _neighbours(parts, language), unread[0] if unread else 0, len(unread), {part.kind: part for part in parts if part.part == "draft"}
    )


def _unread(parts: Sequence[Row[Any]], staff_id: int | None) -> list[int]:
    """Posts of others after what the reader's page last showed, oldest first."""
    seen = next((part.of for part in parts if part.part == "read"), None)
    return [] if seen is None else [part.id for part in parts if part.part == "message" and part.id > seen and part.who != staff_id]


def _neighbours(parts: Sequence[Row[Any]], language: str) -> list[tuple[str, int]]:
    found: dict[tuple[str, int], None] = {}
    for part in parts:
        if part.part == "event" and part.kind in _JOINS:
            found[part.kind, part.facts["other"]] = None
        elif part.part == "event" and part.kind in _PARTS:
            found.pop((_PARTS[part.kind], part.facts["other"]), None)
    return [(translate(_JOINS[act], language), number) for act, number in found]


def event_of(entry: Row[Any], language: str) -> Event:
    """A row of the journal as a sentence."""
    facts: dict[str, Any] = entry.facts or {}
    named = _CUSTOMER if entry.kind in _CUSTOMERS_ACTS or facts.get("by_customer") else _SYSTEM if entry.name == SYSTEM.name else _COLLEAGUE
    who = translate(named, language).format(name=labels.actor(entry.name, language))
    before, after = _change(entry.kind, facts, language)
    text = translate(_EVENTS.get(entry.kind, _OTHER_EVENT), language).format(who=who, before=before, after=after, reason=facts.get("reason", ""))
    if entry.kind in ("answer", "reply", "ask_center", "answer_center") and before != after:
        text = translate(_STATE_ALONG, language).format(text=text, before=before, after=after)
    return Event(text, entry.at, _BETWEEN_POSTS.get(entry.kind, ""))


def _change(act: str, facts: Mapping[str, Any], language: str) -> tuple[str, str]:
    """What changed, in words, before and after; ("", "") where nothing did."""
    if act == "assign":
        before, after = facts.get("assignee", ["", ""])
        nobody = translate(_NOBODY, language)
        return before or nobody, after or nobody
    if act == "change_priority":
        before, after = facts["priority"]
        return labels.priority(before, language), labels.priority(after, language)
    if act == "run_macro":
        return "", facts.get("macro", "")
    if act == "change_cc":
        before, after = (", ".join(addresses) or translate(_NO_CC, language) for addresses in facts["cc"])
        return before, after
    if act in ("stop_copies", "resume_copies"):
        return "", facts.get("address", "")
    if "other" in facts:
        return "", f"#{facts['other']}"
    if act in ("attach_account", "detach_account"):
        named = f"{facts.get('company', '')} {facts.get('account', '')}".strip()
        return named, named
    if act in ("match_contract", "withdraw_match"):
        before, after = facts["contract_match"]
        return before or translate(_AS_TYPED, language), after
    if act in _NAMED_CHANGES:
        before, after = facts[_NAMED_CHANGES[act]]
        return before, after
    if "state" in facts:
        before, after = facts["state"]
        return labels.state(before, language), labels.state(after, language)
    return "", ""


def _post(message: Row[Any], files: Sequence[Row[Any]], recipients: Sequence[Row[Any]]) -> Post:
    answered = message.kind == MessageKind.ANSWER
    told: Sequence[Row[Any]] = recipients if answered else ()
    return Post(
        id=message.id,
        kind={MessageKind.ANSWER: "staff", MessageKind.NOTE: "note"}.get(message.kind, "customer"),
        author=message.name,
        staff_id=message.who,
        at=message.at,
        until=message.until,
        text=message.text,
        files=[(f"{_ATTACHMENTS}/{file.text}", file.name, file.size) for file in files],
        logs=[file.facts for file in files if file.facts],
        to=[row.text for row in told if row.kind == "to"],
        cc=sum(row.kind == "cc" for row in told),
        mail=_mail({row.name for row in told}),
    )


def _mail(states: set[str]) -> str:
    if not states:
        return ""
    if states & {"permanent", "unknown"}:
        return "failed"
    return "waiting" if states & {"waiting", "sending", "temporary"} else "sent"


def _by_message(parts: Sequence[Row[Any]], kind: str) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = {}
    for part in parts:
        if part.part == kind:
            found.setdefault(part.of, []).append(part)
    return found

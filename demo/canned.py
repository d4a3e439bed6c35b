"""Texts and acts that the demo's support uses every day."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.actors import StaffMember
from models.canned import Canned, CannedKind, PostKind
from models.masters import ProductFamily
from rules.tickets import State

_TEXTS = (
    (
        "ログ取得のお願い",
        "juniper-srx",
        "お手数ですが、次の出力をファイルに保存し、このチケットに添付してください。\n\n"
        "```\nrequest support information | no-more\nshow log messages | no-more\n```",
    ),
    ("挨拶", "", "{会社名}\n{お客様名} 様\n\nお問合せありがとうございます。サポートの{担当者名}です。"),
    (
        "シリアル番号の確認",
        "",
        "対象の機器のシリアル番号（いまのご登録：{シリアル番号}）をお知らせください。\n`show chassis hardware` の出力でご確認いただけます。",
    ),
    (
        "交換手配の案内",
        "",
        "{製品} {機種}（シリアル番号：{シリアル番号}、契約：{保守契約番号}）の交換機を手配します。次の内容をお知らせください。\n\n"
        "- 送付先のご住所\n- ご担当者様のお名前と電話番号",
    ),
    (
        "AP の状態の確認",
        "ruckus",
        "対象のアクセスポイントの LED の色と、コントローラーの画面での状態をお知らせください。\n- 有線の接続先のスイッチとポート\n- 直前の設定変更の有無",
    ),
    (
        "解決策のご案内",
        "",
        "{お客様名} 様\n\n次の手順でご確認ください。\n\n1. 設定を控える\n2. 該当の設定を変更する\n3. 事象が解消したことを確かめる\n\n結果をお知らせください。",
    ),
    ("進捗のご連絡", "", "{お客様名} 様\n\nお待たせしております。現在の状況は次のとおりです。\n\n- 調査の内容：\n- 次回のご連絡："),
)
_MACROS = (
    ("メーカーへ確認中", PostKind.ANSWER, "{お客様名} 様\n\nいただいた内容をメーカーに確認しています。回答があり次第、ご連絡します。", State.WAITING_VENDOR),
    ("解決のご連絡", PostKind.ANSWER, "{お客様名} 様\n\nご確認ありがとうございました。{チケット番号}は解決済みといたします。", State.RESOLVED),
    ("ログの追加をお願いする", PostKind.ANSWER, "{お客様名} 様\n\n原因の確認のため、事象が起きた時刻のログをお送りください。", State.WAITING_CUSTOMER),
    ("引き継ぎメモ", PostKind.NOTE, "引き継ぎ：\n- これまでの経緯：\n- 次に行うこと：", None),
)


def add_canned(session: Session, by: StaffMember, own: StaffMember, now: datetime) -> None:
    """The shared ones of the support leader, and one that an engineer keeps for themselves."""
    families = {row.slug: row.id for row in session.execute(select(ProductFamily.slug, ProductFamily.id))}
    for name, slug, body in _TEXTS:
        session.add(Canned(kind=CannedKind.TEXT, name=name, body=body, family_id=families.get(slug), updated_at=now, updated_by=by.name))
    for name, post, body, state in _MACROS:
        session.add(
            Canned(
                kind=CannedKind.MACRO,
                name=name,
                body=body,
                post=post,
                to_state=state,
                to_assignee="" if post is PostKind.NOTE else "me",
                updated_at=now,
                updated_by=by.name,
            )
        )
    session.add(
        Canned(
            kind=CannedKind.TEXT,
            name="結び",
            body="ご不明な点がありましたら、このチケットにご返信ください。\n\nサポート {担当者名}",
            owner_id=own.id,
            updated_at=now,
            updated_by=own.name,
        )
    )

"""The masters every desk starts with: families, aliases, mailboxes, categories, mail domains, the privacy text."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FAMILIES = [
    ("juniper-ns", "Juniper-NS", "機種、ScreenOS のバージョンと、get tech-support の出力をお送りください。"),
    ("juniper-ex", "Juniper-EX", "機種、Junos のバージョンと、request support information の出力をお送りください。"),
    ("juniper-idp", "Juniper-IDP", "機種、IDP OS のバージョンと、tech-support の出力をお送りください。"),
    ("juniper-mag-sa", "Juniper-MAG/SA", "機種、OS のバージョンと、システムスナップショットをお送りください。"),
    ("juniper-srx", "Juniper-SRX", "機種、Junos のバージョンと、request support information の出力をお送りください。"),
    ("cyberoam", "Cyberoam", "機種、ファームウェアのバージョンと、発生した日時をお書きください。"),
    ("handreamnet", "Handreamnet", "機種、ファームウェアのバージョンと、設定ファイルをお送りください。"),
    ("ironport", "旧 Ironport", "機種、AsyncOS のバージョンと、発生した日時をお書きください。"),
    ("trustwave-mirage", "Trustwave/Mirage", "機種、バージョンと、発生した日時をお書きください。"),
    ("mirageworks", "Mirageworks", "製品名、バージョンと、ご利用の OS をお書きください。"),
    ("ruckus", "Ruckus", "コントローラーと AP の機種、ファームウェアのバージョン、サポート情報のファイルをお送りください。"),
    ("soliton", "Soliton", "製品名、バージョンと、ログのアーカイブをお送りください。"),
    ("splashtop", "Splashtop", "アプリのバージョン、接続元と接続先の OS をお書きください。"),
    ("paloalto", "Paloalto", "機種、PAN-OS のバージョンと、tech support file をお送りください。"),
    ("other", "その他", "製品名とバージョンをお書きください。"),
]
ALIASES = [("juniper-mag-sa", "Juniper-MAG_SA"), ("ironport", "Ironport"), ("trustwave-mirage", "Trustwave_Mirage"), ("paloalto", "Paloalto 他")]
MAILBOXES = [
    ("ns_support", "juniper-ns"),
    ("ex_support", "juniper-ex"),
    ("ns_support", "juniper-idp"),
    ("sa_support", "juniper-mag-sa"),
    ("srx_support", "juniper-srx"),
    ("cyberoam_support", "cyberoam"),
    ("hdn_support", "handreamnet"),
    ("ironport_support", "ironport"),
    ("cp_support", "trustwave-mirage"),
    ("mw_support", "mirageworks"),
    ("ruckus_support", "ruckus"),
    ("na_support", "soliton"),
    ("st_support", "splashtop"),
    ("j2-support", "paloalto"),
]
CATEGORIES = ["障害", "設定・操作", "仕様", "ライセンス", "交換・RMA", "その他"]
SHARED_DOMAINS = """gmail.com googlemail.com yahoo.co.jp yahoo.com ymail.ne.jp outlook.com outlook.jp hotmail.com hotmail.co.jp live.jp live.com msn.com
icloud.com me.com mac.com aol.com protonmail.com proton.me docomo.ne.jp ezweb.ne.jp au.com softbank.ne.jp i.softbank.jp vodafone.ne.jp
ymobile.ne.jp y-mobile.ne.jp rakuten.jp ocn.ne.jp so-net.ne.jp biglobe.ne.jp nifty.com nifty.ne.jp plala.or.jp
dion.ne.jp infoweb.ne.jp odn.ne.jp asahi-net.or.jp excite.co.jp eonet.ne.jp jcom.home.ne.jp
jcom.zaq.ne.jp mopera.net wakwak.com hi-ho.ne.jp dti.ne.jp onmicrosoft.com xsrv.jp""".split()
OWN_DOMAINS = ["jscom.co.jp", "jscom.jp"]
PRIVACY = """ジェイズ・コミュニケーション株式会社（以下「当社」）は、J's チケットシステムのご利用にあたってお預かりする個人情報を、次のとおり取り扱います。

1. お預かりする情報
会社名、お名前、ユーザーID、メールアドレス、保守登録メール、ご契約番号（または契約名）、お問合せの内容と添付ファイル、ログインの日時と接続元のアドレスです。

2. 利用の目的
保守サポートサービスのご契約の確認、お問合せへの回答と通知メールの送信、サービスの安全な運用と改善のために利用します。

3. 第三者への提供
法令に基づく場合と、お問合せの解決に必要な範囲で製品の開発元に照会する場合（個人を特定できない形にします）のほかは、ご本人の同意なく第三者に提供しません。

4. 安全管理
通信の暗号化、アクセス権限の管理、操作の記録により、漏えい・滅失・毀損を防ぎます。

5. 保存の期間
アカウントが有効な間と、終了後の法令で定められた期間、保存します。期間を過ぎた情報は消去します。

6. 開示・訂正・利用停止
ご本人からのご請求に応じて、確認のうえ遅滞なく対応します。

7. お問合せ先
J's チケットシステム担当（tickets-admin@jscom.co.jp）
"""


def upgrade() -> None:
    """Add the masters."""
    family = sa.table("product_family", *map(sa.column, ("id", "slug", "name", "intake_hint", "position", "active")))
    op.bulk_insert(
        family,
        [
            {"slug": slug, "name": name, "intake_hint": hint, "position": position, "active": True}
            for position, (slug, name, hint) in enumerate(FAMILIES, start=1)
        ],
    )
    ids = {slug: number for number, slug in op.get_bind().execute(sa.select(family.c.id, family.c.slug))}
    op.bulk_insert(
        sa.table("family_alias", *map(sa.column, ("family_id", "alias", "alias_key"))),
        [{"family_id": ids[slug], "alias": alias, "alias_key": alias.upper()} for slug, alias in ALIASES],
    )
    op.bulk_insert(
        sa.table("family_mailbox", *map(sa.column, ("family_id", "address"))),
        [{"family_id": ids[slug], "address": f"{local}@jscom.co.jp"} for local, slug in MAILBOXES],
    )
    op.bulk_insert(
        sa.table("category", *map(sa.column, ("name", "position", "active"))),
        [{"name": name, "position": position, "active": True} for position, name in enumerate(CATEGORIES, start=1)],
    )
    domains = [{"domain": name, "kind": "shared"} for name in SHARED_DOMAINS] + [{"domain": name, "kind": "own"} for name in OWN_DOMAINS]
    op.bulk_insert(sa.table("mail_domain", *map(sa.column, ("domain", "kind"))), domains)
    privacy = sa.table("privacy_text", sa.column("body"), sa.column("published_at", sa.DateTime(timezone=True)))
    op.bulk_insert(privacy, [{"body": PRIVACY, "published_at": datetime(2026, 11, 1, tzinfo=UTC)}])


def downgrade() -> None:
    """Remove the masters."""
    for table in ("privacy_text", "mail_domain", "category", "family_mailbox", "family_alias", "product_family"):
        op.execute(sa.delete(sa.table(table)))

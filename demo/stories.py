"""What the demo tells: invented companies, their contracts, and what they asked."""

from __future__ import annotations

from dataclasses import dataclass

ONSITE = "平日9:00~17:00オンサイト保守"
SOFTWARE = "ソフトウェア保守"
SENDBACK = "センドバック保守"


@dataclass(frozen=True)
class Person:
    user_id: str
    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Company:
    user_id: str
    name: str
    person: str
    email: str
    maintenance_email: str


@dataclass(frozen=True)
class Contract:
    """`starts_in` and `issued_before` in days from the day of loading; lines are (product number, serial, service)."""

    key: str
    company: int
    family: str
    starts_in: int
    lines: tuple[tuple[str, str, str], ...]
    issued_before: int = 10
    years: int = 1


@dataclass(frozen=True)
class Story:
    """A ticket: posts are ("customer" | user ID of an engineer | "note:" and the user ID, text)."""

    user_id: str
    family: str
    category: str
    subject: str
    contract: str
    serial: str
    body: str
    hours_ago: float
    posts: tuple[tuple[str, str], ...] = ()
    model: str = ""
    cc: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    priority: str = ""
    assignee: str = ""
    state: str = ""


STAFF = (
    Person("nakamura", "中村", ("support",)),
    Person("sato", "佐藤", ("support", "lead")),
    Person("center", "渡辺", ("service_center",)),
    Person("desk", "小林", ("desk",)),
    Person("kanri", "加藤", ("admin",)),
    Person("kansa", "吉田", ("auditor",)),
)
COMPANIES = (
    Company("kimura", "東西ネットワーク株式会社", "木村 はるか", "kimura@osaka.tozai-net.example", "nw-kanri@osaka.tozai-net.example"),
    Company("takahashi", "株式会社みほん商事", "高橋 健", "netadmin@mihon-shoji.example", "kiban@mihon-shoji.example"),
    Company("minato", "みなと情報システム株式会社", "岡田 修", "okada@minato-js.example", "wifi@minato-js.example"),
    Company("aozora", "学校法人あおぞら学園", "森 直子", "mori@aozora-gakuen.example", "joho@aozora-gakuen.example"),
    Company("tsubame", "株式会社つばめ物流", "石井 誠", "ishii@tsubame-logi.example", "system@tsubame-logi.example"),
    Company("hokuto", "北斗設計株式会社", "小野 美咲", "ono@hokuto-sekkei.example", "net@hokuto-sekkei.example"),
)
CONTRACTS = (
    Contract(
        "JSC26040123A",
        0,
        "juniper-srx",
        -230,
        (("SRX300-SYS-JB", "CV4126AF0093", ONSITE), ("SRX300-SYS-JB", "CV4126AF0093", SOFTWARE), ("SRX345-SYS-JB", "CZ2219AK0410", ONSITE)),
    ),
    Contract("JSC26030198A", 0, "ruckus", -260, (("901-R650-JP00", "522039001187", SENDBACK), ("901-R650-JP00", "522039001188", SENDBACK))),
    Contract("JSC26050233A", 1, "juniper-srx", -175, (("SRX300-SYS-JB", "CV4126AF0107", ONSITE), ("SRX300-SYS-JB", "CV4126AF0107", SOFTWARE))),
    Contract("JSC26060201B", 1, "paloalto", -140, (("PAN-PA-440", "021201038765", ONSITE), ("PAN-PA-440", "021201038766", ONSITE))),
    Contract("JSC25120110C", 2, "ruckus", -340, (("901-R550-JP00", "462103002911", SENDBACK), ("901-R550-JP00", "462103002912", SENDBACK)), years=3),
    Contract(
        "JSC26010042D",
        3,
        "juniper-ex",
        -320,
        (("EX3400-48P", "NW0219410032", ONSITE), ("EX3400-48P", "NW0219410032", SOFTWARE), ("EX2300-24T", "JW3622110458", ONSITE)),
    ),
    Contract("JSC25100077E", 4, "cyberoam", -410, (("CR25iNG", "C21501234567", SENDBACK),)),
    Contract("JSC25080019F", 5, "cyberoam", -460, (("CR25iNG", "C21501239876", SENDBACK),)),
    Contract("JSC27010005A", 4, "cyberoam", 45, (("CR50iNG", "C21507654321", SENDBACK),)),
)
_LOG = """Nov 20 09:03:11 srx300 kmd[1853]: IKE Phase-2: Delete SA, peer 192.0.2.10, reason: DPD timeout
Nov 20 09:03:14 srx300 kmd[1853]: IKE Phase-1: Negotiation completed, peer 192.0.2.10
"""
STORIES = (
    Story(
        "takahashi",
        "juniper-srx",
        "障害",
        "SRX300 で IPsec VPN が数分おきに切断される",
        "JSC26050233A",
        "CV4126AF0107",
        "いつもお世話になっております。\n\n本日 9 時ごろから、本社と大阪支店を結ぶ IPsec VPN が 3〜5 分おきに切断され、自動で復旧する状態が続いています。"
        "直前の設定変更はありません。ログの抜粋をお送りします。\n\n" + _LOG,
        3,
        posts=(
            ("note:sato", "同じシリアルで 8 月にも DPD の相談あり。そのときは回線側の MTU が原因でした。"),
            (
                "nakamura",
                "高橋 様\n\nお問合せありがとうございます。お送りいただいたログを確認しております。"
                "切断が起きた時刻の「show security ike security-associations detail」の結果をお送りいただけますでしょうか。",
            ),
            ("customer", "ご依頼のログを取得しましたのでお送りします。"),
        ),
        model="SRX300-SYS-JB",
        cc=("infra-ml@mihon-shoji.example",),
        files=(("srx300_rsi.log", _LOG * 40),),
        priority="high",
        assignee="nakamura",
    ),
    Story(
        "aozora",
        "juniper-ex",
        "交換・RMA",
        "EX3400 の電源ユニット故障（交換依頼）",
        "JSC26010042D",
        "NW0219410032",
        "PSU 0 のランプが消灯しています。予備機はありません。交換の手配をお願いします。",
        5,
        priority="urgent",
        assignee="nakamura",
    ),
    Story(
        "minato",
        "ruckus",
        "障害",
        "無線 AP が 1 台だけコントローラに帰属しない",
        "JSC25120110C",
        "462103002911",
        "3 階の AP が 1 台だけコントローラに帰属しません。PoE の給電は確認しました。",
        1,
        model="901-R550-JP00",
    ),
    Story(
        "takahashi",
        "paloalto",
        "ライセンス",
        "ライセンスの更新手順を確認したい",
        "JSC26060201B",
        "021201038765",
        "更新後のライセンスキーの適用手順を教えてください。",
        2,
        assignee="nakamura",
    ),
    Story(
        "kimura",
        "juniper-srx",
        "仕様",
        "シリアル番号が分からない機器の保守範囲について",
        "不明",
        "不明",
        "倉庫に保管している予備機のラベルがはがれています。保守の対象かどうかを確認できますか。",
        4,
    ),
    Story(
        "tsubame",
        "cyberoam",
        "設定・操作",
        "Cyberoam のログ転送が停止する",
        "JSC25100077E",
        "C21501234567",
        "syslog サーバーへの転送が 1 日に数回止まります。",
        30,
        posts=(("nakamura", "石井 様\n\n転送が止まった時刻の前後のログをお送りください。"),),
        assignee="nakamura",
        state="waiting_customer",
    ),
    Story(
        "kimura",
        "ruckus",
        "障害",
        "ファームウェア更新後にリンクフラップが発生",
        "JSC26030198A",
        "522039001187",
        "更新した翌日から、有線側のリンクが 1 時間に数回落ちます。",
        50,
        posts=(("sato", "木村 様\n\nメーカーに確認しております。回答まで少しお時間をください。"),),
        assignee="sato",
        state="waiting_vendor",
    ),
    Story(
        "aozora",
        "juniper-ex",
        "設定・操作",
        "EX2300 の VLAN 設定について",
        "JSC26010042D",
        "JW3622110458",
        "音声 VLAN を追加する手順を教えてください。",
        80,
        posts=(
            ("nakamura", "森 様\n\n手順をお送りします。\n\n1. set vlans voice vlan-id 200\n2. commit confirmed 5"),
            ("customer", "設定できました。ありがとうございました。"),
        ),
        assignee="nakamura",
        state="resolved",
    ),
    Story("minato", "ruckus", "仕様", "R550 の最大接続台数", "JSC25120110C", "不明", "1 台あたりの最大接続台数を教えてください。", 6),
    Story(
        "kimura",
        "juniper-srx",
        "交換・RMA",
        "別の拠点の SRX345 の交換",
        "JSC26010042D",
        "NW0219410032",
        "他社名義の契約番号しか分かりませんが、交換をお願いできますか。",
        7,
    ),
)

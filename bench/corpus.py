"""The bench's own inquiries: a pure function of the number, so that 10,000 are the beginning of 1,000,000."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ACCOUNTS = 500
STAFF = 10
LINES = 4
"""Contract lines an account has."""
FIRST_MOMENT = datetime(2021, 1, 4, tzinfo=UTC)
_APART = timedelta(seconds=150)
_UNRESOLVED_SHARE = 0.2

PRODUCTS = (
    ("juniper-srx", "SRX345"),
    ("juniper-ex", "EX3400-48P"),
    ("juniper-mag-sa", "MAG2600"),
    ("paloalto", "PA-3220"),
    ("ruckus", "R650"),
    ("cyberoam", "CR25iNG"),
    ("handreamnet", "SG2028"),
    ("soliton", "NetAttest-EPS"),
    ("splashtop", "Splashtop-Business"),
    ("trustwave-mirage", "CounterPoint-200"),
)
"""Slug of a family and one of its models."""
RARE = "輻輳"
"""A word in one of a thousand inquiries."""
_SITES = ("本社ビル", "梅田オフィス", "仙台支店", "広島営業所", "第三データセンター", "川崎工場", "那覇事務所", "金沢サテライト")
_SYMPTOMS = (
    "で管理画面に入れなくなりました",
    "の冗長構成が片系で止まっています",
    "のログに同じ警告が出続けています",
    "を更新した後に通信が途切れます",
    "の証明書を入れ替える手順を確認したい",
    "のファンから異音がしています",
    "の設定を戻す方法を教えてください",
    "で一部の利用者だけ認証できません",
)
_GREETINGS = (
    "いつもお世話になっております。保守契約の対象機器について、ご相談させていただきます。",
    "平素よりご支援いただきありがとうございます。標題の件で、下記のとおりご連絡申し上げます。",
    "お世話になります。先ほどお電話でお伝えした内容を、あらためて文章でお送りします。",
)
_FACTS = (
    "今朝 8 時ごろ、監視装置が応答なしを検知し、再起動の後も同じ状態が続いております。",
    "前日の夜に回線事業者の工事があり、その時刻から事象が始まったものと見ております。",
    "直近の一か月で構成の変更はなく、ファームウェアも納入時から更新しておりません。",
    "別拠点にある同じ型番の機器では、設定をそろえても事象が再現いたしませんでした。",
    "利用者からの申告は三件あり、いずれも午後の混み合う時間帯に集中しております。",
    "念のため電源ケーブルと光モジュールを予備品に交換しましたが、変化はありません。",
    "系統を切り替えることで業務への影響は避けられており、現在は様子を見ております。",
    "取得したログを確認したところ、同じ警告がおよそ五分の間隔で記録されていました。",
)
_WISHES = (
    "お手数ですが、原因の調査と今後の対処についてご教示ください。",
    "代替機の手配が必要かどうか、ご判断をいただけますと幸いです。",
    "作業の時間帯を社内で調整しますので、手順と所要時間をお知らせください。",
    "必要な情報がほかにございましたら、遠慮なくお申し付けください。",
)
_LOG = "Nov 12 08:0{0}:17 fw01 kernel: ge-0/0/{0}: link flap detected, {1} transitions in 60 seconds"


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One ticket as any schema may store it."""

    number: int
    subject: str
    product: int
    """Index in PRODUCTS."""
    account: int
    staff: int
    line: int
    """Which of the account's contract lines it is about."""
    unresolved: bool
    closed: bool
    waiting: int
    """0–9, spreads unresolved tickets over their states."""
    due_in: timedelta
    """From the moment of loading to the deadline of an unresolved ticket."""
    at: datetime
    updated_at: datetime
    messages: tuple[str, str, str]
    """Customer, staff, customer; five hours apart."""


def inquiry(number: int) -> Inquiry:
    """The inquiry `number`, from 1."""
    chance = random.Random(number * 6151 + 29)
    product, account = chance.randrange(len(PRODUCTS)), chance.randrange(ACCOUNTS)
    unresolved = chance.random() < _UNRESOLVED_SHARE
    at = FIRST_MOMENT + _APART * number + timedelta(seconds=chance.randrange(100))
    line = chance.randrange(LINES)
    model = PRODUCTS[product][1]
    return Inquiry(
        number=number,
        subject=f"{chance.choice(_SITES)} {model}{chance.choice(_SYMPTOMS)}",
        product=product,
        account=account,
        staff=chance.randrange(STAFF),
        line=line,
        unresolved=unresolved,
        closed=not unresolved and chance.random() < 0.6,
        waiting=chance.randrange(10),
        due_in=timedelta(minutes=chance.randrange(-3 * 1440, 9 * 1440)),
        at=at,
        updated_at=at + timedelta(hours=10 + chance.randrange(90)),
        messages=(_first(chance, model, serial(account, line), number), _later(chance), _later(chance)),
    )


def inquiries(count: int) -> Iterator[Inquiry]:
    """The first `count` inquiries."""
    return (inquiry(number) for number in range(1, count + 1))


def unresolved_numbers(count: int, wanted: int) -> list[int]:
    """Up to `wanted` numbers of unresolved inquiries, spread over the first `count`."""
    found = [number for number in range(1, min(count, 20_000) + 1) if inquiry(number).unresolved]
    return found[:: max(1, len(found) // wanted)][:wanted]


def contract_key(account: int) -> str:
    """The contract of an account."""
    return f"KEI26{account:05d}"


def serial(account: int, line: int) -> str:
    """The serial on one of the account's lines."""
    return f"BN{account:04d}{line:02d}X"


def company(account: int) -> str:
    """The company of an account."""
    return f"株式会社ベンチ商事第{account:03d}"


def customer_email(account: int) -> str:
    """The e-mail of an account."""
    return f"tantou@bench{account:03d}.example"


def customer_name(account: int) -> str:
    """The person of an account."""
    return f"検証 {account:03d}郎"


def staff_name(member: int) -> str:
    """A member of the staff."""
    return f"計測 {member}子"


def slip(number: int) -> str:
    """What the customer's own house calls the inquiry `number`: no other one has it."""
    return f"D26-{number * 7919 % 10_000_019:08d}"


def _first(chance: random.Random, model: str, device: str, number: int) -> str:
    rare = f"\n{RARE}は見られません。" if number % 1000 == 17 else ""
    facts = "\n".join(chance.sample(_FACTS, 4))
    log = "\n".join(_LOG.format(chance.randrange(8), chance.randrange(3, 90)) for _ in range(2)) if chance.random() < 0.3 else ""
    return f"{chance.choice(_GREETINGS)}\n\n機種: {model}\nシリアル: {device}\n弊社控: {slip(number)}\n\n{facts}{rare}\n\n{log}\n{chance.choice(_WISHES)}"


def _later(chance: random.Random) -> str:
    return f"{chance.choice(_GREETINGS)}\n\n" + "\n".join(chance.sample(_FACTS, 3)) + f"\n\n{chance.choice(_WISHES)}"

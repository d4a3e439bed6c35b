"""The workbook that waits for the service center in the demo: lines as they are, changed ones, new ones, and the slips people make."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date

from rules.contracts import CONTACT
from rules.lines import FIELDS
from wording.imports import FIELD_LABELS

NAME = "証書一覧_今月分.csv"
_AGENT = ("関西システム販売株式会社", "hosyu@kansai-hanbai.example")
_NEW = ("みなと情報システム株式会社", "wifi@minato-js.example")
_ONSITE, _SENDBACK = "平日9:00~17:00オンサイト保守", "センドバック保守"

Line = dict[str, str]


def waiting_workbook(known: Sequence[Line], *, today: date) -> bytes:
    """A csv: `known` are lines of certificates that are there already, by field; the first of them runs a year longer."""
    lines = [dict(line) for line in known]
    if lines:
        last = date.fromisoformat(lines[0]["ends_on"])
        lines[0]["ends_on"] = last.replace(year=last.year + 1, day=min(last.day, 28)).isoformat()
    issued, starts, ends = (day.isoformat().replace("-", "/") for day in (today, today.replace(day=1), today.replace(year=today.year + 1, day=1)))
    new = {"issued_on": issued, "starts_on": starts, "ends_on": ends, "family": "Juniper-EX", "contact": CONTACT, "service": _ONSITE}
    new |= {"agent_name": _AGENT[0], "agent_email": _AGENT[1], "end_user_name": _NEW[0], "end_user_email": _NEW[1], "product_number": "EX2300-24T"}
    lines += [{**new, "contract": "JSC26110251A", "serial": f"JW36221104{number}"} for number in (58, 59)]
    lines += [
        {**new, "contract": "JSC26110260A", "family": "ＲＵＣＫＵＳ", "product_number": "R650", "serial": "５２２０３９００１２０１", "service": _SENDBACK}
    ]
    lines += [
        {**new, "contract": f"JSE2610098{number}E", "serial": f"CY0118AF002{number}", "end_user_email": "infra@minato-js,example"} for number in range(1, 4)
    ]
    lines += [{**new, "contract": "JSC26110271A", "serial": "NW0219410032", "ends_on": f"{today.year + 1}/11/31"}]
    lines += [{**new, "contract": "JSC26110272A", "serial": "NW0219410033", "family": "Junipr-EX", "starts_on": starts.replace("/0", "/O", 1)}]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*(FIELD_LABELS[name] for name in FIELDS), "社内備考"])
    writer.writerows([*(line.get(name, "") for name in FIELDS), ""] for line in lines)
    return text.getvalue().encode("cp932")

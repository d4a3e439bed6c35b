"""What a search of contracts asks, read from the list's address or from the export's form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from console.paging import address
from importers.cells import parse_date
from models.contract_lists import ContractFilter, Period
from models.masters import families
from rules.calendar import tokyo_date
from web.call import Call
from wording import dates, labels
from wording.catalog import N_

PATH = "/console/contracts"
PERIODS = (Period.ACTIVE, Period.NOT_STARTED, Period.ENDED)
NAMES = ("q", "period", "family", "ends_from", "ends_to")
_QUERY_CHARACTERS = 200


@dataclass(frozen=True)
class Search:
    """A search as it was typed and as it was understood."""

    typed: dict[str, str]
    wanted: ContractFilter
    family_name: str
    families: list[tuple[str, str]]
    misread: bool
    """Whether a typed day is none."""

    @property
    def kept(self) -> dict[str, str]:
        """The conditions that hold, for links and forms."""
        return {name: text for name, text in self.typed.items() if text}

    def conditions(self, call: Call) -> list[tuple[str, str]]:
        """Each condition in words, with the address of the list without it."""
        language, wanted = call.basis.language, self.wanted
        told = {
            "q": call.say(N_("検索：{text}"), text=wanted.text) if wanted.text else "",
            "period": call.say(N_("期間：{text}"), text=labels.line_state(wanted.period, language)) if wanted.period else "",
            "family": call.say(N_("製品：{text}"), text=self.family_name) if wanted.family_id is not None else "",
            "ends_from": call.say(N_("終了日：{day} から"), day=dates.day(wanted.ends_from)) if wanted.ends_from else "",
            "ends_to": call.say(N_("終了日：{day} まで"), day=dates.day(wanted.ends_to)) if wanted.ends_to else "",
        }
        return [(text, address(PATH, {**self.kept, name: ""})) for name, text in told.items() if text]


def search_of(call: Call, read: Callable[[str], str]) -> Search:
    """The search whose fields `read` gives: `call.query` of the list, `call.form.value` of the export."""
    typed = {name: read(name).strip()[:_QUERY_CHARACTERS] for name in NAMES}
    period = next((period for period in PERIODS if period == typed["period"]), None)
    known = families(call.session)
    family = next((row for row in known if row.slug == typed["family"]), None)
    days = {name: day_of(typed[name]) for name in ("ends_from", "ends_to")}
    misread = any(typed[name] and day is None for name, day in days.items())
    wanted = ContractFilter(tokyo_date(call.now), typed["q"], period, family.id if family else None, days["ends_from"], days["ends_to"])
    typed |= {"period": period or "", "family": family.slug if family else ""}
    return Search(typed, wanted, family.name if family else "", [(row.slug, row.name) for row in known], misread)


def day_of(typed: str) -> date | None:
    """The day that was typed in any way a workbook's cell may say it, None for nothing and for no day."""
    found = parse_date(typed)
    return date.fromisoformat(found) if isinstance(found, str) and found else None

"""The short masters: categories, mail domains, company days."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from actions import masters as acts
from console.frame import frame
from console.master_products import ADDED, CHANGED, REMOVED
from models.masters import Category, CompanyDay, DomainKind, MailDomain
from rules.calendar import tokyo_date
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import get, post
from wording.catalog import N_

_CATEGORIES = "/console/masters/categories"
_DOMAINS = "/console/masters/domains"
_DAYS = "/console/masters/company-days"
_CATEGORY_PAGE, _DOMAIN_PAGE, _DAY_PAGE = (f"console/masters/{name}.html" for name in ("categories", "domains", "company_days"))


def categories(call: Call) -> Response:
    """All categories."""
    return call.page(_CATEGORY_PAGE, **_categories(call))


def add_category(call: Call) -> Response:
    """Add a category."""
    category = call.form.attempt(lambda: acts.add_category(call.session, name=call.form.value("name"), by=call.staff, now=call.now))
    if category is None:
        return call.invalid(_CATEGORY_PAGE, **_categories(call))
    return call.redirect(_CATEGORIES, flash=call.say(ADDED, name=category.name))


def change_category(call: Call) -> Response:
    """Change one category; what was refused is told in its own row."""
    category, form = call.named(Category), call.form
    call.form.attempt(
        lambda: acts.change_category(
            call.session, category, name=form.value("name"), position=form.value("position"), active=form.has("active"), by=call.staff, now=call.now
        ),
    )
    if form.failed:
        return call.invalid(_CATEGORY_PAGE, **_categories(call, category.id))
    return call.redirect(_CATEGORIES, flash=call.say(CHANGED, name=category.name))


def domains(call: Call) -> Response:
    """Shared mail domains and J's own."""
    return call.page(_DOMAIN_PAGE, **_domains(call))


def add_domain(call: Call) -> Response:
    """Add a domain to one of the two lists."""
    kind = DomainKind.OWN if call.form.value("kind") == DomainKind.OWN else DomainKind.SHARED
    domain = call.form.attempt(lambda: acts.add_domain(call.session, kind, call.form.value("domain"), by=call.staff, now=call.now))
    if domain is None:
        return call.invalid(_DOMAIN_PAGE, **_domains(call, kind))
    return call.redirect(_DOMAINS, flash=call.say(ADDED, name=domain.domain))


def remove_domain(call: Call) -> Response:
    """Take a domain off its list."""
    domain = call.named(MailDomain)
    acts.remove_domain(call.session, domain, by=call.staff, now=call.now)
    return call.redirect(_DOMAINS, flash=call.say(REMOVED, name=domain.domain))


def company_days(call: Call) -> Response:
    """The desk's own closed days."""
    return call.page(_DAY_PAGE, **_days(call))


def add_company_day(call: Call) -> Response:
    """Close the desk on a day."""
    form = call.form
    added = call.form.attempt(lambda: acts.add_company_day(call.session, day=form.value("day"), name=form.value("name"), by=call.staff, now=call.now))
    if added is None:
        return call.invalid(_DAY_PAGE, **_days(call))
    day, moved = added
    return call.redirect(_DAYS, flash=_told(call, ADDED, day.name, moved))


def remove_company_day(call: Call) -> Response:
    """Open the desk on that day again."""
    day = call.named(CompanyDay)
    name, moved = day.name, acts.remove_company_day(call.session, day, by=call.staff, now=call.now)
    return call.redirect(_DAYS, flash=_told(call, REMOVED, name, moved))


def _told(call: Call, text: str, name: str, moved: int) -> str:
    """What was done, and how many deadlines followed."""
    return call.say(text, name=name) + (call.say(N_("回答の期限が動いたチケットは {n}件です。"), n=moved) if moved else "")


def _categories(call: Call, changed: int | None = None) -> dict[str, Any]:
    """`changed` is the row whose form was refused; None: the form that adds."""
    rows = call.session.execute(select(Category.id, Category.name, Category.position, Category.active).order_by(Category.position, Category.id)).all()
    return {**frame(call), "rows": rows, "changed": changed}


def _domains(call: Call, kind: DomainKind | None = None) -> dict[str, Any]:
    """`kind` is the list whose form was refused."""
    rows = call.session.execute(select(MailDomain.id, MailDomain.domain, MailDomain.kind).order_by(MailDomain.domain)).all()
    return {
        **frame(call),
        "shared": [row for row in rows if row.kind == DomainKind.SHARED],
        "own": [row for row in rows if row.kind == DomainKind.OWN],
        "refused_kind": kind,
    }


def _days(call: Call) -> dict[str, Any]:
    today = tokyo_date(call.now)
    rows = call.session.execute(select(CompanyDay.id, CompanyDay.day, CompanyDay.name).order_by(CompanyDay.day)).all()
    year_ago = today - timedelta(days=365)
    return {**frame(call), "coming": [row for row in rows if row.day >= today], "past": [row for row in rows if year_ago <= row.day < today]}


_READ, _WRITE = staff(Area.MASTERS, Right.READ), staff(Area.MASTERS, Right.WRITE)
PAGES = [
    get(_CATEGORIES, categories, _READ),
    post(_CATEGORIES, add_category, _WRITE),
    post(f"{_CATEGORIES}/{{id:int}}", change_category, _WRITE),
    get(_DOMAINS, domains, _READ),
    post(_DOMAINS, add_domain, _WRITE),
    post(f"{_DOMAINS}/{{id:int}}/removal", remove_domain, _WRITE),
    get(_DAYS, company_days, _READ),
    post(_DAYS, add_company_day, _WRITE),
    post(f"{_DAYS}/{{id:int}}/removal", remove_company_day, _WRITE),
]

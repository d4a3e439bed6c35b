"""The masters' first page; each master has a module of its own."""

from __future__ import annotations

from sqlalchemy import func, select
from starlette.responses import Response

from console import mail_templates, master_calendars, master_lists, master_logs, master_privacy, master_products, master_reminders, master_services
from console.frame import frame
from models.calendars import ServiceCalendar
from models.log_patterns import LogPattern
from models.mail_templates import MailTemplate
from models.masters import Category, CompanyDay, FamilyMailbox, MailDomain, PrivacyText, ProductFamily
from models.reminders import active_kinds
from models.service_types import ServiceType
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import get

_PATH = "/console/masters"


def index(call: Call) -> Response:
    """What there is, and how much of it."""
    counted = {
        "products": select(func.count()).select_from(ProductFamily).where(ProductFamily.active),
        "mailboxes": select(func.count()).select_from(FamilyMailbox),
        "categories": select(func.count()).select_from(Category).where(Category.active),
        "domains": select(func.count()).select_from(MailDomain),
        "calendars": select(func.count()).select_from(ServiceCalendar).where(ServiceCalendar.active),
        "company_days": select(func.count()).select_from(CompanyDay),
        "mail_texts": select(func.count()).where(MailTemplate.body != "", MailTemplate.id.in_(select(func.max(MailTemplate.id)).group_by(MailTemplate.notice))),
        "log_patterns": select(func.count()).select_from(LogPattern),
        "services": select(func.count()).select_from(ServiceType),
        "privacy_version": select(func.max(PrivacyText.id)),
    }
    sizes = call.session.execute(select(*(statement.scalar_subquery().label(name) for name, statement in counted.items()))).one()
    return call.page("console/masters/index.html", **frame(call), sizes=sizes, reminders_on=len(active_kinds(call.session)))


PAGES = [
    get(_PATH, index, staff(Area.MASTERS, Right.READ)),
    *master_products.PAGES,
    *master_lists.PAGES,
    *master_calendars.PAGES,
    *master_logs.PAGES,
    *master_services.PAGES,
    *master_privacy.PAGES,
    *mail_templates.PAGES,
    *master_reminders.PAGES,
]

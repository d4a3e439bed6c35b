"""ご利用の手引: how the desk is used, and the frequent questions."""

from __future__ import annotations

from sqlalchemy import select
from starlette.responses import Response

from models.masters import FamilyMailbox, ProductFamily
from web.access import VISITOR
from web.call import Call
from web.endpoint import Page, get


def index(call: Call) -> Response:
    mailboxes = select(FamilyMailbox.address, ProductFamily.name).join(ProductFamily, ProductFamily.id == FamilyMailbox.family_id)
    rows = call.session.execute(mailboxes.order_by(ProductFamily.position, ProductFamily.id)).all()
    return call.page("portal/help/index.html", mailboxes=rows)


PAGES: list[Page] = [get("/help", index, VISITOR)]

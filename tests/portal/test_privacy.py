"""個人情報の取り扱いについて: one versioned text, readable before anybody registers."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.database import transaction
from models.masters import PrivacyText
from tests import people
from tests.clock import Clock
from tests.portal.visit import visit


@pytest.mark.parametrize("path", ["/", "/privacy", "/register"])
def test_the_newest_version_is_shown_wherever_consent_is_asked_for(engine: Engine, clock: Clock, tmp_path: Path, path: str) -> None:
    portal = visit(engine, clock, tmp_path)
    assert portal.client.get(path).says("第三者への提供")
    with transaction(engine) as session:
        session.add(PrivacyText(body="第 2 版です。<b>太字ではありません</b>", published_at=people.NOW))

    page = portal.client.get(path)

    assert page.says("第 2 版です。<b>太字ではありません</b>")
    assert not page.says("第三者への提供")

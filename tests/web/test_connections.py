"""Connections to the database that went away while nobody used them."""

from __future__ import annotations

import time

from sqlalchemy import Engine, text

from models.database import is_embedded, make_engine, transaction


def test_a_connection_that_the_server_ended_while_it_lay_costs_no_request(engine: Engine) -> None:
    desk = make_engine(engine.url.render_as_string(hide_password=False))
    with transaction(desk) as session:
        session.execute(text("SELECT 1"))
        mine = None if is_embedded(desk) else session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    if mine is not None:
        with transaction(engine) as session:
            assert session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine}).scalar_one()
    time.sleep(1.1)
    with transaction(desk, readonly=True) as session:
        assert session.execute(text("SELECT 1")).scalar_one() == 1
    desk.dispose()

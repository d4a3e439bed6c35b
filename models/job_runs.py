"""The runs of the jobs, and which processes are alive to do them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, mapped_column


class JobRun(Base):
    """One run of a job for one slot; the unique row decides who does it."""

    __tablename__ = "job_run"
    __table_args__ = (UniqueConstraint("job", "slot"), Index("ix_job_run_started", "job", "started_at"))
    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(String(40))
    slot: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    """``running``, ``done`` or ``failed``."""
    worker: Mapped[str] = mapped_column(String(120))
    started_at: Mapped[datetime]
    lease_until: Mapped[datetime]
    fence: Mapped[int] = mapped_column(default=1)
    finished_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]]
    fault: Mapped[str] = mapped_column(String(500), default="")


class Heartbeat(Base):
    """That a process of a kind (``jobs``) was alive at `at`."""

    __tablename__ = "heartbeat"
    id: Mapped[int] = mapped_column(primary_key=True)
    worker: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(20), index=True)
    at: Mapped[datetime]

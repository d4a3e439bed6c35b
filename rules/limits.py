"""The numbers of the desk (DOMAIN, "Numbers"): one value of each, filled from the settings."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Every limit a rule or an action asks for; `settings` overrides them by JTICKETS_LIMITS_<NAME>."""

    confirmation_link_hours: int = 24
    reset_link_hours: int = 1
    customer_idle_hours: int = 12
    customer_session_days: int = 7
    staff_idle_hours: int = 8
    staff_session_hours: int = 24
    sign_in_failures: int = 10
    """Per user ID and per client, in `sign_in_window_minutes`."""
    sign_in_failures_all: int = 1000
    sign_in_window_minutes: int = 5
    registrations_per_hour: int = 10
    """Per client."""
    contract_failures_per_day: int = 20
    """Failed registrations naming one contract key; then staff are told."""
    confirmation_mails: int = 3
    """To one address, in `confirmation_mail_hours`."""
    confirmation_mail_hours: int = 6
    attachment_bytes: int = 100 * MIB
    post_bytes: int = 500 * MIB
    body_characters: int = 200_000
    cc_addresses: int = 10
    outside_cc_mails_per_day: int = 100
    workbook_bytes: int = 50 * MIB
    workbook_rows: int = 200_000
    undo_send_seconds: int = 10
    undo_import_days: int = 30
    email_change_days: int = 2
    """Business days in which a maintenance e-mail is changed; the day of receipt never counts."""
    mail_retry_hours: int = 72
    mail_backoff_minutes: int = 10
    mail_body_characters: int = 20_000
    mails_per_minute: int = 0
    """Letters that all workers together hand to the mail server in a minute; 0: as many as it takes."""
    late_mails_per_minute: int = 6_000
    """Letters that piled up (the mail server was away) and that one worker hands over in a minute, so that people notice nothing; 0: no limit."""
    page_rows: int = 50
    export_rows: int = 100_000
    """Tickets that one file takes."""
    bulk_tickets: int = 200
    """Tickets that are changed at a time: their letters and history are one transaction, for which other writers wait."""
    undo_bulk_minutes: int = 10
    saved_views: int = 30
    """Of one person; and as many that all share."""
    account_tickets_per_day: int = 10_000
    """Tickets of one account in a day (Tokyo's)."""
    account_bytes: int = 10 * 1024 * MIB
    """Attachments of one account together; 0: no limit."""
    storage_bytes: int = 0
    """Attachments of all together: staff are told when it fills; 0: nobody watches it."""
    free_disk_bytes: int = 50 * MIB
    """Below so much free space where this process writes files, readiness says no."""
    quota_percent: int = 80
    """Of a limit, from which on staff are told."""
    silent_reminder_days: int = 5
    """Business days of a customer's silence; so are the next three."""
    silent_notice_days: int = 10
    silent_close_days: int = 15
    resolved_close_days: int = 10
    contract_end_first_days: int = 90
    contract_end_second_days: int = 30
    contract_end_last_days: int = 7
    link_reminder_hours: int = 6
    """Before a confirmation link ends."""
    exception_waiting_hours: int = 8
    """Business hours that a request for an exception may wait for the desk before it is told."""
    silent_worker_seconds: int = 30
    """A worker of `jtickets serve --workers` whose event loop stands still for so long is ended and replaced; 0: never."""
    calendar_months: int = 6
    """Before the calendar's known days end."""
    job_lease_seconds: int = 300
    """How long a run holds without its process's heartbeat; longer than any apply."""
    kept_draft_days: int = 90
    kept_workbook_days: int = 7
    """Workbooks that were handed back; they can be written again."""
    kept_bulk_days: int = 90
    """Results of bulk changes; the journal keeps what was done."""
    kept_sign_in_days: int = 400
    kept_refusal_days: int = 400
    """Longer than the year in which somebody may ask by their 受付番号."""
    kept_reminder_days: int = 800
    """Longer than anything is owed: what is forgotten would be reminded of again."""

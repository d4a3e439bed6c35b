"""The figures as tables, with the goal beside each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.beside_import import Disturbed
from bench.claims import Claimed
from bench.drain import Drained
from bench.growth import SMALL, Grown, ratio
from bench.imports import Imported
from bench.letters import Sent
from bench.measure import Beside, Weighed
from bench.strangers import Told
from bench.weight import Weights

NOW, LATER = 2.0, 1.5
"""CPU of queue, ticket and reply as a multiple of the reference's: what must hold now, what is aimed at."""
_COMMON, _RARE = 0.5, 2.0
"""Searches: a frequent word's pages a second beside the reference's, a rare word's p50 beside the queue's."""
STATEMENTS = {"queue": 4, "ticket": 6, "reply": 10}
_GROWTH, _GROWTH_SEARCH = 1.1, 1.5
"""How many times as long a page may take among very many tickets as among 10,000."""
_MEMORY, _START = 1.2, 1.3
_PLANNED, _APPLIED, _READING_MB = 0.30, 0.20, 150.0
_DISTURBED = {"sqlite": 2.0, "postgresql": 1.3}
"""How many times as long the queue's p99 may be while an import is applied."""
_LETTERS, _SPREAD = 0.8, 2.5
"""Of a bare loop with one worker, and that many times as much with four."""
_DRAIN_SECONDS = 1800.0
_ALIKE = 0.1
"""How far the times for something known and something unknown may lie apart."""
_QUEUE_KIB, _FIRST_LOAD_KIB = 25.0, 40.0

GROWTH_HEAD = f"{'database':<11}{'tickets':>9}  {'page':<32}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'times':>8}"
HEAD = (
    f"{'database':<11}{'page':<9}{'clients':>7}{'pages/s':>9}{'ref':>7}{'CPU ms':>9}{'ref':>7}{'ratio':>7}{'p50 ms':>9}{'ref':>9}{'p99 ms':>9}{'ref':>9}  goal"
)


def page_line(one: Beside, queue: Beside | None = None) -> str:
    """A page's line of the table under HEAD; `queue` is the queue's of the same run, with as many clients."""
    desk, reference = one.desk, one.reference
    return (
        f"{one.database:<11}{one.page:<9}{one.clients:>7}{desk.per_second:>9.0f}{reference.per_second:>7.0f}{desk.cpu_ms:>9.2f}{reference.cpu_ms:>7.2f}"
        f"{one.cpu_ratio:>7.2f}{desk.p50:>9.2f}{reference.p50:>9.2f}{desk.p99:>9.2f}{reference.p99:>9.2f}  {_page_goal(one, queue)}"
    )


def growth_line(one: Grown, small: Mapping[str, Grown]) -> str:
    """A page's line of the table under GROWTH_HEAD; the goal is for queue and ticket pages, and for searches."""
    times = ratio(one, small)
    goal = _GROWTH if one.page in ("queue", "ticket") else _GROWTH_SEARCH if one.page.startswith("search") else None
    word = "" if goal is None or one.tickets == SMALL else f"(≤ {goal}: {'OK' if times <= goal else 'over'})"
    return f"{one.database:<11}{one.tickets:>9,}  {one.page:<32}{one.p50:>9.2f}{one.p99:>9.2f}{one.cpu:>9.2f}{times:>8.2f}  {word}"


def weighed_lines(one: Weighed) -> list[str]:
    """Memory and start of one database."""
    sizes = [
        f"{one.database:<11}memory, {workers} at work   {desk:.1f} MB each, reference {reference:.1f} MB: {_held(desk / reference, _MEMORY)}"
        for workers, (desk, reference) in one.memory.items()
    ]
    desk, reference = one.start
    return [*sizes, f"{one.database:<11}start to first 200 {desk:.2f} s, reference {reference:.2f} s: {_held(desk / reference, _START)}"]


def weight_lines(one: Weights) -> list[str]:
    """Statements and sizes."""
    counts = [f"{page} {count} {_word(count, STATEMENTS[page])}" if page in STATEMENTS else f"{page} {count}" for page, count in one.statements.items()]
    return [
        f"{one.database:<11}SQL statements     {', '.join(counts)}",
        f"{one.database:<11}HTML without frame queue {one.queue_kib:.1f} KiB {_word(one.queue_kib, _QUEUE_KIB)}, ticket {one.ticket_kib:.1f} KiB",
        f"{one.database:<11}first load, gzip   {one.first_load_kib:.1f} KiB {_word(one.first_load_kib, _FIRST_LOAD_KIB)}",
    ]


def import_lines(one: Imported) -> list[str]:
    """The import's parts and sums, each as rows a second and beside calamine's bare reading."""
    parts = {"read": one.read, "compare": one.compared, "keep the plan": one.kept, "apply": one.applied}
    bare = {"calamine iter_rows": one.calamine, "openpyxl read-only": one.openpyxl, "bare bulk write": one.bare_write}
    whole = one.planned + one.applied
    planned, applied = one.calamine / one.planned, one.calamine / whole
    return [
        *(f"{one.database:<11}{name:<19}{seconds:>7.2f} s {one.rows / seconds:>9,.0f} rows/s" for name, seconds in (bare | parts).items()),
        f"{one.database:<11}{'planned':<19}{one.planned:>7.2f} s {one.rows / one.planned:>9,.0f} rows/s, {planned:.2f} of calamine {_floor(planned, _PLANNED)}",
        f"{one.database:<11}{'and applied':<19}{whole:>7.2f} s {one.rows / whole:>9,.0f} rows/s, {applied:.2f} of calamine {_floor(applied, _APPLIED)}",
        f"{one.database:<11}peak of the reading process {one.reading_mb:.0f} MB above idle {_word(one.reading_mb, _READING_MB)}",
        f"{one.database:<11}peak of the planning process {one.planning_mb:.0f} MB above idle; the web process takes no part",
    ]


def disturbed_lines(one: Disturbed) -> list[str]:
    """The queue in peace and while an import is applied."""
    ratio = one.busy[1] / one.quiet[1]
    return [
        f"{one.database:<11}in peace           p50 {one.quiet[0]:>7.2f} ms, p99 {one.quiet[1]:>7.2f} ms",
        f"{one.database:<11}beside an import   p50 {one.busy[0]:>7.2f} ms, p99 {one.busy[1]:>7.2f} ms of {one.answers} answers",
        f"{one.database:<11}{one.rows:,} rows applied in {one.seconds:.1f} s; p99 {_held(ratio, _DISTURBED[one.database])}",
    ]


def letter_lines(one: Sent) -> list[str]:
    """Letters a second, beside the bare loop's and beside one worker's."""
    single = one.ours[1]
    lines = [
        f"{one.database:<11}{'bare smtplib loop':<19}{one.bare:>7,.0f} letters/s; {one.composing:,.0f} when it makes its messages too",
        f"{one.database:<11}{'1 worker':<19}{single:>7,.0f} letters/s, {single / one.bare:.2f} of the bare loop {_floor(single / one.bare, _LETTERS)}",
        f"{one.database:<11}{'… no PIPELINING':<19}{one.plain:>7,.0f} letters/s, {one.plain / one.bare:.2f} of the bare loop",
        f"{one.database:<11}{'CPU of a letter':<19}{', '.join(f'{cpu:.2f} ms with {count}' for count, cpu in one.cpu_ms.items())}",
    ]
    for workers, found in one.ours.items():
        if workers > 1:
            ratio = found / one.bare
            lines.append(
                f"{one.database:<11}{f'{workers} workers':<19}{found:>7,.0f} letters/s, {ratio:.2f} of the bare loop {_floor(ratio, _LETTERS * _SPREAD)}"
            )
    return lines


def drain_lines(one: Drained) -> list[str]:
    """How long the letters took, and what readers noticed."""
    ratio = one.draining / one.quiet
    return [
        f"{one.database:<11}{one.letters:,} letters left in {one.seconds:.1f} s {_word(one.seconds, _DRAIN_SECONDS)}",
        f"{one.database:<11}queue, 2 clients   p95 {one.draining:.1f} ms meanwhile, {one.quiet:.1f} ms without, ratio {ratio:.2f} {_near(ratio)}",
    ]


def stranger_lines(told: Sequence[Told]) -> list[str]:
    """What a stranger could read off the clock: medians of a known and an unknown value, and their ratio."""
    return [
        f"{one.database:<11}{one.question:<19}known {one.known:>7.2f} ms, unknown {one.unknown:>7.2f} ms, ratio {one.ratio:.2f} {_near(one.ratio)}"
        for one in told
    ]


def claim_lines(one: Claimed) -> list[str]:
    """Jobs claimed a second."""
    return [f"{one.database:<11}{f'{processes} processes':<19}{found:>7,.0f} jobs claimed and ended/s" for processes, found in one.ours.items()]


def table(title: str, lines: Sequence[str]) -> str:
    """A heading and its lines."""
    return "\n".join([f"\n{title}", *lines])


def _page_goal(one: Beside, queue: Beside | None) -> str:
    if one.page == "sign-in":
        return ""
    if one.page == "common":
        share = one.desk.per_second / one.reference.per_second
        return f"pages/s {share:.2f} of the reference's, goal ≥ {_COMMON}: {'OK' if share >= _COMMON else 'over'}"
    if one.page == "rare":
        return f"p50 beside the queue's {_held(one.desk.p50 / queue.desk.p50, _RARE)}" if queue else ""
    word = "OK" if one.cpu_ratio <= LATER else f"OK ({LATER} is aimed at)" if one.cpu_ratio <= NOW else "over"
    return f"CPU ≤ {NOW}: {word}"


def _held(ratio: float, goal: float) -> str:
    return f"ratio {ratio:.2f}, goal ≤ {goal}: {'OK' if ratio <= goal else 'over'}"


def _word(value: float, goal: float) -> str:
    return f"(≤ {goal:g}: {'OK' if value <= goal else 'over'})"


def _floor(value: float, goal: float) -> str:
    return f"(≥ {goal:.2f}: {'OK' if value >= goal else 'under'})"


def _near(ratio: float) -> str:
    return f"(1 ± {_ALIKE:g}: {'OK' if abs(ratio - 1) <= _ALIKE else 'over'})"

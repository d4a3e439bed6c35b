"""`python -m bench`: measure the desk beside the bare reference and print what was seen. `--help` tells how to ask for less."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace

from bench.beside_import import measure_disturbed
from bench.claims import measure_claims
from bench.corpus import unresolved_numbers
from bench.databases import KINDS, Databases, loaded
from bench.drain import measure_drain
from bench.growth import SMALL, Grown, measure_growth
from bench.imports import measure_import
from bench.letters import measure_letters
from bench.measure import Beside, Plan, measure_pages, weigh
from bench.pages import PAGES
from bench.report import (
    GROWTH_HEAD,
    HEAD,
    claim_lines,
    disturbed_lines,
    drain_lines,
    growth_line,
    import_lines,
    letter_lines,
    page_line,
    stranger_lines,
    table,
    weighed_lines,
    weight_lines,
)
from bench.strangers import ask_as_stranger
from bench.weight import weigh_pages

_PARTS = (*PAGES, "weight", "memory", "import", "beside-import", "letters", "drain", "strangers", "jobs", "growth")


def main() -> None:
    """Measure what the command line asks for."""
    asked = _read_arguments()
    plan = Plan(asked.tickets, asked.seconds, asked.rounds, asked.workers, [page for page in PAGES if page in asked.only])
    print(f"{asked.tickets:,} tickets, {asked.workers} workers each, {asked.rounds} rounds of {asked.seconds} s, medians;", end=" ")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for kind in asked.databases:
        if "growth" in asked.only:
            _tell_growth(kind, plan, asked.named)
        if asked.only == ["growth"]:
            continue
        with loaded(kind, asked.tickets) as databases:
            if "weight" in asked.only:
                print(table("Weight", weight_lines(weigh_pages(databases, unresolved_numbers(asked.tickets, 1)[0]))), flush=True)
            if "memory" in asked.only:
                print(table("Processes", weighed_lines(weigh(databases, plan))), flush=True)
            if plan.pages:
                _tell_pages(databases, plan)
            if "import" in asked.only:
                print(table("Import", import_lines(measure_import(databases, asked.lines))), flush=True)
            if "beside-import" in asked.only:
                print(table("The queue while an import is applied", disturbed_lines(measure_disturbed(databases, asked.tickets, asked.lines))), flush=True)
            if "letters" in asked.only:
                print(table("Letters", letter_lines(measure_letters(databases, asked.letters, plan.rounds))), flush=True)
            if "drain" in asked.only:
                print(table("Letters of a day", drain_lines(measure_drain(databases, plan, asked.drained))), flush=True)
            if "strangers" in asked.only:
                print(table("Strangers", stranger_lines(list(ask_as_stranger(databases)))), flush=True)
            if "jobs" in asked.only:
                print(table("Jobs", claim_lines(measure_claims(databases, asked.runs))), flush=True)


def _tell_pages(databases: Databases, plan: Plan) -> None:
    print(table("Pages", [HEAD]), flush=True)
    queues: dict[int, Beside] = {}
    for one in measure_pages(databases, plan):
        if one.page == "queue":
            queues[one.clients] = one
        print(page_line(one, queues.get(one.clients)), flush=True)


def _tell_growth(kind: str, plan: Plan, named: Sequence[str]) -> None:
    print(table("Growth", [GROWTH_HEAD]), flush=True)
    small: dict[str, Grown] = {}
    for tickets in sorted({SMALL, plan.tickets}):
        with loaded(kind, tickets) as databases:
            for one in measure_growth(databases, replace(plan, tickets=tickets), named):
                if tickets == SMALL:
                    small[one.page] = one
                print(growth_line(one, small), flush=True)


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="The desk's speed beside a bare reference, in the same run.")
    parser.add_argument("--tickets", type=int, default=10_000, help="size of the corpus: 10000, 100000, 1000000")
    parser.add_argument("--lines", type=int, default=100_000, help="lines of the imported workbook")
    parser.add_argument("--letters", type=int, default=3_000, help="letters of a round")
    parser.add_argument("--drained", type=int, default=10_000, help="letters that waited for the mail server")
    parser.add_argument("--runs", type=int, default=1_000, help="runs of jobs that all are due")
    parser.add_argument("--databases", type=_several(KINDS), default=list(KINDS), help="sqlite,postgresql")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds per page; the median counts")
    parser.add_argument("--workers", type=int, default=2, help="processes of each application")
    parser.add_argument("--named", type=lambda text: text.split(","), default=[], help="of the growth, pages whose name begins so")
    parser.add_argument("--only", type=_several(_PARTS), default=list(_PARTS), help=",".join(_PARTS))
    return parser.parse_args()


def _several(known: Sequence[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        chosen = text.split(",")
        unknown = [one for one in chosen if one not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(known)}")
        return chosen

    return parse


if __name__ == "__main__":
    main()

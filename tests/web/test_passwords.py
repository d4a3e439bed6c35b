"""Passwords: nobody's costs what somebody's costs, so that the time of an answer tells nothing about an account."""

from __future__ import annotations

import statistics
import time

import pytest
from argon2 import extract_parameters

from web.passwords import Passwords, nobodys_hash


def seconds_of(passwords: Passwords, kept: str | None) -> float:
    """How long checking a wrong password takes, the median of nine."""
    taken: list[float] = []
    for _ in range(9):
        began = time.thread_time()
        assert not passwords.matches(kept, "wrong")
        taken.append(time.thread_time() - began)
    return statistics.median(taken)


@pytest.mark.parametrize(("memory_kib", "time_cost"), [(8, 1), (64, 2), (65536, 3)])
def test_nobodys_hash_has_the_costs_and_the_form_of_a_real_one(memory_kib: int, time_cost: int) -> None:
    real = Passwords(memory_kib=memory_kib, time_cost=time_cost, at_once=1).hash("a password")
    made_up = nobodys_hash(memory_kib=memory_kib, time_cost=time_cost)

    assert extract_parameters(made_up) == extract_parameters(real)
    assert [len(part) for part in made_up.split("$")] == [len(part) for part in real.split("$")]


def test_a_check_against_nobody_takes_the_work_of_a_real_one() -> None:
    passwords = Passwords(memory_kib=8192, time_cost=3, at_once=1)
    real = passwords.hash("a password")

    assert 0.5 < seconds_of(passwords, None) / seconds_of(passwords, real) < 2


@pytest.mark.parametrize("typed", ["", "no account has this password", "no account has this password ...", "nobody's account"])
def test_no_password_is_nobodys(typed: str) -> None:
    assert not Passwords(memory_kib=8, time_cost=1, at_once=1).matches(None, typed)


def test_a_password_matches_its_own_hash_only() -> None:
    passwords = Passwords(memory_kib=8, time_cost=1, at_once=1)
    kept = passwords.hash("ひみつの言葉")

    assert passwords.matches(kept, "ひみつの言葉")
    assert not passwords.matches(kept, "ひみつの言葉 ")
    assert not passwords.matches("no hash at all", "ひみつの言葉")

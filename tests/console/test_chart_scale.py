"""The lines of a chart's scale stand where their numbers are true."""

from __future__ import annotations

import pytest

from console.charts import bar_chart


@pytest.mark.parametrize("most", [1, 3, 7, 9, 10, 11, 23, 46, 95, 101, 450, 1_024])
def test_a_scale_of_counted_things_has_whole_numbers_only(most: int) -> None:
    chart = bar_chart("opened", "受付", "", [("11月", [most])], ["受付"], told=str, scale=lambda number: f"{number:g}", least=1)
    numbers = [float(line.text) for line in chart.grid]
    assert all(number.is_integer() for number in numbers)
    assert numbers[-1] >= most


def test_a_scale_of_hours_may_stand_at_half_numbers() -> None:
    chart = bar_chart("first", "時間", "", [("11月", [10.0])], ["平均"], told=str, scale=lambda number: f"{number:g}")
    assert [line.text for line in chart.grid] == ["0", "2.5", "5", "7.5", "10"]


@pytest.mark.parametrize("stacked", [False, True])
def test_what_was_not_measured_is_no_nought(stacked: bool) -> None:
    groups = [("10月", [None, None]), ("11月", [0, None])]
    chart = bar_chart("waiting", "待ち", "", groups, ["お客様", "メーカー"], told=str, scale=str, stacked=stacked)
    assert [note.text for note in chart.values] == (["–", "0"] if stacked else ["–", "–", "0", "–"])

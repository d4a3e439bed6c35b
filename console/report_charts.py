"""What the reports draw: a line of figures, and the charts of all lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from console.charts import Chart, bar_chart
from wording import dates
from wording.catalog import N_, translate


@dataclass(frozen=True)
class Group:
    """A line of the report; times in business seconds, None where nothing was measured yet."""

    name: str
    opened: int
    resolved: int
    unknown: int
    answered: int
    in_time: int
    first_answer: float | None
    first_median: float | None
    resolution: float | None
    resolution_median: float | None
    waits: tuple[float | None, float | None, float | None]
    """For the customer, the vendor, the center."""

    @property
    def unknown_share(self) -> float:
        """Percent of the tickets whose contract or serial is 不明."""
        return self.unknown * 100 / self.opened if self.opened else 0.0

    @property
    def in_time_share(self) -> float | None:
        """Percent of the first answers that met their target, None without any."""
        return self.in_time * 100 / self.answered if self.answered else None


def charts_of(groups: Sequence[Group], backlog: Sequence[tuple[str, int]], language: str) -> list[Chart]:
    """The six charts; `backlog` is told by month whatever the groups are."""
    return [
        _chart("opened", _counts(), language, [(one.name, (one.opened, one.resolved)) for one in groups]),
        _chart("first", _times(language), language, [(one.name, in_hours(one.first_answer, one.first_median)) for one in groups]),
        _chart("resolution", _times(language), language, [(one.name, in_hours(one.resolution, one.resolution_median)) for one in groups]),
        _chart("waiting", _times(language), language, [(one.name, in_hours(*one.waits)) for one in groups]),
        _chart("unknown", _shares(), language, [(one.name, (one.unknown_share,)) for one in groups]),
        _chart("backlog", _counts(), language, [(name, (number,)) for name, number in backlog]),
    ]


def in_hours(*seconds: float | None) -> list[float | None]:
    """Times as the charts take them: their lines stand at whole hours."""
    return [None if one is None else one / 3600 for one in seconds]


_MEANS = (N_("平均"), N_("中央値"))
_WORDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "opened": (N_("受付と解決"), N_("期間に受け付けたチケットの件数と、そのうち解決した件数です。"), (N_("受付"), N_("解決"))),
    "first": (N_("最初の回答までの時間"), N_("受付から最初の回答まで、受付時間で数えた時間です。"), _MEANS),
    "resolution": (N_("解決までの時間"), N_("受付から解決まで、受付時間で数えた時間です。"), _MEANS),
    "waiting": (
        N_("待ちの時間"),
        N_("1 件あたりの、お客様・メーカー・契約確認を待った時間の平均です。続いている待ちは含みません。"),
        (N_("お客様"), N_("メーカー"), N_("契約確認")),
    ),
    "unknown": (N_("不明の割合"), N_("保守契約番号かシリアル番号が「不明」のチケットの割合です。"), (N_("不明"),)),
    "backlog": (
        N_("月末の未解決の件数"),
        N_("各月の終わり（最後の月は期間の終わり）に解決していなかったチケットの件数です。受け付けた時期を問いません。"),
        (N_("未解決"),),
    ),
}
"""Each chart's title, what it shows, and its series."""


@dataclass(frozen=True)
class _Measure:
    """How values and the scale's numbers are worded, and how near its lines may stand."""

    told: Callable[[float], str]
    scale: Callable[[float], str]
    least: float = 0


def _chart(name: str, measure: _Measure, language: str, groups: Sequence[tuple[str, Sequence[float | None]]]) -> Chart:
    title, about, series = _WORDS[name]
    words = [translate(text, language) for text in series]
    drawn = partial(bar_chart, told=measure.told, scale=measure.scale, least=measure.least, stacked=name == "waiting")
    return drawn(name, translate(title, language), translate(about, language), groups, words)


def _counts() -> _Measure:
    return _Measure(lambda number: dates.number(round(number)), lambda number: dates.number(round(number)), least=1)


def _times(language: str) -> _Measure:
    def told(number: float) -> str:
        return dates.span(number * 3600, language) if number else "0"

    return _Measure(told, told)


def _shares() -> _Measure:
    return _Measure(lambda number: f"{number:.1f}%", lambda number: f"{number:g}%")

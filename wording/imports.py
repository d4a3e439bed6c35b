"""The import's sentences: errors and warnings of a row, notes on a sheet, refusals of a file (WORDING, "Import")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from wording.catalog import N_, translate

FIELD_LABELS: Mapping[str, str] = {
    "issued_on": N_("証書発行日"),
    "contract": N_("契約番号"),
    "family": N_("種別"),
    "product_number": N_("製品番号"),
    "serial": N_("シリアル"),
    "starts_on": N_("開始日"),
    "ends_on": N_("終了日"),
    "service": N_("サービス種類"),
    "contact": N_("問合せ先"),
    "agent_name": N_("販売代理店"),
    "agent_email": N_("販売代理店メール"),
    "operator_name": N_("運用代行者"),
    "operator_email": N_("運用代行者メール"),
    "end_user_name": N_("エンドユーザー(設置先)"),
    "end_user_email": N_("エンドユーザーメール"),
}

ROW_ERRORS: Mapping[str, str] = {
    "missing": N_("{column}が空です。証書の値を入力してください。"),
    "column_missing": N_("列「{column}」が見つかりません。列の対応で選んでください。"),
    "no_party_email": N_(
        "販売代理店・運用代行者・エンドユーザーのメールアドレスがどれも空です。1 つ以上入力してください（空のままでは、どなたも登録できません）。"
    ),
    "not_an_email": N_("{column}「{v}」はメールアドレスの形ではありません。証書の表記をお確かめください。"),
    "more_than_one_address": N_("{column}に、メールアドレスが {n} 件入っています。1 件だけにしてください。"),
    "contract_characters": N_("契約番号「{v}」に使えない文字「{c}」が入っています。半角の英数字と「-」「_」「.」「/」に直してください。"),
    "no_such_date": N_("{column}「{v}」は存在しない日付です。正しい日付に直してください。"),
    "not_a_date": N_("{column}「{v}」を日付として読めません。例：2026/04/01"),
    "outside_era": N_("{column}「{v}」は、その元号にない日付です。元号か日付を直してください。"),
    "ends_before_start": N_("終了日が開始日より前です（{start} > {end}）。どちらかを直してください。"),
    "unknown_family": N_("種別「{v}」は登録されていません。一覧から選んでください。"),
    "formula_error": N_("{column}の数式がエラー（{v}）になっています。値を入力してください。"),
    "formula_without_value": N_("{column}の数式に計算結果が保存されていません。Excel で開いて保存し直すか、値を入力してください。"),
    "same_line": N_("{first}行目と同じ明細です（契約・製品番号・シリアル・サービス種類）。どちらかを除いてください。"),
    "not_consistent": N_("契約「{k}」の{column}が、{first}行目（{a}）と {row}行目（{b}）で異なります。証書の値にそろえてください。"),
    "invisible": N_("{column}に目に見えない文字が入っています。入力し直してください。"),
    "too_long": N_("{column}が長すぎます（{n} 文字）。{max} 文字以内にしてください。"),
    "date_for_code": N_("{column}が日付（{v}）として保存されています。証書の値を文字列で入力し直してください。"),
    "nothing_above": N_("{column}「{v}」の上に、繰り返す値がありません。証書の値を入力してください。"),
}

ROW_WARNINGS: Mapping[str, str] = {
    "date_from_number": N_("{column}「{v}」を Excel の日付（{date}）として読みました。"),
    "number_for_code": N_("{column}は数値で保存されています。「{v}」として読みました。先頭の 0 が消えていないかお確かめください。"),
    "old_mailbox": N_("開始日が 2014 年 8 月以降ですが、問合せ先が以前のメールアドレス（{v}）です。この明細は窓口の対象になりません。"),
    "serial_elsewhere": N_("同じシリアルが別の有効な契約 {k} にもあります。"),
}

MAPPING_CHOICES: Mapping[str, str] = {
    "period": N_("契約期間（開始日～終了日）"),
    "contract_name": N_("契約名（契約番号とは別の列）"),
}
"""What a column may hold beside the fifteen fields."""

FINDINGS: Mapping[str, tuple[str, str]] = {
    "hidden_sheet": (N_("非表示のシート"), N_("読み込み、行に「非表示の行です。」と示しました。不要なときは、列の対応で外せます。")),
    "hidden_rows": (N_("非表示の行"), N_("読み込み、「非表示の行です。」と示しました。")),
    "hidden_columns": (N_("非表示の列"), N_("ほかの列と同じように読み込みました。")),
    "filter": (N_("フィルター"), N_("隠れている行も読み込みました。")),
    "merged": (N_("結合したセル"), N_("結合した範囲のすべてのセルに、同じ値があるものとして読みました。")),
    "formula_error": (N_("エラーになっている数式（#REF! など）"), N_("項目の列にあれば、その行をエラーにしました。値を入力してください。")),
    "formula_without_value": (
        N_("計算結果のない数式"),
        N_("項目の列にあれば、その行をエラーにしました。Excel で開いて保存し直すか、値を入力してください。"),
    ),
    "number_for_code": (N_("数値で保存された番号"), N_("桁のまま読み、警告にしました。先頭の 0 が消えていないかお確かめください。")),
    "padded": (N_("0 を補う表示形式の数値"), N_("画面に表示されるとおりの桁で読みました。")),
    "date_from_number": (N_("数値になっている日付"), N_("Excel の日付として読み、警告にしました。")),
    "text_date": (N_("文字列の日付"), N_("日付として読みました。")),
    "wareki": (N_("和暦の日付"), N_("西暦に直して読みました。")),
    "full_width": (N_("全角の英数字"), N_("半角に直して読みました。")),
    "blanks": (N_("前後の空白"), N_("空白を除いて読みました。")),
    "ditto": (N_("「〃」「同上」"), N_("上の行の値を繰り返しました。")),
    "same_line": (N_("同じ明細の繰り返し"), N_("2 回目からの行をエラーにしました。どちらかを除いてください。")),
    "notes": (N_("合計・注記などの行"), N_("明細ではないため、読み込んでいません。")),
}
"""What a workbook hides or spells oddly (`importers.doctor`), and what was done about it."""

REPAIRS: Mapping[str, str] = {
    "letters": N_("英字を数字に直します"),
    "separators": N_("年月日の区切りをそろえます"),
    "month_end": N_("その月の最後の日"),
    "anniversary": N_("開始日から数えて、満了する日"),
    "era": N_("西暦に直した日付"),
    "comma": N_("ドメインの区切りを「.」に直します"),
    "blanks": N_("途中の空白を除きます"),
    "signs": N_("余分な記号を除きます"),
    "choose": N_("どちらかを選びます"),
    "alike": N_("よく似た種別"),
    "agree": N_("同じ証書の、ほかの行の値"),
    "invisible": N_("目に見えない文字を除きます"),
}
"""Why a value is proposed for a cell (`importers.repairs`)."""

NO_ROWS = N_("取り込める行がありませんでした。見出し行のあるシートをお確かめください。")

SHEET_NOTES: Mapping[str, str] = {
    "no_heading": N_("シート「{sheet}」は、見出し行がないため読み込んでいません。"),
    "no_heading_csv": N_("見出し行がないため読み込んでいません。"),
    "left_out": N_("シート「{sheet}」は、読み込まないことが選ばれています。"),
    "far_cell": N_("シート「{sheet}」は、離れた場所（{cell}）に値があるため読み込んでいません。そのセルを消して保存し直してください。"),
    "hidden_sheet": N_("非表示のシートです。"),
    "hidden_columns": N_("非表示の列があります（{columns}）。値は読み込んでいます。"),
    "hidden_rows": N_("非表示の行が {n} 行あります。読み込んで、印を付けています。"),
    "filter": N_("フィルターが設定されています。隠れている行も読み込んでいます。"),
    "merged": N_("結合したセルがあります（{n} か所）。結合した範囲のすべてのセルに値があるものとして読みました。"),
    "marks_unread": N_("このファイルの形式では、非表示の行と数式のエラーを確かめられません。xlsx で保存し直すと確かめられます。"),
    "column_missing": N_("列「{column}」が見つかりません。列の対応で選んでください。"),
    "unmapped": N_("列「{column}」は読み込んでいません。"),
    "family_of_sheet": N_("種別の列がないため、シートの名前から「{family}」としました。"),
    "recalled": N_("前回の対応を使いました。"),
    "beside": N_("「{column}」の列から右に、もう 1 つの表があります。読み込んでいないため、別のシートに移して保存し直してください。"),
    "turned": N_("{row}行目の見出しで列の並びが変わるため、その下は新しい並びで読みました。"),
    "encoding": N_("文字コードは {encoding} として読みました。"),
}

FILE_REFUSALS: Mapping[str, str] = {
    "workbook_encrypted": N_("パスワード付きの xlsx は読み込めません。パスワードを外して保存し直してください。"),
    "workbook_unreadable": N_("このファイルは Excel または CSV として開けません。保存し直したファイルをお送りください。"),
    "workbook_too_large": N_("このファイルは、展開すると大きすぎるため読み込めません。シートや行を分けて保存し直してください。"),
    "workbook_too_slow": N_("このファイルは、時間内に読み終えられませんでした。シートや行を分けて保存し直してください。"),
    "workbook_bytes": N_("このファイルは {max}MB を超えています（{n}MB）。シートや行を分けて保存し直してください。"),
    "workbook_rows": N_("明細が {max} 行を超えています。ファイルを分けてお送りください。"),
    "workbook_entries": N_("このファイルの中身が壊れているか、重なっています。Excel で開いて保存し直したファイルをお送りください。"),
    "workbook_dtd": N_("このファイルには、読み込めない宣言（DTD）が入っています。Excel で開いて保存し直したファイルをお送りください（DTD 不可）。"),
    "workbook_far_cell": N_("シート「{sheet}」の離れた場所（{cell}）に値があるため、読み込めません。そのセルを消して保存し直してください。"),
    "workbook_no_rows": NO_ROWS,
    "workbook_unplanned": N_("このファイルには、まだ確認の結果がありません。読み込みが終わってから、もう一度お試しください。"),
    "workbook_of_another": N_("このファイルは {name}さんが依頼したものです。作成をやめられるのは、依頼した人だけです。"),
    "workbook_lost": N_("読み込んだファイルが保管されていないため、結果を書き込めません。ファイルをもう一度読み込んでください。"),
}

_EMPTY, _ELSEWHERE, _LIST = N_("空"), N_("シート「{sheet}」の {row}"), N_("、")
"""Facts of the reading that are words themselves: an empty cell, a row of another sheet, what stands between the items of a list."""


def row_error(code: str, **facts: object) -> str:
    """The sentence of an error, as it is kept with its row."""
    return ROW_ERRORS[code].format(**facts)


def row_warning(code: str, **facts: object) -> str:
    """The sentence of a warning, as it is kept with its row."""
    return ROW_WARNINGS[code].format(**facts)


def sheet_note(code: str, **facts: object) -> str:
    """What is told of a sheet, as it is kept with the batch."""
    return SHEET_NOTES[code].format(**facts)


def findings_of(sheet: Mapping[str, Any], language: str = "ja") -> list[dict[str, Any]]:
    """What reading a sheet came across, in words: code, count, places, label, done."""
    told: list[dict[str, Any]] = []
    for found in sheet.get("findings", ()):
        label, done = FINDINGS[found["code"]]
        told.append({**found, "label": translate(label, language), "done": translate(done, language)})
    return told


def field_labels(language: str = "ja") -> dict[str, str]:
    """The columns of a certificate by their names."""
    return {name: translate(label, language) for name, label in FIELD_LABELS.items()}


def retell(sentence: str, language: str = "ja") -> str:
    """A sentence that was kept in Japanese, in `language`: a plan is read once and looked at by many. One that is not from here stays as it is."""
    if language == "ja":
        return sentence
    for text in (*ROW_ERRORS.values(), *ROW_WARNINGS.values(), *SHEET_NOTES.values(), *FILE_REFUSALS.values()):
        told = _told_again(text, sentence, language)
        if told:
            return told
    return sentence


def _told_again(text: str, sentence: str, language: str) -> str:
    """`sentence` in `language` if it was made of `text`, else ""."""
    found = _pattern(text).fullmatch(sentence)
    return translate(text, language).format(**{name: _fact(name, fact, language) for name, fact in found.groupdict().items()}) if found else ""


def _fact(name: str, fact: str, language: str) -> str:
    if name == "column" or fact == _EMPTY:
        return translate(fact, language)
    if name == "columns":
        return fact.replace(_LIST, translate(_LIST, language))
    return (name == "first" and _told_again(_ELSEWHERE, fact, language)) or fact


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """What a sentence made of `text` looks like."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.*?)", re.escape(text)), re.DOTALL)

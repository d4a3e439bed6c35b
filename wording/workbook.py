"""The words of the workbooks that we write: the one handed back with its errors, the template, the export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wording.catalog import N_, translate

RESULT, ADVICE, SOURCE_ROW = "結果", "直し方", "元の行"
"""Headings of the added columns. They stay Japanese, as the workbook is: the reader knows them."""
SUMMARY_SHEET, SUMMARY_TITLE = "取込の結果", "取込の結果と直し方のまとめ"
AUTHOR = "J's チケットシステム"
HANDED_BACK, EXPORTED, TEMPLATE = "{stem}_確認結果.xlsx", "証書一覧_{stamp}.{ending}", "証書一覧_ひな形.xlsx"
"""Names of files."""
TICKETS_SHEET, TICKETS_EXPORTED = "チケット一覧", "チケット一覧_{stamp}.{ending}"
TICKET_HEADINGS = (
    *("番号", "件名", "会社名", "お名前", "製品", "カテゴリ", "状態", "優先度", "担当", "保守契約番号", "シリアル番号", "機種", "OS Ver.", "受付時の判定"),
    *("受付日時", "最終更新", "回答の期限", "初回の回答", "解決日時"),
)
"""Of an export of tickets."""

LOSSES: Mapping[str, str] = {
    "shapes": N_("図形・テキストボックス（{n} 個）は、戻すファイルに残りません。"),
    "pictures": N_("画像（{n} 個）は、戻すファイルに残りません。"),
    "diagrams": N_("SmartArt（{n} 個）は、戻すファイルに残りません。"),
    "sparklines": N_("シート「{sheet}」のスパークライン（{n} 個）は、戻すファイルに残りません。"),
    "rules": N_("シート「{sheet}」の新しい形式の条件付き書式・入力規則（{n} 件）は、戻すファイルに残りません。"),
    "rich_text": N_("セルの中の一部だけの書式（{n} か所）は、セル全体の書式になります。文字は残ります。"),
    "readings": N_("ふりがな（{n} か所）は、戻すファイルに残りません。"),
    "controls": N_("ボタンなどのフォーム部品（{n} 個）は、戻すファイルに残りません。"),
    "embedded": N_("埋め込みのファイル（{n} 個）は、戻すファイルに残りません。"),
    "slicers": N_("スライサー・タイムライン（{n} 個）は、戻すファイルに残りません。"),
    "threads": N_("会話形式のコメント（{n} か所）は、ふつうのコメントになります。"),
    "macros": N_("マクロは、戻すファイルに残りません。"),
    "queries": N_("外部データの接続（{n} 件）は、戻すファイルに残りません。"),
    "formulas": N_(
        "シート「{sheet}」の数式（{cells}）は残りますが、計算結果が消えます。読み込む前に、Excel で開いて保存し直してください（そのままではエラーになります）。"
    ),
}
_MORE = N_("{cells} ほか {n} 個")

CAUSES: Mapping[str, str] = {
    "missing": "必須の値が空",
    "column_missing": "列が見つからない",
    "no_party_email": "メールアドレスが 1 つもない",
    "not_an_email": "メールアドレスの形ではない",
    "more_than_one_address": "メールアドレスが 2 件以上",
    "contract_characters": "契約番号に使えない文字",
    "no_such_date": "存在しない日付",
    "not_a_date": "日付として読めない",
    "outside_era": "その元号にない日付",
    "ends_before_start": "終了日が開始日より前",
    "unknown_family": "登録されていない種別",
    "formula_error": "数式のエラー",
    "formula_without_value": "計算結果のない数式",
    "same_line": "同じ明細の重複",
    "not_consistent": "同じ証書の中での不一致",
    "invisible": "目に見えない文字",
    "too_long": "長すぎる値",
    "date_for_code": "番号が日付になっている",
    "nothing_above": "繰り返す値がない",
    "date_from_number": "数値を日付として読んだ",
    "number_for_code": "番号が数値になっている",
    "old_mailbox": "以前の問合せ先",
    "serial_elsewhere": "別の有効な契約と同じシリアル",
}
"""Code of an error or warning -> its cause in a few words."""


def loss_sentence(kind: str, language: str = "ja", *, count: int, sheet: str, cells: Sequence[str]) -> str:
    """What a workbook that is handed back lacks."""
    named = translate("、", language).join(cells)
    if cells and count > len(cells):
        named = translate(_MORE, language).format(cells=named, n=count - len(cells))
    return translate(LOSSES[kind], language).format(n=count, sheet=sheet, cells=named)


def cause_of(code: str, message: str) -> str:
    """The cause in a few words; of one that has none the whole sentence."""
    return CAUSES.get(code, message)


TEMPLATE_GUIDE = "2 行目は記入例です（読み込まれません）。3 行目の見出しはそのままにして、4 行目から入力してください。"
TEMPLATE_EXAMPLE: Mapping[str, str] = {
    "contract": "JSC26040123A",
    "product_number": "SRX300-SYS-JB",
    "serial": "CV4126AF0093",
    "service": "平日9:00~17:00オンサイト保守",
    "contact": "J's チケットシステム",
    "agent_name": "関西システム販売株式会社",
    "agent_email": "hosyu@kansai-hanbai.example",
    "operator_name": "",
    "operator_email": "",
    "end_user_name": "東西ネットワーク株式会社",
    "end_user_email": "kiban@osaka.tozai.example",
}
TEMPLATE_NOTES: Mapping[str, str] = {
    "issued_on": "証書に印刷された発行日です。例：2026/04/01",
    "contract": "2018 年 12 月 31 日までに発行の証書は番号（SD-000000-H）、2019 年以降は契約名です。半角の英数字と「-」「_」「.」「/」で入力します。",
    "family": "一覧から選びます。",
    "product_number": "証書の製品番号です。",
    "serial": "証書のシリアル番号です。ない製品は空のままにします。先頭の 0 もそのまま入力します。",
    "starts_on": "保守の開始日です。例：2026/04/01",
    "ends_on": "保守の終了日です。この日まで有効です。",
    "service": "証書のサービス種類です。一覧にないものも入力できます。",
    "contact": "証書に印刷された問合せ先です。",
    "agent_name": "販売代理店の会社名です。",
    "agent_email": "販売代理店の保守登録メールです。1 件だけ入力します。",
    "operator_name": "運用代行者の会社名です。",
    "operator_email": "運用代行者の保守登録メールです。1 件だけ入力します。",
    "end_user_name": "エンドユーザー（設置先）の会社名です。",
    "end_user_email": "エンドユーザーの保守登録メールです。1 件だけ入力します。",
}
"""Field -> the comment on its heading."""

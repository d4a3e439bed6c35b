"""The import's sentences: errors and warnings of a row, notes on a sheet, refusals of a file (WORDING, "Import")."""

from __future__ import annotations

from collections.abc import Mapping

FIELD_LABELS: Mapping[str, str] = {
    "issued_on": "証書発行日",
    "contract": "契約番号",
    "family": "種別",
    "product_number": "製品番号",
    "serial": "シリアル",
    "starts_on": "開始日",
    "ends_on": "終了日",
    "service": "サービス種類",
    "contact": "問合せ先",
    "agent_name": "販売代理店",
    "agent_email": "販売代理店メール",
    "operator_name": "運用代行者",
    "operator_email": "運用代行者メール",
    "end_user_name": "エンドユーザー(設置先)",
    "end_user_email": "エンドユーザーメール",
}

ROW_ERRORS: Mapping[str, str] = {
    "missing": "{column}が空です。証書の値を入力してください。",
    "column_missing": "列「{column}」が見つかりません。列の対応で選んでください。",
    "no_party_email": (
        "販売代理店・運用代行者・エンドユーザーのメールアドレスがどれも空です。1 つ以上入力してください（空のままでは、どなたも登録できません）。"
    ),
    "not_an_email": "{column}「{v}」はメールアドレスの形ではありません。証書の表記をお確かめください。",
    "more_than_one_address": "{column}に、メールアドレスが {n} 件入っています。1 件だけにしてください。",
    "contract_characters": "契約番号「{v}」に使えない文字「{c}」が入っています。半角の英数字と「-」「_」「.」「/」に直してください。",
    "no_such_date": "{column}「{v}」は存在しない日付です。正しい日付に直してください。",
    "not_a_date": "{column}「{v}」を日付として読めません。例：2026/04/01",
    "outside_era": "{column}「{v}」は、その元号にない日付です。元号か日付を直してください。",
    "ends_before_start": "終了日が開始日より前です（{start} > {end}）。どちらかを直してください。",
    "unknown_family": "種別「{v}」は登録されていません。一覧から選んでください。",
    "formula_error": "{column}の数式がエラー（{v}）になっています。値を入力してください。",
    "formula_without_value": "{column}の数式に計算結果が保存されていません。Excel で開いて保存し直すか、値を入力してください。",
    "same_line": "{first}行目と同じ明細です（契約・製品番号・シリアル・サービス種類）。どちらかを除いてください。",
    "not_consistent": "契約「{k}」の{column}が、{first}行目（{a}）と {row}行目（{b}）で異なります。証書の値にそろえてください。",
    "invisible": "{column}に目に見えない文字が入っています。入力し直してください。",
    "too_long": "{column}が長すぎます（{n} 文字）。{max} 文字以内にしてください。",
    "date_for_code": "{column}が日付（{v}）として保存されています。証書の値を文字列で入力し直してください。",
    "nothing_above": "{column}「{v}」の上に、繰り返す値がありません。証書の値を入力してください。",
}

ROW_WARNINGS: Mapping[str, str] = {
    "date_from_number": "{column}「{v}」を Excel の日付（{date}）として読みました。",
    "number_for_code": "{column}は数値で保存されています。「{v}」として読みました。先頭の 0 が消えていないかお確かめください。",
    "old_mailbox": "開始日が 2014 年 8 月以降ですが、問合せ先が以前のメールアドレス（{v}）です。この明細は窓口の対象になりません。",
    "serial_elsewhere": "同じシリアルが別の有効な契約 {k} にもあります。",
}

HIDDEN_ROW = "非表示の行です。"
NO_ROWS = "取り込める行がありませんでした。見出し行のあるシートをお確かめください。"

SHEET_NOTES: Mapping[str, str] = {
    "no_heading": "シート「{sheet}」は、見出し行がないため読み込んでいません。",
    "left_out": "シート「{sheet}」は、読み込まないことが選ばれています。",
    "far_cell": "シート「{sheet}」は、離れた場所（{cell}）に値があるため読み込んでいません。そのセルを消して保存し直してください。",
    "hidden_sheet": "非表示のシートです。",
    "hidden_columns": "非表示の列があります（{columns}）。値は読み込んでいます。",
    "hidden_rows": "非表示の行が {n} 行あります。読み込んで、印を付けています。",
    "filter": "フィルターが設定されています。隠れている行も読み込んでいます。",
    "merged": "結合したセルがあります（{n} か所）。結合した範囲のすべてのセルに値があるものとして読みました。",
    "marks_unread": "このファイルの形式では、非表示の行と数式のエラーを確かめられません。xlsx で保存し直すと確かめられます。",
    "column_missing": "列「{column}」が見つかりません。列の対応で選んでください。",
    "unmapped": "列「{column}」は読み込んでいません。",
    "family_of_sheet": "種別の列がないため、シートの名前から「{family}」としました。",
    "encoding": "文字コードは {encoding} として読みました。",
}

FILE_REFUSALS: Mapping[str, str] = {
    "workbook_encrypted": "パスワード付きの xlsx は読み込めません。パスワードを外して保存し直してください。",
    "workbook_unreadable": "このファイルは Excel または CSV として開けません。保存し直したファイルをお送りください。",
    "workbook_too_large": "このファイルは、展開すると大きすぎるため読み込めません。シートや行を分けて保存し直してください。",
    "workbook_too_slow": "このファイルは、時間内に読み終えられませんでした。シートや行を分けて保存し直してください。",
    "workbook_bytes": "このファイルは {max}MB を超えています（{n}MB）。シートや行を分けて保存し直してください。",
    "workbook_rows": "明細が {max} 行を超えています。ファイルを分けてお送りください。",
    "workbook_entries": "このファイルの中身が壊れているか、重なっています。Excel で開いて保存し直したファイルをお送りください。",
    "workbook_dtd": "このファイルには、読み込めない宣言（DTD）が入っています。Excel で開いて保存し直したファイルをお送りください（DTD 不可）。",
    "workbook_far_cell": "シート「{sheet}」の離れた場所（{cell}）に値があるため、読み込めません。そのセルを消して保存し直してください。",
    "workbook_no_rows": NO_ROWS,
}


def row_error(code: str, **facts: object) -> str:
    return ROW_ERRORS[code].format(**facts)


def row_warning(code: str, **facts: object) -> str:
    return ROW_WARNINGS[code].format(**facts)


def sheet_note(code: str, **facts: object) -> str:
    return SHEET_NOTES[code].format(**facts)


def file_refusal(code: str, **facts: object) -> str:
    return FILE_REFUSALS[code].format(**facts)

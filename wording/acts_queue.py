"""The journal's words of the queue: files, saved views, changes of many tickets at once."""

from __future__ import annotations

from wording.catalog import N_, NC_

ACTS = {
    "export_tickets": N_("チケットの一覧を書き出しました"),
    "change_many": N_("チケットをまとめて変更しました"),
    "undo_many": N_("まとめた変更を元に戻しました"),
    "undo_change": N_("まとめた変更から、このチケットを元に戻しました"),
    "save_view": N_("ビューを保存しました"),
    "change_view": N_("ビューを変更しました"),
    "delete_view": N_("ビューを削除しました"),
}
SUBJECTS = {"bulk_change": N_("まとめて操作"), "saved_view": NC_("subject", "ビュー")}
PAGES = {"bulk_change": "/console/tickets/bulk/{}"}
FACTS = {
    "done": N_("変更した件数"),
    "left": N_("変更しなかった件数"),
    "query": N_("条件"),
    "shared": N_("共有"),
}
KINDS = {"assign": N_("担当の変更"), "state": N_("状態の変更"), "reply": N_("返信"), "macro": N_("定型アクション")}

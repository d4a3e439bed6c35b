"""What is done to tickets, as the journal tells it."""

from __future__ import annotations

from wording.catalog import N_

MERGED_NOTE = "#{n}「{subject}」をこのチケットにまとめました。"
MERGE_UNDONE_NOTE = "#{n}「{subject}」のまとめを取り消しました。"
"""Notes that staff find in the thread: written once, so in the house's language."""

TICKET_ACTS = {
    "open": N_("チケットを作成しました"),
    "open_by_phone": N_("電話でチケットを受け付けました"),
    "attach_account": N_("チケットをアカウントに結び付けました"),
    "detach_account": N_("チケットをアカウントから外しました"),
    "reply": N_("チケットに書き込みました"),
    "answer": N_("チケットに回答しました"),
    "withdraw_answer": N_("回答を取り消しました"),
    "note": N_("社内メモを書きました"),
    "assign": N_("担当を変更しました"),
    "change_state": N_("チケットの状態を変更しました"),
    "change_priority": N_("優先度を変更しました"),
    "undo_last": N_("チケットの直前の変更を取り消しました"),
    "change_cc": N_("メールCC を変更しました"),
    "change_product": N_("チケットの製品を変更しました"),
    "change_ticket_category": N_("チケットのカテゴリを変更しました"),
    "settle": N_("チケットを解決済みにしました"),
    "reopen_ticket": N_("チケットを再開しました"),
    "follow_up": N_("続きのチケットを作成しました"),
    "link_tickets": N_("チケットを関連付けました"),
    "unlink_tickets": N_("チケットの関連付けを外しました"),
    "merge_into": N_("チケットを別のチケットにまとめました"),
    "take_merged": N_("別のチケットをまとめました"),
    "undo_merge": N_("チケットのまとめを取り消しました"),
    "give_merged_back": N_("まとめたチケットを元に戻しました"),
    "split_from": N_("書き込みからチケットを作成しました"),
    "split_off": N_("書き込みを別のチケットに分けました"),
    "match_contract": N_("チケットの契約を照合しました"),
    "withdraw_match": N_("チケットの契約の照合を取り消しました"),
    "ask_center": N_("契約の確認を依頼しました"),
    "answer_center": N_("契約の確認に回答しました"),
}

"""Every refusal as a sentence: what is wrong and how to put it right. The Japanese text is the msgid."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from rules.email_changes import ChangeState
from rules.refusal import Refused
from rules.tickets import State
from wording import center, dates, labels
from wording.catalog import N_, translate
from wording.imports import FIELD_LABELS, FILE_REFUSALS, ROW_ERRORS

# {label} is the field's own label: one sentence serves メールアドレス and 保守登録メール.
_ADDRESSES = {
    "address_empty": N_("{label}を入力してください。"),
    "address_form": N_("{label}の形をお確かめください（例：tanto@example.co.jp）。"),
    "address_no_at": N_("{label}に「@」がありません。「@」を入れてください。"),
    "address_comma": N_("{label}のドメインに「,」が入っています。「.」に直してください。"),
    "address_blank": N_("{label}の途中に空白が入っています。空白を除いてください。"),
    "address_trailing_dot": N_("{label}の終わりの「{sign}」を除いてください。"),
    "address_invisible": N_("{label}に目に見えない文字が入っています。コピーではなく、手で入力してください。"),
    "address_not_ascii": N_("{label}に使えない文字「{c}」が入っています。半角の英字・数字・記号で入力してください。"),
    "address_host": N_("{label}の「@」より後ろの「{host}」は、メールのドメインとして使えません。お使いのメールアドレスをお確かめください。"),
    "own_domain": N_("「{host}」は当社のドメインのため登録できません。貴社のメールアドレスを入力してください。"),
    "domains_differ": N_(
        "「メールアドレス」と「保守登録メール」の @ より後ろが異なります。（{email_host}／{maintenance_host}）"
        "同じドメインのメールアドレスを入力するか、保守登録メールの変更をご依頼ください（2 営業日ほどかかります）。"
    ),
    "exception_asked": N_("この内容の確認は、すでに承っています（受付番号 {n}）。結果のメールをお待ちください。"),
    "answer_empty": N_("お返事を入力してください。"),
    "nothing_asked_here": N_("いまは、お返事をいただくことはありません。画面を開き直して、状況をご確認ください。"),
    "reason_empty": N_("判断の理由を入力してください。"),
    "message_empty": N_("お客様への文を入力してください。"),
    "ends_on_form": N_("許可の終了日は、2027/03/31 のように入力してください。期限を設けない場合は空欄にしてください。"),
    "ends_on_past": N_("許可の終了日は、今日より後の日付にしてください。"),
    "own_request": N_("ご自身のお申し込みは判断できません。ほかの担当者に引き継いでください。"),
    "decided_already": N_("{name}さんが {at} に「{decision}」と判断しました。内容を確認してください。入力した理由と文は残っています。"),
    "request_changed": N_("表示したあとで、お申し込みの内容が変わりました。最新の内容を確認してから判断してください。"),
    "request_over": N_("このお申し込みは、お客様が取り下げたか、期限が切れています。判断できません。"),
    "changed_meanwhile_why": N_("ほかの条件を満たさなくなったため、承認できません（{why}）。契約の内容をご確認ください。"),
    "grant_revoked": N_("この許可は {name}さんが {day} に取り消しています。続けて使う場合は、新しく許可してください。"),
    "subdomains_differ": N_(
        "「{a}」と「{b}」はサブドメインが異なるため、担当者が確認します。「担当者に確認を依頼する」を押すと、入力した内容のままお申し込みいただけます。結果はメールでお知らせします。"
    ),
    "shared_domain": N_(
        "「{host}」は多くの方が使うメールのため、担当者が確認します。「担当者に確認を依頼する」を押すと、入力した内容のままお申し込みいただけます。"
        "結果はメールでお知らせします。保守登録メールと同じアドレスの場合は、確認なしで登録できます。"
    ),
    "domains_differ_ask": N_(
        "「メールアドレス」と「保守登録メール」の @ より後ろが異なります。（{email_host}／{maintenance_host}）"
        "同じドメインのメールアドレスを入力するか、保守登録メールの変更を {center} へご依頼ください（2 営業日ほどかかります）。"
    ),
    "subdomains_differ_ask": N_(
        "「{a}」と「{b}」はサブドメインが異なるため、担当者の確認が必要です。受付番号を添えて {desk} へご連絡ください。（受付番号 {n}）"
    ),
    "shared_domain_ask": N_(
        "「{host}」は多くの方が使うメールのため、担当者の確認が必要です。受付番号を添えて {desk} へご連絡ください。"
        "保守登録メールと同じアドレスの場合は、確認なしで登録できます。（受付番号 {n}）"
    ),
}
_REGISTRATION = {
    "company_name_empty": N_("会社名を入力してください。"),
    "person_name_empty": N_("お名前を入力してください。"),
    "user_id_empty": N_("ユーザーIDを入力してください。"),
    "user_id_short": N_("ユーザーIDは、半角 {min} 文字以上で入力してください（いまは {n} 文字です）。"),
    "user_id_long": N_("ユーザーIDは、半角 {max} 文字以内で入力してください（いまは {n} 文字です）。"),
    "user_id_characters": N_("ユーザーIDに使えない文字「{c}」が入っています。半角の英字・数字・記号で入力してください。"),
    "user_id_invisible": N_("ユーザーIDに目に見えない文字が入っています。コピーではなく、手で入力してください。"),
    "user_id_blank": N_("ユーザーIDに空白は使えません。空白を除いて入力してください。"),
    "user_id_reserved": N_("「{id}」はシステムで使用しているため、ユーザーIDにできません。別のユーザーIDを入力してください。"),
    "user_id_taken": N_("このユーザーIDはすでに使われています。別のユーザーIDを入力してください。"),
    "password_empty": N_("パスワードを入力してください。"),
    "password_short": N_("パスワードは、半角 {min} 文字以上にしてください。"),
    "password_long": N_("パスワードは、半角 {max} 文字以内にしてください（いまは {n} 文字です）。"),
    "password_upper": N_("パスワードに、英大文字を 1 文字以上入れてください。"),
    "password_lower": N_("パスワードに、英小文字を 1 文字以上入れてください。"),
    "password_digit": N_("パスワードに、数字を 1 文字以上入れてください。"),
    "password_wide": N_("パスワードに全角の文字が入っています。半角の英字・数字・記号で入力してください。"),
    "password_control": N_("パスワードに使えない文字が入っています。半角の英字・数字・記号で入力してください。"),
    "password_common": N_("このパスワードはよく使われていて、推測されやすいため使えません。別のパスワードを入力してください。"),
    "password_equals_user_id": N_("パスワードは、ユーザーIDと違うものにしてください。"),
    "password_equals_email": N_("パスワードは、メールアドレスと違うものにしてください。"),
    "password_equals_contract": N_("パスワードは、ご契約番号と違うものにしてください。"),
    "password_confirmation_differs": N_("2 回入力したパスワードが一致しません。「表示」を押して確かめてください。"),
    "contract_key_empty": N_("ご契約番号（または契約名）を入力してください。"),
    "contract_key_characters": N_(
        "ご契約番号（または契約名）に使えない文字「{c}」が入っています。半角の英数字と「-」「_」「.」「/」で入力してください（例：JSC26040123A、SD-000000-H）。"
    ),
    "contract_key_invisible": N_("ご契約番号（または契約名）に目に見えない文字が入っています。コピーではなく、手で入力してください。"),
    "contract_key_long": N_("ご契約番号（または契約名）は、半角 {max} 文字以内で入力してください（いまは {n} 文字です）。"),
    "pair_refused": N_(
        "ご契約番号（または契約名）と保守登録メールの組み合わせでは、登録できません。証書の表記と契約期間をお確かめください。"
        "証書の発行当日は登録できません（翌日以降にお試しください）。"
        "解決しないときは、受付番号を添えて tickets-admin@jscom.co.jp へご連絡ください。（受付番号 {n}）"
    ),
    "pair_gone": N_(
        "登録中の保守登録メール「{m}」は、現在の証書に見つかりません。証書に書かれているメールアドレスに直してください。"
        "ほかの変更も、まだ保存していません。（受付番号 {n}）"
    ),
    "consent_missing": N_("個人情報の取り扱いをお読みのうえ、同意にチェックを入れてください。"),
    "consent_old": N_("個人情報の取り扱いが変わりました。お読みのうえ、同意にチェックを入れてください。"),
    "too_many_tries": N_(
        "続けて入力されたため、しばらく受け付けを止めています。{until} 以降にもう一度お試しください。"
        "お急ぎの場合は tickets-admin@jscom.co.jp へご連絡ください。"
    ),
    "sign_in_wrong": N_("ユーザーIDまたはパスワードが違います。"),
    "account_suspended": N_("このアカウントは利用を停止しています。tickets-admin@jscom.co.jp へご連絡ください。"),
    "changed_meanwhile": N_("確認しているあいだに、登録の内容が変わりました。もう一度お試しください。"),
    "password_wrong": N_("現在のパスワードが違います。もう一度入力してください。"),
    "totp_wrong": N_("確認コードが違います。認証アプリに表示されている 6 桁の数字を入力してください。"),
}
_TICKETS = {
    "text_empty": N_("{label}を入力してください。"),
    "text_long": N_("{label}は、{max} 文字以内で入力してください（いまは {n} 文字です）。"),
    "text_control": N_("{label}に目に見えない文字が入っています。コピーではなく、手で入力してください。"),
    "subject_empty": N_("件名を入力してください。"),
    "product_unknown": N_("製品を選んでください。"),
    "category_unknown": N_("カテゴリを選んでください。"),
    "cc_without_account": N_("アカウントのないチケットのメールは送られないため、メールCC は指定できません。"),
    "caller_name_empty": N_("アカウントのない方のチケットには、お名前を入力してください。"),
    "account_unknown": N_("このアカウントは選べません。検索し直してください。"),
    "account_attached": N_("このチケットには、すでにアカウントがあります。最新の内容をご確認ください。"),
    "account_bound": N_("このチケットのアカウントは外せません。お客様がすでに書き込んでいるか、電話のチケットではありません。"),
    "account_merged": N_("#{n} がまとめられているため、このチケットのアカウントは外せません。先に、まとめを取り消してください。"),
    "other_unknown": N_("この番号のチケットがありません。番号をお確かめください。"),
    "other_same": N_("このチケット自身です。ほかのチケットの番号を入力してください。"),
    "linked_already": N_("このチケットとは、すでに関連付いています。"),
    "link_gone": N_("この関連付けは、すでに外されています。最新の内容をご確認ください。"),
    "queue_not_own": N_("この製品の担当ではないため、まとめたり分けたりできません。サポートリーダーに依頼してください。"),
    "merge_gone": N_("#{n} は、すでに別のチケットにまとめられています。"),
    "merge_accounts": N_("お客様のアカウントが異なるため、まとめられません。まとめると、相手のやり取りが見えてしまいます。関連付けをご利用ください。"),
    "merge_closed": N_("終了しているチケットには、まとめられません。"),
    "merge_asked": N_("サービス管理センターの回答を待っているため、まとめられません。回答のあとで、もう一度お試しください。"),
    "merge_pending": N_("まだ取り消せる返信があるため、まとめられません。少し待ってから、もう一度お試しください。"),
    "merge_not": N_("このまとめは、すでに取り消されています。最新の内容をご確認ください。"),
    "merge_nested": N_("#{n} が、さらに別のチケットにまとめられています。先に、そのまとめを取り消してください。"),
    "split_gone": N_("この書き込みは、すでに別のチケットに移っています。最新の内容をご確認ください。"),
    "split_kind": N_("分けられるのは、お客様の書き込みだけです。"),
    "split_first": N_("最初の書き込みは分けられません。このチケットそのものだからです。"),
    "match_reason_empty": N_("照合した理由を入力してください。"),
    "match_unknown": N_("この契約番号とシリアル番号の明細がありません。証書の表記をお確かめください。"),
    "match_gone": N_("この照合は、すでに取り消されています。最新の内容をご確認ください。"),
    "question_empty": N_("確認してほしい内容を入力してください。"),
    "center_answer_empty": N_("回答を入力してください。"),
    "newer_question": N_("画面を開いたあとで、サポートから新しい質問がありました。いまの質問を確認してから回答してください。書いた文章は残っています。"),
    "nothing_asked": N_("このチケットは契約の確認を待っていません。ほかの方が先に回答した可能性があります。最新の内容をご確認ください。"),
    "body_empty": N_("お問合せ内容を入力してください。"),
    "words_empty": N_("本文を入力してください。"),
    "post_empty": N_("本文を入力してください。ファイルだけを送ることもできます。"),
    "category_empty": N_("カテゴリを選んでください。"),
    "family_empty": N_("対象の製品を選んでください。"),
    "contract_text_empty": N_("保守契約番号（または契約名）を入力してください。分からない場合は「不明」と入力してください。"),
    "serial_text_empty": N_("シリアル番号を入力してください。分からない場合は「不明」と入力してください。"),
    "cc_form": N_("メールCC の「{x}」はメールアドレスの形ではありません。直すか、外してください。"),
    "cc_many": N_("メールCC は {max} 件までです（いまは {n} 件です）。{over} 件外してください。複数の方には、メーリングリストもお使いいただけます。"),
    "cc_own_domain": N_("「{x}」は当社のアドレスのため、メールCC にできません。外してください。"),
    "post_large": N_("添付ファイルが、合わせて {max}MB を超えています（{n}MB）。いくつか外して、続きは返信でお送りください。"),
    "files_gone": N_("お預かりしたファイルの一部が見つかりません。お手数ですが、もう一度ファイルを選んでください。"),
    "account_files_full": N_(
        "お預かりしているファイルが、合わせて {max}GB を超えます。ファイルを外してお送りください。続きの方法は tickets-admin@jscom.co.jp へご相談ください。"
    ),
    "file_empty": N_("「{file}」は空のファイルです。中身をお確かめください。"),
    "state_move": N_("「{frm}」から「{to}」には変更できません。画面を開き直して、いまの状態をお確かめください。"),
    "newer_reply": N_("{name}さんが先に返信しました。内容を確認してから送信してください。書いた文章は残っています。"),
    "answer_closed": N_("このチケットは終了しているため、返信できません。社内メモは書けます。"),
    "undone_already": N_("この返信は、すでに取り消しています。文章は下書きに残っています。"),
    "undo_too_late": N_("取り消せる時間を過ぎたため、返信は公開されています。"),
    "changed_since": N_("そのあとに変わったため、取り消せません。いまの内容を確かめて、変更し直してください。"),
    "undo_change_late": N_("取り消せる時間を過ぎました。変更し直してください。"),
    "service_unknown": N_("サービス種類を一覧から選んでください。"),
    "reads_as_empty": N_("読み方を入力してください。"),
    "reads_as_unclear": N_("曜日と時間を読み取れません。「平日9:00〜17:00」「24時間365日」「対応時間なし」のように書いてください。"),
    "bulk_none": N_("チケットを 1 件以上選んでください。"),
    "bulk_many": N_("一度に変更できるのは {max} 件までです（選んだのは {n} 件です）。条件を絞るか、選び直してください。"),
    "bulk_other_queue": N_("担当していない製品のチケットです。リーダーに依頼するか、先に自分の担当にしてください。"),
    "bulk_changed": N_("確認したあとに、{name}さんが変更しました。内容を確かめてから、もう一度お試しください。"),
    "bulk_newer_post": N_("確認したあとに、{name} 様から新しい書き込みがありました。内容を確かめてから、もう一度お試しください。"),
    "bulk_undo_late": N_("元に戻せる時間を過ぎました。チケットを 1 件ずつ変更してください。"),
    "bulk_kept": N_("そのあとに変わったため、元に戻していません。"),
    "view_name": N_("ビューの名前を入力してください。"),
    "view_name_long": N_("ビューの名前は {max} 文字までです（いまは {n} 文字です）。"),
    "view_name_taken": N_("「{name}」という名前のビューがすでにあります。別の名前にしてください。"),
    "views_many": N_("保存できるビューは {max} 件までです。使わないビューを削除してください。"),
    "assignee_unknown": N_("担当者を一覧から選んでください。"),
    "tickets_today": N_("本日お受けできるチケットの数を超えました。tickets-admin@jscom.co.jp へご連絡ください。"),
}
_IMPORTS = {
    "file_missing": N_("ファイルを選んでください。"),
    "plan_outdated": N_("この内容を確認したあとで、証書 {n}件が変更されました。最新の内容をもう一度確認してください。選んだ内容は残っています。"),
    "plan_changed": N_("この内容を表示したあとで、取込の内容が変わりました。最新の内容をもう一度確認してください。選んだ内容は残っています。"),
    "not_all_sound": N_("エラーや未確認の警告のある証書が {n}件あるため、反映していません。直すか、問題のない証書だけを反映してください。"),
    "approval_needed": N_("明細を取り下げるか、登録可能ドメインが変わるため、もう 1 人の承認が必要です。承認を依頼してください。"),
    "own_import": N_("登録可能ドメインが変わるか、明細を取り下げるため、もう 1 人の承認が必要です。ご自身の取込は承認できません。"),
    "undo_import_too_late": N_("反映から {days} 日を過ぎたため、元に戻せません。"),
    "nothing_to_undo": N_("元に戻せるものがありません。すべて反映のあとで編集されています。"),
    "nothing_to_apply": N_("反映できる証書がありません。エラーを直すか、警告を確認してください。"),
    "mapping_nothing": N_("読み込むシートを 1 つ以上選んでください。"),
    "mapping_twice": N_("「{column}」に、列 {a} と列 {b} の 2 つが選ばれています。どちらかを「取り込まない」にしてください。"),
    "mapping_gone": N_("ファイルを読み直したあとの画面ではないため、保存できませんでした。最新の列の対応を確認してください。"),
    "cell_gone": N_("この行は、取込の計画が作り直されたため見つかりません。一覧から選び直してください。"),
    "cell_field": N_("直す項目を選び直してください。"),
    "no_certain_repair": N_("まとめて直せるセルが、もうありません。画面を開き直してください。"),
    "batch_state": N_("この取込は「{state}」のため、操作できません。画面を開き直してください。"),
}
_CONSOLE = {
    "staff_user_id_taken": N_("このユーザーIDはすでに使われています。別のユーザーIDを入力してください。"),
    "staff_email_taken": N_("このメールアドレスは、ほかの職員が使っています。別のメールアドレスを入力してください。"),
    "digest_hour_form": N_("時刻を一覧（{first}時〜{last}時）から選んでください。"),
    "roles_empty": N_("役割を 1 つ以上選んでください。"),
    "role_unknown": N_("役割を一覧から選んでください。"),
    "fact_unknown": N_("探すものを一覧から選んでください。"),
    "pattern_empty": N_("ログの行を入力してください。"),
    "pattern_long": N_("ログの行は {max} 文字までです。"),
    "pattern_value": N_("値のところを 1 か所だけ {{値}} と書いてください。"),
    "pattern_words": N_("{{語}} は、1 つのパターンに {max} つまでです。"),
    "pattern_begins": N_("値の前に、ログに出てくる語を 2 文字以上書いてください。"),
    "pattern_many": N_("探し方は {max} 件までです。使わないものを外してください。"),
    "pattern_taken": N_("同じ探し方がすでにあります。"),
    "family_unknown": N_("製品を一覧から選んでください。"),
    "own_admin_role": N_("ご自身の「管理者」の役割は外せません。ほかの管理者に依頼してください。"),
    "own_deactivation": N_("ご自身の利用は停止できません。ほかの管理者に依頼してください。"),
    "last_admin": N_("管理者が 1 人もいなくなるため、変更できません。先に別の方を管理者にしてください。"),
    "oidc_unknown": N_("このアカウントは、コンソールを使う職員として登録されていません。"),
    "account_suspended_already": N_("このアカウントは、すでに利用を停止しています。"),
    "account_active_already": N_("このアカウントは、すでに利用できます。"),
    "slug_form": N_("URL の名前は、半角の英小文字・数字と「-」で、{max} 文字以内で入力してください（例：juniper-srx）。"),
    "name_empty": N_("名前を入力してください。"),
    "canned_empty": N_("本文を入力してください。"),
    "canned_many": N_("1 つの一覧に置けるのは {max} 件までです。使わないものを停止するか、内容を書き換えてください。"),
    "canned_gone": N_("この定型文または定型アクションは、停止されたか、このチケットでは使えません。一覧から選び直してください。"),
    "canned_outdated": N_("表示したあとで、{name}さんが内容を変更しました。別の画面でいまの内容を確認してください。もう一度保存すると、この内容になります。"),
    "macro_changed": N_("表示したあとで、{name}さんがこの定型アクションを変更しました。いまの内容を確かめてから、もう一度実行してください。"),
    "macro_place_left": N_("本文に「{name}」が残るため、まとめては送れません。このチケットを開いて実行し、書き換えてください。"),
    "canned_shared": N_("共有できるのは、担当する製品のものだけです。製品を選ぶか、「自分だけが使う」を選んでください。"),
    "macro_nothing": N_("本文を書くか、変更するものを 1 つ以上選んでください。"),
    "placeholder_unknown": N_("「{name}」という差し込みはありません。一覧にある名前を、{{ と }} で囲んでください。"),
    "placeholder_left": N_("「{name}」が残っています。確かめた内容に書き換えるか、消してから送信してください。"),
    "cc_changed": N_("画面を開いたあとで、メールCC が変わりました。いまの宛先を確認してから送信してください。書いた文章は残っています。"),
    "name_taken": N_("「{x}」はすでにあります。別の名前を入力してください。"),
    "slug_taken": N_("「{x}」はすでに使われています。別の名前を入力してください。"),
    "position_form": N_("表示順は、1〜{max} の数字で入力してください。"),
    "last_family": N_("選べる製品が 1 つもなくなるため、停止できません。"),
    "last_category": N_("選べるカテゴリが 1 つもなくなるため、停止できません。"),
    "mailbox_taken": N_("「{x}」は、この製品にすでにあります。"),
    "domain_form": N_("「{x}」は、メールのドメインとして使えません。「@」より後ろの形で入力してください（例：example.co.jp）。"),
    "domain_taken": N_("「{x}」はすでに一覧にあります。"),
    "day_form": N_("日付を、2026/12/28 の形で入力してください。"),
    "day_taken": N_("その日はすでに休業日です。"),
    "hours_form": N_("「{x}」を時間として読めません。9:00-17:00 の形で入力してください。複数あるときは「,」で区切ってください。"),
    "hours_order": N_("「{x}」の時間が前後しているか、重なっています。早い順に、重ならないように入力してください。"),
    "hours_many": N_("1 日の受付時間は {max} つまでです。まとめて入力してください。"),
    "hours_none": N_("受付時間のある曜日がありません。1 日以上入力してください。"),
    "target_empty": N_("目標の時間を入力してください。"),
    "target_form": N_("目標は、時間を 4、0.5、1:30 の形で入力してください（{max} 時間まで）。"),
    "target_far": N_("この受付時間では {max} 週を超えても終わりません。受付時間か、この目標をお確かめください。"),
    "standard_calendar": N_("標準のカレンダーは停止できません。"),
    "calendar_used": N_("このカレンダーの製品があるため、停止できません。先に製品のチェックを外してください。"),
    "calendar_changed": N_("表示したあとで、ほかの人がこのカレンダーを変更しました。最新の内容を確認してから変更してください。"),
    "name_long": N_("名前は、{max} 文字以内で入力してください（いまは {n} 文字です）。"),
    "privacy_empty": N_("本文を入力してください。"),
    "privacy_long": N_("本文は、{max} 文字以内で入力してください（いまは {n} 文字です）。"),
    "privacy_unchanged": N_("いまの版と同じ文です。書き直してから公開してください。"),
    "privacy_outdated": N_("表示したあとで、別の版が公開されました。最新の版を確認してください。"),
    "mail_sending": N_("このメールは、いま送信しているところです。少し待ってから、画面を開き直してください。"),
    "mail_withdrawn": N_("このメールは、公開の前に取り消された返信のものです。送れません。"),
    "mail_all_reached": N_("このメールは、すべての宛先に届いています。"),
    "mail_secret": N_("このメールのリンクは、受け取ったご本人だけのものです。ほかのアドレスには送れません。"),
    "mail_address_there": N_("このアドレスは、すでにこのメールの宛先です。別のアドレスを入力してください。"),
    "template_lines": N_("件名は 1 行で入力してください。"),
    "template_empty": N_("{label}を入力してください。"),
    "template_long": N_("{label}は、{max} 文字以内で入力してください。"),
    "template_syntax": N_("{label}の {line} 行目の書き方をお確かめください。「{{{{ 」と「 }}}}」、「{{% if %}}」と「{{% endif %}}」がそろっていますか。"),
    "template_construct": N_("{label}の {line} 行目に、文面では使えない書き方があります。一覧にある名前と、if、一覧にある for だけにしてください。"),
    "template_name": N_("{label}の「{name}」という名前は使えません。使える名前の一覧からお選びください。"),
    "template_fails": N_("{label}を見本の内容で組み立てられませんでした（{words}）。"),
    "template_missing": N_("本文に「{{{{ {name} }}}}」を入れてください。このメールになくてはならない内容です。"),
    "template_missing_at_times": N_("本文の「{{{{ {name} }}}}」が、内容によっては入りません。if の外に置いてください。"),
    "template_grows": N_("本文が長くなりすぎます。同じ内容を何度も入れていないかをお確かめください。"),
    "template_outdated": N_("表示したあとで、別の版が公開されました。画面を開き直し、最新の版を確認してください。"),
    "copy_not_stopped": N_("このアドレスへの写しは止まっていません。"),
    "copy_offered": N_("このアドレスには、きょう再開のご案内を送っています。"),
    "mail_stopped": N_("写しを止めた方には送れません。止めたご本人だけが再開できます。"),
    "copy_not_here": N_("このチケットの通知メールは、このアドレスに CC で送っていません。写しが届いたアドレスを入力してください。"),
    "mail_placed": N_("このメールは、すでにチケットに表示しています。"),
    "returned_ticket_empty": N_("チケット番号を入力してください。"),
    "returned_ticket_unknown": N_("この番号のチケットはありません。番号をお確かめください。"),
    "mail_nothing_open": N_("送信を待っている宛先はありません。画面を開き直して、いまの状態をお確かめください。"),
}
_CONTRACTS = {
    "correction_reason_empty": N_("訂正の理由を入力してください。"),
    "correction_reason_long": N_("訂正の理由は、{max} 文字以内で入力してください（いまは {n} 文字です）。"),
    "certificate_changed": N_("画面を開いたあとで、この証書が変更されました。最新の内容を確かめてから、もう一度訂正してください。入力した内容は残っています。"),
    "line_taken": N_("同じ明細（製品番号・シリアル・サービス種類）が、この証書にすでにあります。"),
    **{f"cell_{code}": text for code, text in ROW_ERRORS.items() if code != "not_a_date"},
}
_CENTER = {
    "change_same_address": N_("いまの保守登録メールと同じです。変更後のメールアドレスを入力してください。"),
    "change_old_unknown": N_("このメールアドレスは、証書にもアカウントの保守登録メールにもありません。証書の表記をお確かめください。"),
    "change_open_already": N_("この保守登録メールの変更は、すでに承っています（受付番号 {n}）。完了のメールをお待ちください。"),
    "received_later": N_("受付日は、今日までの日付にしてください。"),
    "evidence_missing": N_("依頼のメールを、証拠として添付してください。"),
    "decided_meanwhile": N_("{name}さんが {at} に「{decision}」にしました。内容を確認してください。入力した理由と文は残っています。"),
    "change_not_now": N_("この依頼は、いまの状態ではその操作をできません。画面の内容をお確かめください。"),
    "decision_empty": N_("判断を選んでください。"),
    "second_approver": N_("登録可能ドメインが変わるため、もう 1 人の承認が必要です。ご自身の依頼は承認できません。"),
    "impact_outdated": N_("表示したあとで、証書またはアカウントが変わりました。最新の影響を確認してから判断してください。入力した理由と文は残っています。"),
    "nothing_to_change": N_("変更する証書もアカウントもありません。"),
    "finding_gone": N_("この項目は、あとの点検で解消しています。"),
    "account_erased": N_("このアカウントの個人情報は、すでに削除しています。"),
    "erase_confirmation": N_("確かめるため、ユーザーID「{user_id}」を入力してください。"),
    "recovery_code_wrong": N_("確認コードが違います。認証アプリの 6 桁の数字か、まだ使っていない予備コードを入力してください。"),
}
"""The center's pages, and the second factor of customers."""
SENTENCES: dict[str, str] = {
    **_CONTRACTS,
    **_CONSOLE,
    **_CENTER,
    **_ADDRESSES,
    **_REGISTRATION,
    **_TICKETS,
    **_IMPORTS,
    **FILE_REFUSALS,
}
"""Every code a rule or an action refuses with, and its sentence. A cell typed anew is refused with the words of reading it (ROW_ERRORS)."""
REPAIRED = N_("全角で入力された英数字は、半角に直して確認しました。")
"""A note that is no error, at a field that was put right."""


def say(refused: Refused, language: str = "ja") -> str:
    """The sentence of a refusal, its facts filled in. A code without a sentence is a fault (KeyError)."""
    facts = {name: _shown(value, language) for name, value in refused.facts.items()}
    if refused.code == "batch_state":
        facts["state"] = translate(facts["state"], language)
    if "column" in facts:
        facts["column"] = translate(FIELD_LABELS.get(facts["column"], facts["column"]), language)
    if refused.code == "decided_already":
        facts["decision"] = labels.decision(str(refused.facts["decision"]), language)
    if refused.code == "changed_meanwhile_why":
        facts["why"] = labels.why(str(refused.facts["why"]), language)
    facts.setdefault("label", labels.field(refused.field or "", language))
    return translate(SENTENCES.get(refused.code) or ROW_ERRORS[refused.code], language).format(**facts)


def _shown(value: object, language: str) -> str:
    """A fact as people read it: numbers with commas, days as 2026/04/01, moments as the clock in Tokyo, states as words."""
    if isinstance(value, State):
        return labels.state(value, language)
    if isinstance(value, ChangeState):
        return center.change_state(value, language)
    if isinstance(value, datetime):
        return value.astimezone(dates.TOKYO).strftime("%H:%M")
    if isinstance(value, date):
        return dates.day(value)
    if isinstance(value, float):
        return f"{value:,.1f}".removesuffix(".0")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, (bool, StrEnum)) else str(value)

"""Every refusal as a sentence: what is wrong and how to put it right. The Japanese text is the msgid."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from rules.refusal import Refused
from rules.tickets import State
from wording import dates, labels
from wording.catalog import N_, translate
from wording.imports import FILE_REFUSALS

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
    "link_expired": N_("この URL は有効期限が切れています。もう一度登録の手続きをお願いいたします。"),
    "link_used": N_("このアカウントは登録が完了しています。ログインしてください。"),
    "reset_link_expired": N_("この URL は有効期限が切れているか、すでに使われています。もう一度「ログイン情報を忘れた場合」からお手続きください。"),
    "sign_in_wrong": N_("ユーザーIDまたはパスワードが違います。"),
    "account_suspended": N_("このアカウントは利用を停止しています。tickets-admin@jscom.co.jp へご連絡ください。"),
    "email_before_pair": N_("メールアドレスのドメインと、保守登録メールまたはご契約番号は、同時に変えられません。{desk} へご連絡ください。"),
    "changed_meanwhile": N_("確認しているあいだに、登録の内容が変わりました。もう一度お試しください。"),
    "password_wrong": N_("現在のパスワードが違います。もう一度入力してください。"),
    "totp_wrong": N_("確認コードが違います。認証アプリに表示されている 6 桁の数字を入力してください。"),
}
_TICKETS = {
    "text_empty": N_("{label}を入力してください。"),
    "text_long": N_("{label}は、{max} 文字以内で入力してください（いまは {n} 文字です）。"),
    "text_control": N_("{label}に目に見えない文字が入っています。コピーではなく、手で入力してください。"),
    "subject_empty": N_("件名を入力してください。"),
    "body_empty": N_("お問合せ内容を入力してください。"),
    "post_empty": N_("本文を入力してください。ファイルだけを送ることもできます。"),
    "category_empty": N_("カテゴリを選んでください。"),
    "family_empty": N_("対象の製品を選んでください。"),
    "contract_text_empty": N_("保守契約番号（または契約名）を入力してください。分からない場合は「不明」と入力してください。"),
    "serial_text_empty": N_("シリアル番号を入力してください。分からない場合は「不明」と入力してください。"),
    "cc_form": N_("メールCC の「{x}」はメールアドレスの形ではありません。直すか、外してください。"),
    "cc_many": N_("メールCC は {max} 件までです（いまは {n} 件です）。{over} 件外してください。複数の方には、メーリングリストもお使いいただけます。"),
    "cc_own_domain": N_("「{x}」は当社のアドレスのため、メールCC にできません。外してください。"),
    "cc_outside_used_up": N_("社外のメールCC への通知が、1 日の上限に達しました。メールCC を外すか、明日以降にお送りください。"),
    "file_large": N_("「{file}」は {max}MB を超えています（{n}MB）。外すか、分けてお送りください。"),
    "post_large": N_("添付ファイルが、合わせて {max}MB を超えています（{n}MB）。いくつか外して、続きは返信でお送りください。"),
    "files_gone": N_("お預かりしたファイルの一部が見つかりません。お手数ですが、もう一度ファイルを選んでください。"),
    "account_files_full": N_(
        "お預かりしているファイルが、合わせて {max}GB を超えます。ファイルを外してお送りください。続きの方法は tickets-admin@jscom.co.jp へご相談ください。"
    ),
    "file_broken": N_("「{file}」の送信が途中で切れました。「もう一度送る」を押してください。"),
    "file_empty": N_("「{file}」は空のファイルです。中身をお確かめください。"),
    "file_infected": N_("「{file}」からウイルスの疑いが見つかったため、受け付けませんでした。"),
    "state_move": N_("「{frm}」から「{to}」には変更できません。画面を開き直して、いまの状態をお確かめください。"),
    "newer_reply": N_("{name}さんが先に返信しました。内容を確認してから送信してください。書いた文章は残っています。"),
    "answer_closed": N_("このチケットは終了しているため、返信できません。社内メモは書けます。"),
    "undo_too_late": N_("取り消せる時間を過ぎたため、返信は公開されています。"),
    "assignee_unknown": N_("担当者を一覧から選んでください。"),
    "tickets_today": N_("本日お受けできるチケットの数を超えました。tickets-admin@jscom.co.jp へご連絡ください。"),
}
_IMPORTS = {
    "file_missing": N_("ファイルを選んでください。"),
    "plan_outdated": N_("この内容を確認したあとで、証書 {n}件が変更されました。最新の内容をもう一度確認してください。選んだ内容は残っています。"),
    "nothing_to_apply": N_("反映できる証書がありません。エラーを直すか、警告を確認してください。"),
    "batch_state": N_("この取込は「{state}」のため、操作できません。画面を開き直してください。"),
}
_CONSOLE = {
    "staff_user_id_taken": N_("このユーザーIDはすでに使われています。別のユーザーIDを入力してください。"),
    "staff_email_taken": N_("このメールアドレスは、ほかの職員が使っています。別のメールアドレスを入力してください。"),
    "digest_hour_form": N_("時刻を一覧（{first}時〜{last}時）から選んでください。"),
    "roles_empty": N_("役割を 1 つ以上選んでください。"),
    "role_unknown": N_("役割を一覧から選んでください。"),
    "family_unknown": N_("製品を一覧から選んでください。"),
    "own_admin_role": N_("ご自身の「管理者」の役割は外せません。ほかの管理者に依頼してください。"),
    "own_deactivation": N_("ご自身の利用は停止できません。ほかの管理者に依頼してください。"),
    "last_admin": N_("管理者が 1 人もいなくなるため、変更できません。先に別の方を管理者にしてください。"),
    "oidc_unknown": N_("このアカウントは、コンソールを使う職員として登録されていません。"),
    "account_suspended_already": N_("このアカウントは、すでに利用を停止しています。"),
    "account_active_already": N_("このアカウントは、すでに利用できます。"),
    "slug_form": N_("URL の名前は、半角の英小文字・数字と「-」で、{max} 文字以内で入力してください（例：juniper-srx）。"),
    "name_empty": N_("名前を入力してください。"),
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
    "name_long": N_("名前は、{max} 文字以内で入力してください（いまは {n} 文字です）。"),
    "privacy_empty": N_("本文を入力してください。"),
    "privacy_long": N_("本文は、{max} 文字以内で入力してください（いまは {n} 文字です）。"),
    "privacy_unchanged": N_("いまの版と同じ文です。書き直してから公開してください。"),
    "privacy_outdated": N_("表示したあとで、別の版が公開されました。最新の版を確認してください。"),
    "mail_sending": N_("このメールは、いま送信しているところです。少し待ってから、画面を開き直してください。"),
    "mail_withdrawn": N_("このメールは、公開の前に取り消された返信のものです。送れません。"),
    "mail_all_reached": N_("このメールは、すべての宛先に届いています。"),
    "mail_nothing_open": N_("送信を待っている宛先はありません。画面を開き直して、いまの状態をお確かめください。"),
}
SENTENCES: dict[str, str] = {**_CONSOLE, **_ADDRESSES, **_REGISTRATION, **_TICKETS, **_IMPORTS, **FILE_REFUSALS}
"""Every code a rule or an action refuses with, and its sentence."""

HINTS: dict[str, str] = {"user_id_taken": N_("メールアドレスと同じにすると重なりにくくなります。")}
"""What stands below some sentences."""
ADVICE = {
    "password": N_("15 文字以上にすると、より安全です。"),
    "repaired": N_("全角で入力された英数字は、半角に直して確認しました。"),
    "serial_not_in_contract": N_("このシリアル番号は、入力された契約の一覧にありません。このまま送ることもできます。"),
    "cc_own_dropped": N_("「{x}」には通知メールが届くため、メールCC から外しました。"),
    "cc_merged": N_("同じアドレスは 1 件にまとめました。"),
    "cc_outside": N_("「{x}」は貴社のドメインではありません。宛先をお確かめください。"),
    "ticket_closed": N_("このチケットは終了しています。返信すると、続きのチケットを新しく作成します。"),
    "summary": N_("{n}件の入力をお確かめください"),
}
"""Notes that are no errors, and the title over a list of errors."""


def say(refused: Refused, language: str = "ja") -> str:
    """The sentence of a refusal, its facts filled in. A code without a sentence is a fault (KeyError)."""
    facts = {name: _shown(value, language) for name, value in refused.facts.items()}
    if refused.code == "batch_state":
        facts["state"] = translate(facts["state"], language)
    facts.setdefault("label", labels.field(refused.field or "", language))
    return translate(SENTENCES[refused.code], language).format(**facts)


def hint(code: str, language: str = "ja") -> str:
    """The line below a sentence, "" for most."""
    return translate(HINTS.get(code, ""), language)


def advise(code: str, language: str = "ja", **facts: object) -> str:
    """A note that is no error (ADVICE), its facts filled in."""
    return translate(ADVICE[code], language).format(**{name: _shown(value, language) for name, value in facts.items()})


def _shown(value: object, language: str) -> str:
    """A fact as people read it: numbers with commas, days as 2026/04/01, moments as the clock in Tokyo, states as words."""
    if isinstance(value, State):
        return labels.state(value, language)
    if isinstance(value, datetime):
        return value.astimezone(dates.TOKYO).strftime("%H:%M")
    if isinstance(value, date):
        return dates.day(value)
    if isinstance(value, float):
        return f"{value:,.1f}".removesuffix(".0")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, (bool, StrEnum)) else str(value)

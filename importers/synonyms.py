"""The names that offices give to columns, best first. Looked up without blanks, brackets and signs, in lower case."""

from __future__ import annotations

from collections.abc import Mapping

PERIOD = "period"
"""A column that holds both days: ``2026/4/1～2027/3/31``."""

COLUMN_NAMES: Mapping[str, tuple[str, str, str]] = {
    "issued_on": (
        "証書発行日 証書発行年月日 証書の発行日 証書日付 証書日 certificateissuedate certificatedate",
        "発行日 発行年月日 証書作成日 issuedate issuedon dateofissue issued",
        "作成日 発行",
    ),
    "contract": (
        """
        契約番号 ご契約番号 契約名 ご契約名 契約番号契約名 ご契約番号契約名 契約番号または契約名 ご契約番号または契約名 契約番号名
        契約番号又は契約名
        """,
        "契約no ご契約no 契約id 契約コード 保守契約番号 保守契約no 保守契約名 サポート契約番号 証書番号 証書no",
        """
        契約 ご契約 保守契約 契約ナンバー contract contractno contractnumber contractname contractid contractkey agreementnumber
        agreementno
        """,
    ),
    "family": (
        "種別 製品種別 製品ファミリー 製品ファミリ",
        """
        メーカー メーカー名 メーカ メーカ名 ベンダー ベンダー名 ベンダ ベンダ名 製品分類 製品群 製品区分 機種種別 機器種別 製品カテゴリ
        製品カテゴリー 機種区分 機器区分 製品種類 機器種類 機種種類
        """,
        """
        カテゴリ カテゴリー 分類 区分 シリーズ 製品シリーズ ブランド productfamily family vendor manufacturer maker productcategory
        category producttype brand type
        """,
    ),
    "product_number": (
        "製品番号 製品型番 型番 品番 製品型式 型式 型名",
        """
        製品コード 商品コード 商品番号 商品型番 機器型番 機種型番 メーカー型番 部品番号 パーツ番号 製品no pn partnumber partno
        productnumber productno productcode sku
        """,
        "モデル モデル名 モデル番号 機種 機種名 機種番号 model modelno modelnumber modelname item itemnumber itemno",
    ),
    "serial": (
        "シリアル シリアル番号 シリアルno シリアルナンバー 製品シリアル 製品シリアル番号 sn serial serialnumber serialno",
        "製造番号 製造no 製番 機番 機器番号 機器シリアル 機器シリアル番号 シリアル製造番号 シリアルs シリアル番号s",
        "個体番号 固有番号 ハードウェアシリアル",
    ),
    "starts_on": (
        """
        開始日 保守開始日 契約開始日 サービス開始日 サポート開始日 開始年月日 保守開始年月日 契約開始年月日 startdate startson
        servicestartdate contractstartdate supportstartdate
        """,
        """
        開始 保守開始 契約開始 サービス開始 サポート開始 期間開始 期間開始日 保守期間開始 保守期間開始日 契約期間開始 契約期間開始日
        サービス期間開始日 サービス期間開始 有効期間開始日 有効開始日 適用開始日 始期 起算日 start
        """,
        "自 期間自 保守期間自 契約期間自 から 契約期間from 保守期間from from validfrom effectivedate begin begindate",
    ),
    "ends_on": (
        """
        終了日 保守終了日 契約終了日 サービス終了日 サポート終了日 終了年月日 保守終了年月日 契約終了年月日 満了日 契約満了日 保守満了日
        満期日 enddate endson serviceenddate contractenddate supportenddate
        """,
        """
        終了 満了 保守終了 保守満了 契約終了 契約満了 サービス終了 サポート終了 期間終了 期間終了日 保守期間終了 保守期間終了日
        契約期間終了 契約期間終了日 サービス期間終了日 サービス期間終了 期間満了日 有効期間終了日 有効期限 保守期限 契約期限 期限 終期
        満期 expirationdate expirydate expiry expires end
        """,
        "至 期間至 保守期間至 契約期間至 まで 契約期間to 保守期間to to validto validuntil",
    ),
    "service": (
        "サービス種類 サービス種別 サービスの種類",
        """
        サービス サービス名 サービス内容 サービスメニュー サービスレベル サービス区分 保守内容 保守種別 保守種類 保守サービス 保守メニュー
        保守サービス種類 保守サービス種別 保守サービス名 保守サービス内容 保守レベル 保守形態 保守区分 保守タイプ サポート種別
        サポート内容 サポートレベル サポート種類 サポートサービス サポートメニュー servicetype service servicename servicelevel
        supporttype supportlevel
        """,
        "メニュー 対応内容 契約内容 契約種別 契約種類 sla support plan serviceplan",
    ),
    "contact": (
        "問合せ先 お問合せ先 ご問合せ先 御問合せ先",
        """
        問合せ窓口 お問合せ窓口 受付窓口 サポート窓口 保守窓口 窓口 問合せ お問合せ 障害受付窓口 受付先 問合せ先メールアドレス
        問合せ先メール お問合せ先メールアドレス お問合せ先メール contact contactpoint supportcontact contacts inquiries
        """,
        "連絡先 ご連絡先 helpdesk supportdesk",
    ),
    PERIOD: (
        "",
        "契約期間 保守期間 サービス期間 保守契約期間 サポート期間 期間 有効期間 ご契約期間 contractperiod serviceperiod period",
        "",
    ),
}
"""Field -> its names by rank: the certificate's own words, usual ones, doubtful ones."""

EITHER_NAMES = "製品名 製品 商品名 品名 対象製品 対象機器 product productname"
"""Either a product number or a family, whichever has no column of its own."""

PARTY_WORDS: Mapping[str, str] = {
    "operator": """
        運用代行会社 運用代行者 運用代行 運用委託先 運用管理会社 運用会社 運用者 運用先 保守代行 operator managedserviceprovider msp
    """,
    "agent": """
        販売代理店 販売パートナー 販売会社 販売店 販売元 代理店 取扱店 特約店 ディーラー リセラー パートナー 販社 salesagent agent dealer
        reseller distributor partner
    """,
    "end_user": """
        エンドユーザー エンドユーザ 最終ユーザー 設置先 納入先 導入先 お客様 お客 顧客 ご利用者 利用者 利用企業 得意先 ユーザー ユーザ
        enduser customer installationsite user
    """,
}
"""Role of a party -> the words for it, the longer before the shorter they contain."""

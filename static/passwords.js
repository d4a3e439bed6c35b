// パスワードを入力している間、満たした条件と、長さの目安を示す。スクリプトなしでは、送信のときに同じ条件を確かめる。
(() => {
  'use strict';
  const LONG = 15;
  const meets = (item, typed) => new RegExp(item.dataset.rule).test(typed);
  const tell = (said, typed, kept) => {
    if (/[^\x20-\x7e]/.test(typed)) return said.wide;
    if (!kept) return '';
    return typed.length < LONG ? said.short.replace('{n}', typed.length) : said.long;
  };
  addEventListener('input', (e) => {
    if (!e.target.matches?.('input[autocomplete="new-password"]')) return;
    const list = document.querySelector(`[data-rules="${CSS.escape(e.target.name)}"]`);
    const advice = document.querySelector(`[data-advice="${CSS.escape(e.target.name)}"]`);
    if (!list || !advice) return;
    const typed = e.target.value, items = [...list.children];
    items.forEach((item) => item.classList.toggle('yes', meets(item, typed)));
    advice.textContent = tell(advice.dataset, typed, items.every((item) => meets(item, typed)));
  });
})();

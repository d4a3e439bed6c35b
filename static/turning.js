// チケットの画面：来た一覧の順に、前・次のチケットへ移り（J・K）、その一覧へ戻る（U）。
// 一覧は、このタブが覚えている（queue.js）。覚えがなければ、すべてのチケットへ戻る。
(() => {
  'use strict';
  const turns = document.querySelector('[data-turns]'), number = location.pathname.split('/')[3];
  let list = null;
  try {
    list = JSON.parse(sessionStorage.getItem('jtickets-list'));
    if (list) sessionStorage.setItem('jtickets-list', JSON.stringify({ ...list, at: number }));
  } catch { /* 覚えられない設定のブラウザー */ }
  if (!turns || !list) return;
  document.querySelector('.crumb [data-key=u]').href = list.url;
  const at = list.numbers.indexOf(number);
  for (const link of at < 0 ? [] : turns.querySelectorAll('a')) {
    const other = list.numbers[at + Number(link.dataset.step)];
    if (other) { link.href = `/console/tickets/${other}`; link.hidden = false; }
  }
  turns.hidden = !turns.querySelector('a:not([hidden])');
})();

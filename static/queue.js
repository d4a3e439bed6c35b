// 一覧の選択と新着：チェック欄はここで付ける（スクリプトなしでは「まとめて操作」のページにある）。文言は data- 属性から受け取る。
(() => {
  'use strict';
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
  const boxes = () => all('form[data-picks] tbody .pick');
  const form = () => document.querySelector('form[data-picks]');
  let last = null;                                                          // Shift を押しながらのクリックで、ここからの範囲を選ぶ

  const box = (name, value, label) => {
    const made = Object.assign(document.createElement('input'), { type: 'checkbox', className: 'check pick', value });
    if (name) made.name = name; else made.dataset.checkAll = '';
    made.setAttribute('aria-label', label);
    return made;
  };
  const tell = () => {
    const bar = form()?.querySelector('.bulk');
    if (!bar) return;
    const n = boxes().filter((x) => x.checked).length;
    boxes().forEach((x) => x.closest('tr').classList.toggle('sel', x.checked));
    const head = form().querySelector('[data-check-all]');
    if (head) { head.checked = n > 0 && n === boxes().length; head.indeterminate = n > 0 && n < boxes().length; }
    bar.hidden = n === 0;
    const words = bar.querySelector('strong');
    words.textContent = fill(words.dataset.text, { n });
    show();
  };
  // キーで移った行は、下に貼り付いた帯のうしろに隠さず、まるごと見せる（マウスで押した行は、指の下で動かさない）
  const show = () => {
    const bar = form()?.querySelector('.bulk:not([hidden])');
    document.documentElement.style.scrollPaddingBottom = bar ? `${bar.offsetHeight}px` : '';
    document.querySelector('.picks tbody :focus-visible')?.closest('tr').scrollIntoView({ block: 'nearest' });
  };
  addEventListener('focusin', show);
  const dress = () => {
    const around = form();
    if (!around) return;
    all('tbody tr', around).forEach((row) => {
      const link = row.querySelector('a');
      if (!link || row.querySelector('.pick')) return;
      const number = link.pathname.split('/').pop();
      row.cells[0].prepend(box('ticket', number, fill(around.dataset.picks, { number: `#${number}` })));
    });
    const head = around.querySelector('thead th');
    if (head && !head.querySelector('.pick')) head.prepend(box('', '', around.dataset.all));
    tell();
  };
  const picked = () => boxes().filter((x) => x.checked).map((x) => x.value);
  const pick = (numbers) => { boxes().forEach((x) => { x.checked ||= numbers.includes(x.value); }); tell(); };
  addEventListener('change', (e) => { if (e.target.matches('.pick')) tell(); });
  addEventListener('click', (e) => {
    const target = e.target;
    if (target.matches?.('tbody .pick')) {
      const list = boxes(), at = list.indexOf(target), from = list.indexOf(last);
      if (e.shiftKey && from >= 0) for (let i = Math.min(at, from); i <= Math.max(at, from); i += 1) list[i].checked = target.checked;
      last = target;
      tell();
    }
    if (target.closest?.('[data-clear]')) { boxes().forEach((x) => { x.checked = false; }); tell(); form().querySelector('thead .pick')?.focus(); }
    const act = target.closest?.('.bulk button[name="act"]');
    if (act && !boxes().some((x) => x.checked)) {                           // 選んでいないときは、いまの行だけ
      const here = form().querySelector('tr[aria-current="true"] .pick');
      if (here) { here.checked = true; tell(); } else e.preventDefault();
    }
  }, true);

  // 確認のページ：チェックを外した分だけ、ボタンの件数を減らす
  const count = (from) => {
    const words = from.querySelector('[data-label][data-text]');
    if (!words) return;
    const n = all('input[name="ticket"]', from).filter((x) => x.checked).length;
    words.textContent = fill(words.dataset.text, { n });
    words.closest('button').disabled = n === 0;
  };
  addEventListener('change', (e) => { const from = e.target.closest?.('form[data-count]'); if (from) count(from); });

  // 新着の件数を、画面の題名にも出す
  let title = document.title;
  const name = () => {
    const n = Number(document.getElementById('arrivals')?.dataset.n ?? 0);
    document.title = n ? `(${n > 99 ? '99+' : n}) ${title}` : title;
  };
  let kept = [], turned = false;
  addEventListener('click', (e) => { turned = Boolean(e.target.closest?.('.pager')); });
  addEventListener('htmx:before:swap', () => { kept = picked(); });
  addEventListener('htmx:after:swap', (e) => {
    const part = e.detail?.ctx?.target;
    if (part?.id === 'queue') title = document.querySelector('#queue h1')?.textContent.trim().replace(/\s+/g, ' ') ?? title;
    dress();
    pick(kept);                                                             // 並べ替えても新着を出しても、まだ並んでいる行は選んだまま
    name();
    if (part?.id !== 'queue' || !turned) return;                            // ページを送ったら、その先頭から
    turned = false;
    scrollTo(0, 0);
    const heading = document.querySelector('#queue h1');
    heading.tabIndex = -1;
    heading.focus();
  });

  // この一覧の住所と順番を、チケットの画面（turning.js）のために覚える。戻ったら、見ていたチケット（もうなければ、その次）の行から続ける
  const lines = () => all('#queue [data-rows] tr').map((row) => row.querySelector('a')).filter(Boolean);
  const numberOf = (link) => link.pathname.split('/').pop();
  const lineOf = (number) => lines().find((link) => numberOf(link) === number);
  const known = () => {
    try {
      const list = JSON.parse(sessionStorage.getItem('jtickets-list'));
      return list?.url === location.pathname + location.search ? list : null;
    } catch { return null; /* 覚えられない設定のブラウザー */ }
  };
  const leftAt = (list) => {
    if (!list?.at) return null;
    return list.numbers.slice(Math.max(0, list.numbers.indexOf(list.at))).map(lineOf).find(Boolean);
  };
  const goOn = () => {                                                      // 番号で探したときは、そのチケットの行から
    const list = known();
    if (/back|reload/.test(performance.getEntriesByType('navigation')[0]?.type)) pick(list?.picked ?? []);
    const link = leftAt(list) ?? lineOf((new URLSearchParams(location.search).get('q') ?? '').normalize('NFKC').replace(/^#/, ''));
    if (!link) return;
    const row = link.closest('tr');
    row.setAttribute('aria-current', 'true');
    row.classList.add('cur');
    link.focus();
  };
  addEventListener('pagehide', () => {
    if (!document.getElementById('queue')) return;
    try { sessionStorage.setItem('jtickets-list', JSON.stringify({ url: location.pathname + location.search, numbers: lines().map(numberOf), picked: picked() })); } catch { /* 同上 */ }
  });
  const begin = () => { dress(); goOn(); };
  document.readyState === 'loading' ? addEventListener('DOMContentLoaded', begin) : begin();
  addEventListener('pageshow', tell);
})();

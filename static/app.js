// 画面の小さな補助。ここに書いたことは、どれもスクリプトなしでも（少し不便に）できる。
// CSP は script-src 'self'：インラインも eval も使わない。文言はテンプレートの data- 属性から受け取る。
(() => {
  'use strict';
  const root = document.documentElement;
  root.classList.add('js');
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
  const remember = (name, value) => { try { value === null ? localStorage.removeItem(name) : localStorage.setItem(name, value); } catch { /* 保存できない設定のブラウザー */ } };
  const recall = (name) => { try { return localStorage.getItem(name); } catch { return null; } };

  // スクリプトがあるときだけ役に立つボタン
  const reveal = (from) => all('[data-js][hidden]', from).forEach((x) => { x.hidden = false; });

  // ---- 読むだけなら要らないスクリプト（添付・定型文）は、画面に初めて触れたときに読み込む ----
  const touches = ['pointermove', 'pointerdown', 'keydown', 'focusin', 'dragenter', 'paste'];
  const fetchLater = () => {
    touches.forEach((name) => removeEventListener(name, fetchLater, true));
    const later = document.querySelector('meta[name=jtickets-later]');
    later?.content.split(' ').forEach((src) => document.head.append(Object.assign(document.createElement('script'), { src })));
  };
  touches.forEach((name) => addEventListener(name, fetchLater, true));

  // ---- キー操作（職員コンソール）。WCAG 2.1.4：「?」の一覧で止められる ----
  if (recall('jtickets-keys') === 'off') root.dataset.keys = 'off';
  const off = () => root.dataset.keys === 'off' || !document.querySelector('[data-keys-on]');
  const typing = (t) => t.closest?.('input:not([type=checkbox]):not([type=radio]),textarea,select,[contenteditable]');
  const rows = () => all('[data-rows] [data-row], .desk [data-rows] tr');
  const current = () => rows().findIndex((x) => x.getAttribute('aria-current') === 'true');
  const step = (by) => {
    const list = rows();
    if (!list.length) return;
    const at = current();
    const next = at < 0 ? 0 : Math.max(0, Math.min(list.length - 1, at + by));
    list.forEach((x, i) => { i === next ? x.setAttribute('aria-current', 'true') : x.removeAttribute('aria-current'); x.classList.toggle('cur', i === next); });
    list[next].querySelector('a')?.focus();
  };
  let lastTicked = -1;
  const tick = (range) => {
    const list = rows(), at = current();
    const box = list[at]?.querySelector('input[type=checkbox]');
    if (!box) return;
    const from = range && lastTicked >= 0 ? Math.min(at, lastTicked) : at, to = range && lastTicked >= 0 ? Math.max(at, lastTicked) : at;
    const on = range ? true : !box.checked;
    for (let i = from; i <= to; i += 1) {
      const each = list[i].querySelector('input[type=checkbox]');
      if (each && each.checked !== on) each.click();
    }
    lastTicked = at;
  };
  const dialog = () => document.querySelector('dialog[data-help]');
  const shut = (e) => all('.menu[open]').forEach((menu) => { if (!menu.contains(e.target)) menu.open = false; });
  const escape = () => {
    const open = document.querySelector('.menu[open]');
    if (open) { open.open = false; open.querySelector('summary').focus(); return; }
    rows().forEach((x) => { const box = x.querySelector('input[type=checkbox]'); if (box?.checked) box.click(); });
  };
  const press = (event, selector) => {
    const target = document.querySelector(selector);
    if (!target) return;
    event.preventDefault();
    if (target.matches('summary')) {                                       // 折りたたみは開いて、中の入力欄へ
      const box = target.parentElement;
      box.open = true;
      (box.querySelector('textarea, select, .pop button, .pop a') ?? target).focus();
      return;
    }
    target.matches('input:not([type=checkbox]):not([type=radio]),textarea,select') ? target.focus() : target.click();
  };
  const sequence = { at: 0, key: '' };
  addEventListener('keydown', (e) => {
    if (e.isComposing || e.keyCode === 229) return;                      // 変換中は何もしない
    const mod = e.ctrlKey || e.metaKey;
    if (mod && e.key === 'Enter') {
      const form = e.target.closest?.('form[data-ctrl-enter]');
      if (form) { e.preventDefault(); form.requestSubmit(form.querySelector('button.primary')); }
      return;
    }
    if (e.key === 'Escape' && !document.querySelector('dialog[open]')) { if (!typing(e.target) || e.target.closest('.menu[open]')) escape(); return; }
    if (off() || mod || e.altKey || e.defaultPrevented || typing(e.target) || document.querySelector('dialog[open]')) return;
    const k = e.key.toLowerCase();                                         // CapsLock でも同じ。全角（IME オン）は何にも一致しない
    if (sequence.key === 'g' && performance.now() - sequence.at < 1200) { sequence.key = ''; press(e, `[data-go="${CSS.escape(k)}"]`); return; }
    if (k === 'g') { sequence.key = 'g'; sequence.at = performance.now(); return; }
    if (k === 'j' && rows().length) { e.preventDefault(); step(1); return; }
    if (k === 'k' && rows().length) { e.preventDefault(); step(-1); return; }
    if (k === 'x') { tick(e.shiftKey); return; }
    if (k === 'o') { const link = rows()[current()]?.querySelector('a'); if (link) { e.preventDefault(); link.click(); } return; }
    if (k === '?') { const d = dialog(); if (d) { e.preventDefault(); d.showModal(); } return; }
    if (k.length === 1) press(e, `[data-key="${CSS.escape(k)}"]`);
  });
  addEventListener('change', (e) => {
    const box = e.target;
    if (!box.matches('[data-keys-switch]')) return;
    root.dataset.keys = box.checked ? 'on' : 'off';
    remember('jtickets-keys', box.checked ? null : 'off');
  });

  // ---- 押したときのこと ----
  const showPassword = (button) => {
    const input = document.getElementById(button.getAttribute('aria-controls'));
    const shown = input.type === 'text';
    input.type = shown ? 'password' : 'text';
    button.setAttribute('aria-pressed', String(!shown));
  };
  const copyFrom = (button) => {                                           // 「メールアドレスをユーザーIDにする」
    const source = document.getElementsByName(button.dataset.from)[0], target = document.getElementById(button.dataset.to);
    if (!source || !target) return;
    if (!source.value) { source.focus(); return; }
    target.value = source.value.trim();
    target.dispatchEvent(new Event('input', { bubbles: true }));
    target.focus();
  };
  const acts = {
    '[data-open-help]': () => dialog()?.showModal(),
    '[data-show]': showPassword,
    '[data-from][data-to]': copyFrom,
    '[data-close]': (x) => x.closest('.toast, .banner')?.remove(),
    '[data-copy]': (x) => navigator.clipboard?.writeText(x.dataset.copy).then(() => { x.querySelector('[data-label]').textContent = x.dataset.done; }),
    '[data-print]': () => print(),
    'input[data-check-all]': (x) => rows().forEach((row) => { const box = row.querySelector('input[type=checkbox]'); if (box && box.checked !== x.checked) box.click(); }),
  };
  // キーで外へ出たメニューは、移った先を覆わないように閉じる
  addEventListener('focusin', (e) => { if (e.relatedTarget?.closest?.('.menu') && e.target.matches(':focus-visible')) shut(e); });
  addEventListener('click', (e) => {
    shut(e);
    if (e.target.matches?.('dialog[data-help]')) e.target.close();       // 背景を押したら閉じる
    for (const [selector, act] of Object.entries(acts)) {
      const found = e.target.closest?.(selector);
      if (found) { act(found); return; }
    }
    const link = e.target.closest?.('.errsum a[href^="#"]');               // エラーの一覧から入力欄へ
    const field = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    const folded = field?.closest('details');
    if (folded) folded.open = true;
    if (field) { e.preventDefault(); field.focus(); field.closest('.field')?.scrollIntoView({ block: 'start' }); }
  });

  // ---- 2 度押しを防ぐ。戻る操作で出したページと、ファイルを受け取っただけのページ、送信を中止したページは、元のボタンに直す ----
  const release = () => {
    all('form[data-sent]').forEach((form) => delete form.dataset.sent);
    all('[data-was]').forEach((label) => { label.textContent = label.dataset.was; delete label.dataset.was; });
  };
  addEventListener('submit', (e) => {
    const form = e.target, button = e.submitter;
    if (e.defaultPrevented || form.hasAttribute('hx-post') || (form.getAttribute('method') ?? '').toLowerCase() !== 'post') return;
    if (form.dataset.sent) { e.preventDefault(); return; }
    form.dataset.sent = 'yes';
    if (form.elements.confirmed) history.replaceState(null, '');            // 確認の画面へ戻る操作は、「再送信」でなく、もとのフォームを開く
    setTimeout(release, form.getAttribute('action').endsWith('/export') ? 2000 : 30000);
    const label = button?.querySelector('[data-label]') ?? button;
    if (button?.dataset.busy) setTimeout(() => { label.dataset.was = label.textContent; label.textContent = button.dataset.busy; }, 100);
  });
  addEventListener('pageshow', release);
  window.navigation?.addEventListener('navigateerror', release);

  // ---- 下書き：[data-draft] は htmx の input throttle:1s で保存する。変換中は送らず、確定したらすぐ次の保存に乗せる ----
  let composing = null;
  addEventListener('compositionstart', (e) => { composing = e.target; });
  addEventListener('compositionend', (e) => { composing = null; e.target.dispatchEvent(new Event('input', { bubbles: true })); });
  addEventListener('htmx:config:request', (e) => { if (e.target === composing && e.target.matches('[data-draft]')) e.preventDefault(); });
  // 見えていない画面は「閲覧中」を知らせない
  addEventListener('htmx:config:request', (e) => { if (document.hidden && e.target.matches?.('[data-beat]')) e.preventDefault(); });
  const unsent = new Set();
  addEventListener('input', (e) => { if (e.target.matches?.('[data-draft]')) unsent.add(e.target); });
  const tell = (t, words) => {
    const status = t.form?.querySelector('[data-draft-status]');
    if (!status) return;
    const said = words(status.dataset);
    if (status.textContent !== said) status.textContent = said;              // 同じことは、くり返し読み上げさせない
    status.closest('[hidden]')?.removeAttribute('hidden');
  };
  // 届かなかった下書きは、打つ手が止まっていても、届くまで送り直す
  const later = new Map();
  const again = (t, wait = 3000) => {
    clearTimeout(later.get(t));
    later.set(t, setTimeout(() => { if (unsent.has(t) && t.isConnected) t.dispatchEvent(new Event('input', { bubbles: true })); }, wait));
  };
  addEventListener('htmx:after:request', (e) => {
    const { ctx } = e.detail ?? {}, t = e.target;
    if (!t.matches?.('[data-draft]')) return;
    const answer = ctx?.response?.status;
    if (!(answer < 400)) { tell(t, (said) => (isOut(answer) ? said.signedOut : said.unsaved)); if (answer >= 500) again(t); return; }
    if (ctx.request.body?.get?.(t.name) === t.value) unsent.delete(t);
    const clock = new Intl.DateTimeFormat('ja-JP', { timeZone: 'Asia/Tokyo', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    tell(t, (said) => fill(said.saved, { time: clock.format(new Date()) }));
  });
  addEventListener('htmx:error', (e) => { if (e.target.matches?.('[data-draft]')) { tell(e.target, (said) => said.unsaved); again(e.target); } });
  addEventListener('submit', (e) => { for (const t of unsent) if (t.form === e.target) unsent.delete(t); });
  const isOut = (status) => (status === 401 || status === 403) && dispatchEvent(new Event('jtickets:signed-out'));
  // 画面を離れるとき：まだ送っていない最後の 1 秒を keepalive で送る（本体 64KiB まで。超える分は直前の保存に任せる）
  addEventListener('pagehide', () => {
    for (const t of unsent) {
      const body = new URLSearchParams([...new FormData(t.form)].filter(([, value]) => typeof value === 'string'));
      fetch(t.getAttribute('hx-post'), { method: 'POST', body, keepalive: true, credentials: 'same-origin' }).catch(() => {});
    }
    unsent.clear();
  });

  // ---- 受け付けられた文章の指紋を覚える（uploads.js が、戻る操作で同じ文章を出さない） ----
  let taken = '';
  try {
    const kept = sessionStorage, sent = kept.getItem('jtickets-sent');
    kept.removeItem('jtickets-sent');
    if (sent && document.querySelector('[data-kept-arrived]')) kept.setItem('jtickets-taken', `${sent}\n${kept.getItem('jtickets-taken') ?? ''}`);
    taken = kept.getItem('jtickets-taken') ?? '';
  } catch { /* 覚えられない設定のブラウザー */ }
  addEventListener('pageshow', () => all('[data-draft]').forEach((t) => {          // 戻った画面の文章を下書きに保存する：htmx の用意ができてから
    if (t.value !== t.defaultValue && t.value.startsWith(t.defaultValue) && !taken.includes(t.form.getAttribute('action'))) { unsent.add(t); again(t, 1500); }
  }));

  // ---- 記入者：このブラウザに覚える ----
  all('[data-remember]').forEach((field) => {
    const key = `jtickets:${field.dataset.remember}`;
    try { field.value ||= localStorage.getItem(key) ?? ''; field.form?.addEventListener('submit', () => localStorage.setItem(key, field.value)); } catch { /* 保存できない設定のブラウザでは、毎回の入力になる */ }
  });

  // ---- ログアウト：このブラウザに残した書きかけ（keeping.js）を消す ----
  addEventListener('submit', (e) => {
    if (!['/logout', '/console/sign-out'].includes(e.target.getAttribute('action'))) return;
    e.preventDefault();
    const late = setTimeout(() => leave(), 1000), leave = () => { clearTimeout(late); e.target.submit(); /* submit イベントは起きない */ };
    try { const removal = indexedDB.deleteDatabase('jtickets'); removal.onsuccess = removal.onerror = leave; } catch { leave(); /* 保存できない設定のブラウザには、何も残っていない */ }
  });

  // ---- 取り消せる秒数の表示（読み上げの対象にはしない） ----
  const countDown = (toast) => {
    const until = performance.now() + Number(toast.dataset.seconds) * 1000, left = toast.querySelector('[data-left]');
    toast.removeAttribute('data-seconds');
    const beat = () => {
      const seconds = Math.ceil((until - performance.now()) / 1000);
      if (!toast.isConnected) return;
      if (seconds <= 0) { toast.remove(); return; }
      left.textContent = fill(left.dataset.text, { n: seconds });
      setTimeout(beat, 250);
    };
    beat();
  };

  // ---- 読み込みのあとと、htmx が差し替えたあと ----
  const wake = (from) => {
    reveal(from);
    all('[data-seconds]', from).forEach(countDown);
    all('[data-keys-switch]', from).forEach((box) => { box.checked = root.dataset.keys !== 'off'; });
  };
  const ready = () => {
    wake(document);
    const sum = document.querySelector('.errsum');
    sum?.focus();
    // 未読があるチケットは、最初の未読から見せる。行き先が決まっているとき（#…、エラー）は動かさない。
    const unread = document.querySelector('[data-unread]');
    if (unread && !sum && !location.hash) document.getElementById(unread.hash.slice(1))?.scrollIntoView();
    // 画面に入りきらないメニューとタブは、いまの画面の項目が見えるところまで送っておく。
    all('.side .in, .tabs').forEach((box) => {
      const here = box.querySelector('[aria-current]')?.getBoundingClientRect(), edge = box.getBoundingClientRect();
      if (here) box.scrollBy(Math.max(0, here.right + 48 - edge.right), Math.max(0, here.bottom + 48 - edge.bottom));
    });
  };
  document.readyState === 'loading' ? addEventListener('DOMContentLoaded', ready) : ready();
  let focused = false, reading = [];
  addEventListener('htmx:before:swap', () => {
    focused = document.activeElement && document.activeElement !== document.body;
    reading = all('#presence details[open]');
  });
  addEventListener('htmx:after:swap', (e) => {
    wake(document);
    reading.forEach((x) => { x.open = true; });                            // 開いて読んでいる同僚の下書きは、15 秒ごとの知らせで閉じない
    const sum = document.querySelector('.errsum');
    if (sum && e.detail?.ctx?.response?.status >= 400) { sum.focus(); return; }
    const chosen = document.activeElement?.closest('.menu:not([open]) > .pop');          // 選んだあとに閉じたメニュー：そのボタンへ
    chosen?.parentElement.querySelector('summary').focus();
    if (!focused || (document.activeElement && document.activeElement !== document.body)) return;
    const target = e.detail?.ctx?.target;                                    // 差し替えで消えた：その区画の見出しへ
    const heading = (target?.isConnected && target !== document.body ? target : document.getElementById('main'))?.querySelector('h1, h2') ?? document.querySelector('h1');
    if (heading) { heading.tabIndex = -1; heading.focus(); }
  });

  // 製品を選び直す：入力した内容を持ったまま、選んだ製品のフォームへ移る（スクリプトなしではリンクのまま）。
  addEventListener('click', (e) => {
    const link = e.target.closest?.('form a.prod:not([aria-current])');
    if (!link || e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    const form = link.closest('form');
    const mark = Object.assign(document.createElement('input'), { type: 'hidden', name: 'edit', value: 'subject' });
    form.append(mark);
    form.action = link.href;
    form.submit();
  });
})();

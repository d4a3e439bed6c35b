// 書きかけの問合せを、このブラウザに残す（ログアウトで消える）。1 つのアカウントを何人かで使うため、サーバーには置かない。
// 送ったあとは、受け付けた画面を見てから消す：通信やログインが切れて届かなかった文章は、同じ欄に戻る。
(() => {
  'use strict';
  const PREFIX = 'jtickets:kept:', DAYS = 7, EVERY = 1000;
  const form = document.querySelector('form[data-keep]');
  let store;
  try { store = localStorage; } catch { return; /* 保存できない設定のブラウザ */ }
  const read = (key) => { try { return JSON.parse(store.getItem(PREFIX + key)); } catch { return null; } };
  const write = (key, kept) => { try { store.setItem(PREFIX + key, JSON.stringify(kept)); } catch { /* 空きがない */ } };
  const forget = (key) => { try { store.removeItem(PREFIX + key); } catch { /* 同上 */ } };
  const keys = () => { try { return Object.keys(store).filter((x) => x.startsWith(PREFIX)).map((x) => x.slice(PREFIX.length)); } catch { return []; } };
  keys().forEach((key) => { if (!((read(key)?.at ?? 0) > Date.now() - DAYS * 86400000)) forget(key); });
  if (document.querySelector('[data-kept-arrived]')) keys().forEach((key) => { if (read(key)?.sent) forget(key); });

  // 確認の画面には欄がない：「新規チケットの作成」を押したことだけを書く
  addEventListener('submit', (e) => {
    const key = e.target.dataset?.keepSent, kept = key && read(key);
    if (kept) write(key, { ...kept, sent: true });
  });
  if (!form) return;

  const { keep: key } = form.dataset;
  const fields = [...form.elements].filter((x) => x.name && !x.dataset.remember && !['hidden', 'file', 'submit'].includes(x.type));
  const free = fields.filter((x) => x.matches('textarea,input[type=text]'));
  const isEmpty = () => free.every((x) => !x.value.trim());
  const chosen = (x) => (x.type === 'checkbox' ? x.checked : x.value);
  const put = (x, value) => { if (x.type === 'checkbox') x.checked = value === true; else x.value = value ?? ''; };
  const untouched = fields.map(chosen);

  const save = () => { if (isEmpty()) forget(key); else write(key, { at: Date.now(), values: fields.map((x) => [x.name, x.type === 'checkbox' ? x.value : '', chosen(x)]) }); };
  let waiting = 0, changed = false;
  form.addEventListener('input', () => {
    changed = true;
    waiting ||= setTimeout(() => { waiting = 0; save(); }, EVERY);
  });
  addEventListener('pagehide', () => { if (changed) save(); });
  addEventListener('submit', (e) => { if (e.target !== form) { clearTimeout(waiting); changed = e.target.getAttribute('action') !== '/logout' && changed; } });
  form.addEventListener('submit', () => { clearTimeout(waiting); changed = false; save(); const kept = read(key); if (kept) write(key, { ...kept, sent: form.hasAttribute('data-keep-posts') }); });

  const kept = read(key), notice = document.querySelector('[data-kept]');
  if (!kept || !isEmpty() || !notice) return;
  for (const [name, value, was] of kept.values) {
    const x = fields.find((y) => y.name === name && (y.type !== 'checkbox' || y.value === value));
    if (x) put(x, was);
  }
  notice.hidden = false;
  notice.querySelector('button').addEventListener('click', () => {
    fields.forEach((x, i) => put(x, untouched[i]));
    forget(key);
    changed = false;
    notice.hidden = true;
    free[0].focus();
  });
})();

// 書きかけの問合せを、このブラウザに残す（ログアウトで消える）。1 つのアカウントを何人かで使うため、サーバーには置かない。
// IndexedDB に置く：localStorage は数秒から 1 分遅れてディスクに書かれ、ブラウザごと落ちると失われる。
// 職員の電話の受付なども同じ。返信と社内メモには、サーバーの下書きがある。data-keep-over：初めから値のある欄にも戻す。
// 送ったあとは、受け付けた画面を見てから消す：通信やログインが切れて届かなかった文章は、同じ欄に戻る。
(() => {
  'use strict';
  const DAYS = 7, EVERY = 1000;
  const form = document.querySelector('form[data-keep]'), confirmed = document.querySelector('form[data-keep-sent]');
  const key = form?.dataset.keep ?? confirmed?.dataset.keepSent;
  let kept = null, give = () => {};
  const forget = () => { kept = null; change((texts) => texts.delete(key)); };
  const write = (text) => { kept = text; change((texts) => texts.put(text, key)); };
  // 保存できない設定のブラウザと、空きのないブラウザでは、何も残さない
  let db = null;
  const change = (act) => {
    try {
      const turn = db?.transaction('texts', 'readwrite');
      if (!turn) return;
      act(turn.objectStore('texts'));
      turn.commit(); // 返事を待たずに確定する：画面を離れるところでも間に合う
    } catch { /* 同上 */ }
  };
  try {
    const opening = indexedDB.open('jtickets', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('texts');
    opening.onerror = (e) => e.preventDefault();
    opening.onsuccess = () => {
      db = opening.result;
      db.onversionchange = () => { db.close(); db = null; };
      const texts = db.transaction('texts', 'readwrite').objectStore('texts'), arrived = document.querySelector('[data-kept-arrived]');
      texts.openCursor().onsuccess = ({ target: { result: at } }) => {
        if (!at) { give(); return; }
        if (!(at.value.at > Date.now() - DAYS * 86400000) || (arrived && at.value.sent)) at.delete();
        else if (at.key === key) kept = at.value;
        at.continue();
      };
    };
  } catch { return; }

  // 確認の画面には欄がない：「新規チケットの作成」を押したことだけを書く
  confirmed?.addEventListener('submit', () => { if (kept) write({ ...kept, sent: true }); });
  if (!form) return;

  const fields = [...form.elements].filter((x) => x.name && !x.dataset.remember && !['hidden', 'file', 'submit'].includes(x.type));
  const free = fields.filter((x) => x.matches('textarea,input[type=text]'));
  const isEmpty = () => free.every((x) => !x.value.trim());
  const chosen = (x) => (x.type === 'checkbox' ? x.checked : x.value);
  const put = (x, value) => { if (x.type === 'checkbox') x.checked = value === true; else x.value = value ?? ''; };
  const untouched = fields.map(chosen);

  const save = (sent = false) => {
    if (isEmpty()) forget();
    else write({ at: Date.now(), sent, values: fields.map((x) => [x.name, x.type === 'checkbox' ? x.value : '', chosen(x)]) });
  };
  let waiting = 0, changed = false;
  form.addEventListener('input', () => {
    changed = true;
    waiting ||= setTimeout(() => { waiting = 0; save(); }, EVERY);
  });
  addEventListener('pagehide', () => { if (changed) save(); });
  addEventListener('submit', (e) => { if (e.target !== form) { clearTimeout(waiting); changed = !['/logout', '/console/sign-out'].includes(e.target.getAttribute('action')) && changed; } });
  form.addEventListener('submit', () => { clearTimeout(waiting); changed = false; save(form.hasAttribute('data-keep-posts')); });

  give = () => {
    const notice = document.querySelector('[data-kept]');
    const begun = form.hasAttribute('data-keep-over') ? free.some((x) => x.value !== x.defaultValue) || document.querySelector('.errsum') : !isEmpty();
    if (!kept || begun || !notice) return;
    for (const [name, value, was] of kept.values) {
      const x = fields.find((y) => y.name === name && (y.type !== 'checkbox' || y.value === value));
      if (x) put(x, was);
    }
    notice.hidden = false;
    notice.querySelector('button').addEventListener('click', () => {
      fields.forEach((x, i) => put(x, untouched[i]));
      forget();
      changed = false;
      notice.hidden = true;
      free[0].focus();
    });
  };
})();

// 取込の画面：セルをその場で直すときのキーと、送信の進み具合。どれもスクリプトなしでも（少し不便に）できる。
(() => {
  'use strict';
  const cells = (from = document) => [...from.querySelectorAll('[data-cell]:not([readonly])')];

  // Esc：直すのをやめて、元の値に戻す。
  addEventListener('keydown', (e) => {
    if (e.isComposing || e.keyCode === 229 || e.defaultPrevented) return;         // 変換中と、g に続く e（例外申請へ）では何もしない
    const cell = e.target.closest?.('[data-cell]');
    if (cell && e.key === 'Escape') { cell.value = cell.defaultValue; cell.blur(); return; }
    if (e.key.toLowerCase() !== 'e' || e.ctrlKey || e.metaKey || e.altKey || document.documentElement.dataset.keys === 'off') return;
    if (e.target.closest?.('input, textarea, select') || document.querySelector('dialog[open]')) return;
    // E：選んでいる行の最初のセルへ。直すセルがなければ、行の画面を開く。
    const row = document.querySelector('[data-row][aria-current="true"]') ?? cells()[0]?.closest('tr');
    const target = row && (cells(row)[0] ?? row.nextElementSibling?.querySelector('[data-cell]') ?? row.querySelector('a'));
    if (!target) return;
    e.preventDefault();
    target.matches('a') ? target.click() : (target.focus(), target.select());
  });

  // 提案された値を入れるボタン（行の画面）
  addEventListener('click', (e) => {
    const button = e.target.closest?.('[data-put]');
    if (!button) return;
    const cell = document.getElementById(button.dataset.put);
    cell.value = button.value;
    cell.focus();
  });

  // 直したあと：次に直すセルへ（ブラウザーが # の行へ動いてから。先に移すと、そのときにフォーカスが外れる）
  const goOn = () => {
    const from = document.getElementById(location.hash.slice(1));
    const after = cells().find((x) => !from || from.compareDocumentPosition(x) & Node.DOCUMENT_POSITION_FOLLOWING) ?? cells()[0];
    after?.focus();
  };
  if (location.search.includes('fixed=') && location.hash.startsWith('#row-')) addEventListener('load', () => setTimeout(goOn, 50));

  // 送信の進み具合：大きなファイルでも、いま何 % かが分かる。やめることもできる。
  const form = document.querySelector('form[data-upload]');
  const bar = form?.querySelector('[data-upload-bar]');
  form?.addEventListener('submit', (e) => {
    if (e.defaultPrevented || !window.FormData) return;
    e.preventDefault();
    const request = new XMLHttpRequest(), line = bar.querySelector('progress'), words = bar.querySelector('[data-upload-text]');
    const button = form.querySelector('button[type=submit]');
    const again = (text) => { words.textContent = text; button.disabled = false; delete form.dataset.sent; };
    bar.hidden = false;
    button.disabled = true;
    request.upload.addEventListener('progress', (p) => {
      if (!p.lengthComputable) return;
      const percent = Math.floor(p.loaded / p.total * 100);
      line.value = percent;
      words.textContent = (percent < 100 ? bar.dataset.sending : bar.dataset.sent).replace('{n}', `${percent}%`);
    });
    request.addEventListener('load', () => {
      if (request.status < 400) { location.assign(request.responseURL); return; }
      if (request.getResponseHeader('content-type')?.startsWith('text/html')) {
        const page = new DOMParser().parseFromString(request.responseText, 'text/html');
        document.getElementById('main').replaceWith(page.getElementById('main'));
        document.querySelector('.errsum')?.focus();
        return;
      }
      again(bar.dataset.broken);
    });
    request.addEventListener('error', () => again(bar.dataset.broken));
    request.addEventListener('abort', () => { bar.hidden = true; again(''); });
    bar.querySelector('[data-upload-stop]').onclick = () => request.abort();
    request.open('POST', form.action);
    request.send(new FormData(form));
  });
})();

// 定型文：返信や社内メモの本文で「::」（：：も可）に続けて名前を打つと、一覧から選んで入れられる。
// スクリプトなしでは、同じボタンが選ぶ画面へ送る（書きかけは下書きに残る）。
(() => {
  'use strict';
  const ASKED = /(?:::|：：)([^\s:：]{0,30})$/u;                            // ボタンは、どこでも開く
  const TYPED = /(?:^|[^0-9A-Za-z:：])(?:::|：：)([^\s:：]{0,30})$/u;         // 「2001:db8::」や「std::」は、書いている言葉の一部
  const fold = (text) => text.normalize('NFKC').toLowerCase();
  const loaded = new Map();                                                // 一覧は画面を開くたびに 1 度だけ読み込む
  let pressed = null;                                                      // ボタンで開いた本文
  let open = null;                                                         // { area, list, status, start, at }

  const load = (url) => {
    if (!loaded.has(url)) {
      const asked = fetch(url, { headers: { 'HX-Request': 'true' }, credentials: 'same-origin' }).then(async (answer) => {
        if (!answer.ok || answer.headers.get('HX-Redirect')) throw new Error('lost');
        const holder = document.createElement('template');
        holder.innerHTML = await answer.text();
        return [...holder.content.querySelectorAll('[role=option]')];
      });
      asked.catch(() => loaded.delete(url));
      loaded.set(url, asked);
    }
    return loaded.get(url);
  };
  const close = () => {
    pressed = null;
    if (!open) return;
    open.list.hidden = true;
    open.list.replaceChildren();
    open.status.textContent = '';
    ['aria-controls', 'aria-activedescendant', 'aria-haspopup', 'aria-autocomplete'].forEach((name) => open.area.removeAttribute(name));
    open = null;
  };
  const shown = () => [...open.list.children];
  const choose = (at) => {
    const items = shown();
    if (!items.length) { open.area.removeAttribute('aria-activedescendant'); return; }
    open.at = (at + items.length) % items.length;
    items.forEach((item, i) => {
      item.setAttribute('aria-selected', String(i === open.at));
      item.querySelector('.sample').hidden = i !== open.at;
    });
    open.area.setAttribute('aria-activedescendant', items[open.at].id);
    items[open.at].scrollIntoView({ block: 'nearest' });
  };
  const put = (area, from, to, text) => {
    area.focus();
    area.setSelectionRange(from, to);
    // execCommand だけが「元に戻す（Ctrl+Z）」を壊さない
    if (!document.execCommand('insertText', false, text)) {
      area.setRangeText(text, from, to, 'end');
      area.dispatchEvent(new Event('input', { bubbles: true }));
    }
  };
  const insert = (item) => {
    const { area, start } = open, text = item.dataset.text, mark = text.match(/【要確認：[^】]*】/u);
    const end = area.selectionStart;
    close();
    put(area, start, end, text);
    if (mark) area.setSelectionRange(start + mark.index, start + mark.index + mark[0].length);    // 足りない内容から書けるように選んでおく
  };
  const asked = (area) => {                                                // カーソルの直前の「::」と、続けて打った名前
    if (area.selectionStart !== area.selectionEnd) return null;
    const before = area.value.slice(Math.max(0, area.selectionStart - 40), area.selectionStart);
    return (area === pressed ? ASKED : TYPED).test(before) ? ASKED.exec(before) : null;
  };
  const offer = async (area) => {
    const box = area.form?.querySelector('[data-canned]');
    if (!box || !asked(area)) { close(); return; }
    const list = box.querySelector('.options'), status = box.querySelector('[role=status]');
    const words = document.querySelector('[data-canned][data-said]').dataset;    // 文言は画面に 1 度だけある
    let items;
    try { items = await load(box.dataset.canned); } catch { status.textContent = words.lost; return; }
    const found = asked(area);                                             // 読み込む間に打ち進めた、または消した
    if (document.activeElement !== area || !found) { close(); return; }
    const wanted = fold(found[1]), hits = items.filter((item) => fold(item.dataset.name).includes(wanted));
    if (open && open.area !== area) close();
    open = { area, list, status, start: area.selectionStart - found[0].length, at: 0 };
    list.replaceChildren(...hits.map((item) => { const copy = item.cloneNode(true); copy.id = `${list.id}-${item.id}`; return copy; }));
    list.setAttribute('role', 'listbox');
    list.hidden = hits.length === 0;
    status.textContent = hits.length ? words.said.replace('{n}', hits.length) : words.none;
    area.setAttribute('aria-controls', list.id);
    area.setAttribute('aria-haspopup', 'listbox');
    area.setAttribute('aria-autocomplete', 'list');
    choose(0);
    list.scrollIntoView({ block: 'nearest' });
  };
  const ours = (t) => t?.matches?.('textarea') && t.form?.querySelector('[data-canned]');

  addEventListener('input', (e) => { if (ours(e.target) && !e.isComposing) offer(e.target); });
  addEventListener('compositionend', (e) => { if (ours(e.target)) offer(e.target); });
  addEventListener('keydown', (e) => {
    if (!open || e.target !== open.area || e.isComposing || e.keyCode === 229) return;
    const items = shown(), steps = { ArrowDown: 1, ArrowUp: -1 };
    if (e.key === 'Escape') {
      const { area, start } = open, byButton = area === pressed;
      e.preventDefault();
      e.stopPropagation();
      close();
      if (byButton) put(area, start, area.selectionStart, '');       // ボタンが入れた「::」は残さない
      return;
    }
    if (!items.length || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key in steps) { e.preventDefault(); choose(open.at + steps[e.key]); return; }
    if (e.key === 'Enter' || (e.key === 'Tab' && !e.shiftKey)) { e.preventDefault(); insert(items[open.at]); }
  }, true);
  addEventListener('mousedown', (e) => { if (open?.list.contains(e.target)) e.preventDefault(); });          // 本文からフォーカスを移さない
  addEventListener('click', (e) => {
    const item = open && e.target.closest?.('[role=option]');
    if (item && open.list.contains(item)) { insert(item); return; }
    const button = e.target.closest?.('[data-canned-open]');
    if (!button) { if (open && e.target !== open.area) close(); return; }
    e.preventDefault();                                                    // 画面を移らず、カーソルの位置で選ぶ
    const area = button.form.querySelector('textarea'), at = area.selectionEnd;
    pressed = area;
    ASKED.test(area.value.slice(Math.max(0, at - 40), at)) ? (area.setSelectionRange(at, at), area.focus(), offer(area)) : put(area, at, at, '::');
  });
  addEventListener('focusout', (e) => { if (open && e.target === open.area) setTimeout(() => { if (open && document.activeElement !== open.area) close(); }, 100); });
  if (ours(document.activeElement)) offer(document.activeElement);         // 読み込みを待つ間に「::」まで打っていた
})();

// 添付：選ぶ・置く・貼り付ける。data-uploads のある欄は 1 ファイルずつ先に送り、進み具合を見せ、途切れたものだけを送り直せる。
// ほかの欄は、選んだファイルの一覧と大きさの確認だけを行う。スクリプトなしでは、ふつうのファイル選択のまま。
(() => {
  'use strict';
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
  const KB = 1024, MB = KB * KB, AT_ONCE = 2;
  const size = (n) => (n < KB ? `${n} B` : n < MB ? `${Math.round(n / KB)} kB` : `${(n / MB).toFixed(1)} MB`);
  const over = (n) => (Math.ceil(n / MB * 10) / 10).toFixed(1);            // 上限ちょうどに見えないよう切り上げる
  const boxes = new WeakMap();

  const fault = (file, said) => {
    const max = Number(said.maxFile);
    if (max && file.size > max) return fill(said.tooLarge, { file: file.name, max: max / MB, n: over(file.size) });
    return file.size === 0 ? fill(said.emptyFile, { file: file.name }) : '';
  };

  class Box {
    constructor(box) {
      this.box = box;
      const words = document.querySelector('[data-files][data-too-large]');    // 文言と行のひな形は、画面に 1 度だけある
      this.said = { ...words.dataset, ...box.dataset };
      this.input = box.querySelector('input[type=file]');
      this.out = box.querySelector('[data-list]');
      this.sum = box.querySelector('[data-sum]');
      this.model = (box.querySelector('template') ?? words.querySelector('template')).content.firstElementChild;
      this.ahead = Boolean(this.said.uploads && this.input.form);
      this.entries = [];
      this.pressed = null;                                                   // 送り終わるのを待っている送信ボタン
      if (this.input.files.length) this.add([...this.input.files]);
    }

    add(files) {
      if (!this.input.multiple) this.entries = [];
      const known = (file) => this.entries.some(({ file: x }) => x.name === file.name && x.size === file.size && x.lastModified === file.lastModified);
      const added = (this.input.multiple ? files : files.slice(0, 1)).filter((file) => !known(file));
      added.forEach((file) => this.entries.push({ file, state: 'waiting', problem: fault(file, this.said), percent: 0, item: this.made(file) }));
      this.entries.forEach((entry) => { if (entry.problem && entry.state === 'waiting') entry.state = 'bad'; });
      this.show();
      this.next();
    }

    made(file) {
      const item = this.model.cloneNode(true), find = (name) => item.querySelector(`[data-${name}]`);
      find('name').textContent = file.name;
      find('size').textContent = size(file.size);
      all('[data-which]', item).forEach((x) => { x.textContent = `：${file.name}`; });
      find('drop').addEventListener('click', () => this.drop(file));
      find('stop')?.addEventListener('click', () => { this.entry(file).request?.abort(); find('retry').focus(); });
      find('retry')?.addEventListener('click', () => { Object.assign(this.entry(file), { state: 'waiting', problem: '', percent: 0 }); this.show(); this.next(); find('stop').focus(); });
      return item;
    }

    entry(file) { return this.entries.find((x) => x.file === file); }

    drop(file) {
      const at = this.entries.findIndex((x) => x.file === file), [gone] = this.entries.splice(at, 1);
      gone.request?.abort();
      if (gone.token) this.post(`${this.said.uploads}/${encodeURIComponent(gone.token)}/removal`);
      this.show();
      this.next();
      (this.entries[Math.min(at, this.entries.length - 1)]?.item.querySelector('[data-drop]') ?? this.input).focus();
    }

    post(path, file) {
      const body = new FormData();
      body.append('csrf_token', this.input.form.elements.csrf_token.value);
      if (file) body.append('files', file, file.name);
      const request = new XMLHttpRequest();
      request.open('POST', path);
      request.responseType = 'text';
      request.setRequestHeader('Accept', 'application/json');
      request.send(body);
      return request;
    }

    next() {
      if (!this.ahead) return;
      const waiting = this.entries.filter((x) => x.state === 'waiting');
      const free = AT_ONCE - this.entries.filter((x) => x.state === 'sending').length;
      waiting.slice(0, Math.max(0, free)).forEach((entry) => this.send(entry));
      if (this.pressed && this.settled()) { const button = this.pressed; this.pressed = null; this.input.form.requestSubmit(button); }
    }

    send(entry) {
      const { file } = entry, request = this.post(this.said.uploads, file);
      const end = (state, problem = '', token = '') => { Object.assign(entry, { state, problem, token, request: null }); if (state !== 'done') this.pressed = null; this.show(); this.next(); };
      Object.assign(entry, { state: 'sending', request });
      request.upload.addEventListener('progress', (p) => { entry.percent = p.lengthComputable ? Math.floor(p.loaded / p.total * 100) : 0; this.progress(entry); });
      request.addEventListener('load', () => {
        const told = this.told(request);
        if (told?.token) { end('done', '', told.token); return; }
        if (request.status === 413) { end('bad', fill(this.said.tooLarge, { file: file.name, max: Number(this.said.maxFile) / MB, n: over(file.size) })); return; }
        if (!told?.said && request.status < 500) dispatchEvent(new Event('jtickets:signed-out'));
        end(told?.said ? 'bad' : 'failed', told?.said ?? (request.status < 500 ? this.said.signedOut : fill(this.said.broken, { file: file.name })));
      });
      request.addEventListener('error', () => end('failed', fill(this.said.broken, { file: file.name })));
      request.addEventListener('abort', () => { if (this.entries.includes(entry)) end('failed', fill(this.said.stopped, { file: file.name })); });
      this.show();
    }

    told(request) {
      if (!request.getResponseHeader('content-type')?.startsWith('application/json')) return null;
      try { return JSON.parse(request.responseText); } catch { return null; }
    }

    settled() { return this.entries.every((x) => x.state === 'done'); }

    progress(entry) {
      const line = entry.item.querySelector('progress');
      if (line) line.value = entry.percent;
    }

    show() {
      const here = document.activeElement, items = this.entries.map(({ item }) => item);
      [...this.out.children].filter((x) => !items.includes(x)).forEach((x) => x.remove());      // 残る行は動かさない：動かすとフォーカスが外れる
      this.out.append(...items.filter((x) => x.parentElement !== this.out));
      this.out.hidden = this.entries.length === 0;                         // 行を見せてから書く：読み上げられる
      for (const entry of this.entries) {
        const { item, state, problem } = entry, find = (name) => item.querySelector(`[data-${name}]`);
        find('problem').textContent = problem;
        if (!this.ahead) continue;
        item.querySelector('progress').hidden = !['waiting', 'sending'].includes(state);
        find('done').hidden = state !== 'done';
        find('stop').hidden = state !== 'sending';
        find('retry').hidden = state !== 'failed';
        find('drop').hidden = state === 'sending';
        find('held').disabled = state !== 'done';
        find('held').value = entry.token ?? '';
        this.progress(entry);
        if (here.hidden && item.contains(here)) item.querySelector('button:not([hidden])')?.focus();    // 押していたボタンが消えた
      }
      const total = this.entries.reduce((n, { file }) => n + file.size, 0), max = Number(this.said.maxPost);
      const tooMuch = max && total > max ? fill(this.said.postTooLarge, { max: max / MB, n: over(total) }) : '';
      const words = this.entries.length ? fill(this.said.sumText, { n: this.entries.length, size: size(total) }) : '';
      this.sum.textContent = [words, tooMuch, this.pressed ? this.said.waits : ''].filter(Boolean).join(' ');
      this.sum.classList.toggle('msg-err', tooMuch !== '');
      this.fault = tooMuch || this.entries.map(({ problem }) => problem).find(Boolean) || '';
      // 先に送った欄は、フォームと一緒にもう 1 度送らない
      const carrier = new DataTransfer();
      if (!this.ahead) this.entries.forEach(({ file }) => carrier.items.add(file));
      this.input.files = carrier.files;
      this.input.setCustomValidity(this.ahead ? '' : this.fault);
    }

    // 送信を止めるか。まだ送っているファイルがあれば、終わりしだい続ける
    holds(button) {
      if (this.fault) {
        (this.entries.find((x) => x.problem)?.item.querySelector('button:not([hidden])') ?? this.input).focus();
        return true;
      }
      if (!this.ahead || this.settled()) return false;
      this.pressed = button;
      this.show();
      return true;
    }
  }

  const boxOf = (from) => {
    const box = from?.closest?.('[data-files]') ?? from?.closest?.('form')?.querySelector('[data-files]');
    if (!box) return null;
    if (!boxes.has(box)) boxes.set(box, new Box(box));
    return boxes.get(box);
  };
  addEventListener('submit', (e) => {
    const found = boxOf(e.target.querySelector('[data-files]'));
    if (found?.holds(e.submitter)) { e.preventDefault(); e.stopImmediatePropagation(); }
  }, true);
  addEventListener('change', (e) => { if (e.target.matches('[data-files] input[type=file]')) boxOf(e.target).add([...e.target.files]); });

  // 置く：フォームのどこに置いても、その欄に入る。ほかの場所では、ファイルを開いて画面を離れることだけを防ぐ
  const carries = (e) => [...(e.dataTransfer?.types ?? [])].includes('Files');
  const light = (on) => all('.drop').forEach((zone) => zone.classList.toggle('on', zone === on));
  addEventListener('dragover', (e) => {
    if (!carries(e) || !document.querySelector('[data-files]')) return;
    e.preventDefault();
    light(boxOf(e.target)?.box.querySelector('.drop'));
  });
  addEventListener('dragleave', (e) => { if (!e.relatedTarget) light(null); });
  addEventListener('drop', (e) => {
    if (!carries(e) || !document.querySelector('[data-files]')) return;
    e.preventDefault();
    light(null);
    boxOf(e.target)?.add([...e.dataTransfer.files]);
  });

  addEventListener('paste', (e) => {                                         // 画面写真とファイルの貼り付け
    const files = [...(e.clipboardData?.files ?? [])], found = files.length && boxOf(e.target);
    if (!found || e.clipboardData.getData('text/plain')) return;             // 表計算などは文章と画像の両方を渡す：文章を優先する
    e.preventDefault();
    const parts = Object.fromEntries(new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Tokyo', year: 'numeric', month: '2-digit', day: '2-digit',
      hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).formatToParts(new Date()).map((p) => [p.type, p.value]));
    const stamp = `${found.said.pasteName}_${parts.year}${parts.month}${parts.day}_${parts.hour}${parts.minute}`;
    const taken = (name) => found.entries.some(({ file }) => file.name === name);
    found.add(files.map((file, i) => {
      if (file.type !== 'image/png') return file;
      let name = `${stamp}${i ? `_${i + 1}` : ''}.png`;
      for (let n = 2; taken(name); n += 1) name = `${stamp}_${n}.png`;
      return new File([file], name, { type: file.type, lastModified: Date.now() });
    }));
  });
  // 戻る操作：画面は新しく開き、打った文章はブラウザーが戻す。受け付けられた文章は消す（2 度送らない）。覚えるのは指紋だけで、このタブの間だけ
  const texts = (form) => all('textarea, input[type=text]:not([data-remember])', form);
  const fingerprint = (form) => {
    const typed = texts(form).map((x) => x.value).join('\n');
    return `${form.getAttribute('action')} ${[...typed].reduce((sum, c) => Math.imul(sum ^ c.codePointAt(0), 16777619), 5381)}`;
  };
  addEventListener('submit', (e) => {
    if (e.defaultPrevented || !e.target.elements.submission) return;
    try { sessionStorage.setItem('jtickets-sent', fingerprint(e.target)); } catch { /* 覚えられない設定のブラウザー */ }
  });
  const clean = () => {
    try {
      const taken = (sessionStorage.getItem('jtickets-taken') ?? '').split('\n');
      all('form').filter((form) => form.elements.submission && taken.includes(fingerprint(form))).flatMap(texts).forEach((x) => { x.value = x.defaultValue; });
    } catch { /* 同上 */ }
  };
  document.readyState === 'complete' ? setTimeout(clean) : addEventListener('pageshow', clean);

  // サインインが切れたあと、別のタブでサインインし直して戻った：この画面のフォームを新しいセッションのものにして、続けられるようにする
  let out = false;
  addEventListener('jtickets:signed-out', () => { out = true; });
  addEventListener('focus', async () => {
    if (!out) return;
    out = false;
    const answer = await fetch(location.pathname.startsWith('/console') ? '/console/profile' : '/profile').catch(() => null);
    const token = answer?.ok && !answer.redirected && new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[name=csrf_token]')?.value;
    if (!token) { out = true; return; }
    all('[name=csrf_token]').forEach((x) => { x.value = token; });
    all('[data-draft]').forEach((t) => { if (t.value !== t.defaultValue) t.dispatchEvent(new Event('input', { bubbles: true })); });
  });
  all('[data-files]').forEach((box) => { if (box.querySelector('input[type=file]').files.length) boxOf(box); });
})();

// The page in the browser: shows, asks the function, and keeps nothing. What was pasted lives in the field alone, and all
// that is shown is written as text. The rules for keys are the function's; here is only what each finding looks like.
"use strict";
(() => {
  const WORDS = JSON.parse(document.getElementById("words").textContent);
  const CHECKS = ["shape", "accepted", "owner", "permissions", "models", "balance", "spend_limit", "rate_limits"];
  const MARKS = { good: "✓", bad: "!", note: "i", unknown: "?", unseen: "–", waiting: "", running: "" };
  const PAUSES = [1000, 2000, 4000, 8000, 15000, 30000];
  const TICK = 140;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const $ = (id) => document.getElementById(id);

  let language = /#es$/.test(location.hash) || (!/#en$/.test(location.hash) && /^es/i.test(navigator.language)) ? "es" : "en";
  let session = null; // what /session told
  let ends = 0; // when the link ends, in this browser's milliseconds, however wrong its clock is
  let shown = { kind: "loading" }; // which view
  let rows = null; // the check's findings, as shown
  let cleaned = [];
  let notice = null; // { kind, name, facts, again }
  let passed = false;
  let busy = ""; // "check" or "save" while one runs
  let turn = 0; // grows when what was pasted changes: a late answer to an older text is dropped
  let done = new Set(); // steps
  let open = 0;
  let typing = 0; // the timer after the last key stroke
  const field = document.createElement("textarea");

  const words = () => WORDS[language];
  const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (all, name) => (facts && name in facts ? facts[name] : all));
  const number = (value) => (value == null ? "–" : new Intl.NumberFormat(language).format(value));
  const time = (seconds, options) => new Intl.DateTimeFormat(language, options).format(new Date(seconds * 1000));
  const LONG = { dateStyle: "long", timeStyle: "short" };

  // --- elements: only text, never HTML -------------------------------------------------------------------------------

  function el(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value != null) made.setAttribute(name, value);
    }
    made.append(...children.flat().filter((one) => one != null && one !== ""));
    return made;
  }

  // Links [text](https://…), `code` and **strong** of the language files.
  function rich(text) {
    const parts = [];
    let from = 0;
    for (const found of text.matchAll(/\[([^\]]+)\]\((https:\/\/[^)\s]+)\)|`([^`]+)`|\*\*([^*]+)\*\*/g)) {
      parts.push(text.slice(from, found.index));
      if (found[1]) parts.push(link(found[1], found[2]));
      else if (found[3]) parts.push(el("code", { translate: "no" }, found[3]));
      else parts.push(el("strong", {}, found[4]));
      from = found.index + found[0].length;
    }
    return [...parts, text.slice(from)];
  }

  function link(text, address) {
    const tab = el("span", { class: "unseen" }, ` (${words().new_tab})`);
    return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text, tab);
  }

  const plain = (text) => rich(text).map((one) => (typeof one === "string" ? one : one.firstChild.textContent)).join("");

  let told = "";
  function say(text) {
    if (!text || text === told) return;
    told = text;
    $("said").append(el("p", { lang: language }, text));
  }

  // --- asking the function -------------------------------------------------------------------------------------------

  const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // Status and JSON of an answer of ours; status 0 without one. Lambda's own 413, 429, 502 and 504 are no JSON of ours.
  async function post(path, content) {
    try {
      const answer = await fetch(path, {
        method: "POST", body: JSON.stringify(content), headers: { "Content-Type": "application/json" },
        credentials: "same-origin", cache: "no-store", redirect: "error", signal: AbortSignal.timeout(55000),
      });
      let data = null;
      try { data = await answer.json(); } catch { data = null; }
      const ours = data !== null && typeof data === "object" && (answer.ok || typeof data.error === "string");
      return { status: answer.status, data: ours ? data : null };
    } catch {
      return { status: 0, data: null };
    }
  }

  // Asks until there is an answer of ours that means something. Every request may be repeated: checks that run are
  // waited for, an answered one is not billed again, and saving twice is saving once.
  async function ask(path, content, mine) {
    for (let tries = 0; ; tries += 1) {
      const { status, data } = await post(path, content);
      if (mine !== undefined && mine !== turn) return null;
      if (data && !["busy", "slow_down", "away"].includes(data.error)) return data;
      if (status === 413) return { error: "too_large" };
      if (tries === PAUSES.length) return { error: "gave_up" };
      const wait = data && data.seconds ? data.seconds * 1000 : PAUSES[tries] * (0.75 + Math.random() / 2);
      if (data && data.error === "slow_down") tell("note", "slow_down", { seconds: data.seconds });
      else if (tries > 0 || !data) tell("note", shown.kind === "loading" ? "opening" : navigator.onLine === false ? "offline" : "retrying");
      await rest(wait);
      if (mine !== undefined && mine !== turn) return null;
    }
  }

  function tell(kind, name, facts, again) {
    notice = name ? { kind, name, facts, again } : null;
    drawNotice();
    if (name) say(plain(fill(words().notices[name], facts)));
  }

  // --- opening -------------------------------------------------------------------------------------------------------

  async function start() {
    const token = /^#([\w-]+\.[\w-]+)$/.exec(location.hash);
    shown = { kind: "loading" };
    draw();
    const data = await ask("/session", token ? { token: token[1] } : {});
    if (data.error === "gave_up") {
      shown = { kind: "problem", name: "away" };
      return draw(true);
    }
    if (data.error) {
      forget();
      shown = { kind: "problem", name: data.error in words().problems ? data.error : "no_link" };
      return draw(true);
    }
    session = data;
    ends = Date.now() + data.seconds_left * 1000;
    if (token) language = data.language;
    forget();
    notice = null;
    if (data.state !== "open" && data.state !== "refused") {
      shown = { kind: "receipt", receipt: data };
      draw();
      return follow();
    }
    form(data);
    warn();
  }

  // Also after a key that the promoter refused: the link goes on.
  function form(data) {
    shown = { kind: "form", refused: data.state === "refused" && data.reason };
    draw(Boolean(shown.refused));
    if (shown.refused) say(refusal());
  }

  function refusal() {
    const reasons = words().reasons;
    return fill(words().refused, { reason: reasons[shown.refused] || reasons.other });
  }

  // The token is in the cookie now: out of the address, so that nobody copies it from there.
  function forget() {
    history.replaceState(null, "", `${location.pathname}#${language}`);
  }

  function warn() {
    const left = ends - Date.now();
    const at = { time: time(session.expires, { timeStyle: "short" }) };
    setTimeout(() => {
      if (shown.kind !== "form") return;
      draw();
      say(fill(words().ends_soon, at));
    }, Math.max(left - 600000, 0));
    setTimeout(() => {
      if (shown.kind !== "form") return;
      clear();
      shown = { kind: "problem", name: "expired" };
      draw(true);
    }, Math.max(left, 0));
  }

  // --- checking and saving -------------------------------------------------------------------------------------------

  function changed() {
    turn += 1;
    passed = false;
    rows = null;
    cleaned = [];
    told = "";
    tell(null);
    drawForm();
  }

  async function check() {
    const key = field.value;
    if (busy === "save") return;
    clearTimeout(typing);
    turn += 1;
    const mine = turn;
    busy = "check";
    passed = false;
    cleaned = [];
    rows = CHECKS.map((name) => ({ name, state: "running" }));
    tell(null);
    told = "";
    drawForm();
    say(words().paste.checking);
    const data = await ask("/check", { link: session.link, key }, mine);
    if (data === null) return;
    busy = "";
    tell(null);
    if (data.error) return refused(data, check);
    cleaned = data.cleaned;
    for (const found of data.checks) {
      if (mine !== turn) return;
      rows = rows.map((row) => (row.name === found.name ? found : row));
      drawForm();
      say(spoken(found));
      if (found.state !== "waiting" && !still.matches) await rest(TICK);
    }
    if (mine !== turn) return;
    passed = data.passed;
    drawForm();
    say(words().paste[verdict()]);
    const first = document.querySelector("ul.checks li.bad, ul.checks li.unknown");
    if (first) first.focus();
    else $("save").focus();
  }

  function verdict() {
    if (passed) return "good";
    return rows.some((row) => row.state === "bad") ? "bad" : "unknown";
  }

  async function save() {
    if (busy) return;
    if (!passed) {
      say(words().paste.not_yet);
      field.focus();
      return;
    }
    busy = "save";
    const mine = turn;
    tell(null);
    drawForm();
    say(words().paste.saving);
    const data = await ask("/save", { link: session.link, key: field.value }, mine);
    busy = "";
    if (data === null) return drawForm();
    tell(null);
    if (data.error) return refused(data, save);
    clear();
    shown = { kind: "receipt", receipt: data };
    draw(true);
    say(words().receipt.saved);
    follow();
  }

  function refused(data, again) {
    if (data.error in words().problems && data.error !== "away") {
      clear();
      shown = { kind: "problem", name: data.error };
      return draw(true);
    }
    if (data.error === "saved") {
      clear();
      return start();
    }
    if (again === check) rows = null;
    if (data.error === "too_large") {
      rows = [{ name: "shape", state: "bad", reason: "too_long", facts: {} }];
      return drawForm();
    }
    drawForm();
    const known = data.error in words().notices ? data.error : "gave_up";
    return tell(known === "gave_up" ? "note" : "bad", known, {}, known === "gave_up" ? again : null);
  }

  function clear() {
    turn += 1;
    field.value = "";
    rows = null;
    cleaned = [];
    passed = false;
    busy = "";
  }

  // After Save, until the promoter has decided. Gives up quietly: the receipt is true anyway.
  async function follow() {
    for (let tries = 0; tries < 24 && shown.kind === "receipt"; tries += 1) {
      if (shown.receipt.state === "promoted") return;
      await rest(document.hidden ? 15000 : tries < 5 ? 2000 : 6000);
      const { data } = await post("/state", { link: session.link });
      if (shown.kind !== "receipt" || !data || data.error || data.state === shown.receipt.state) continue;
      if (data.state === "refused") return form(data);
      shown = { kind: "receipt", receipt: { ...shown.receipt, ...data } };
      draw();
      say(outcome(shown.receipt));
    }
  }

  // --- drawing -------------------------------------------------------------------------------------------------------

  function draw(focus) {
    document.documentElement.lang = language;
    $("page").hidden = false;
    $("foot").replaceChildren(words().foot);
    $("languages").setAttribute("aria-label", words().choose);
    $("languages").replaceChildren(...Object.keys(WORDS).map((one) =>
      el("button", { type: "button", lang: one, "aria-pressed": String(one === language), onclick: () => choose(one) }, WORDS[one].language)));
    const view = { loading: drawLoading, problem: drawProblem, form: drawPage, receipt: drawReceipt }[shown.kind]();
    $("title").replaceChildren(view.title);
    document.title = `${view.title} · MyFlux`;
    $("view").replaceChildren(...view.content.filter(Boolean));
    if (shown.kind === "form") drawForm();
    drawNotice();
    if (focus) {
      $("title").focus();
      scrollTo(0, 0);
    }
  }

  function choose(one) {
    language = one;
    told = "";
    if (session || shown.kind === "problem") forget();
    const at = scrollY;
    draw();
    scrollTo(0, at);
    document.querySelector('#languages [aria-pressed="true"]').focus({ preventScroll: true });
  }

  const drawLoading = () => ({ title: words().title, content: [el("p", { class: "soft" }, words().loading), el("div", { id: "notice" })] });

  function drawProblem() {
    const problem = words().problems[shown.name];
    const again = shown.name === "away" && el("div", { class: "bar" }, el("button", { type: "button", class: "main", onclick: start }, words().notices.try_again));
    return { title: problem.title, content: [el("p", {}, problem.text), again] };
  }

  function drawPage() {
    const soon = ends - Date.now() < 600000;
    const at = time(session.expires, soon ? { timeStyle: "short" } : LONG);
    return {
      title: words().title,
      content: [
        el("p", {}, rich(fill(words().for_whom, { name: session.name.replace(/[[\]`*]/g, "") }))),
        soon ? el("div", { class: "notice note" }, el("p", {}, fill(words().ends_soon, { time: at }))) : el("p", { class: "soft" }, fill(words().valid, { time: at })),
        shown.refused && el("div", { class: "notice bad", id: "refused" }, el("p", {}, refusal())),
        drawSteps(),
        el("section", { class: "card", "aria-labelledby": "paste-title" }, el("h2", { id: "paste-title" }, words().paste.title), el("div", { id: "form" })),
      ],
    };
  }

  function drawSteps() {
    const items = words().steps.map((step, index) => {
      const last = index === words().steps.length - 1;
      const inside = step.text.map((text) => (text === "{models}" ? models() : Array.isArray(text) ? list(text) : el("p", {}, rich(text))));
      const next = el("button", { type: "button", onclick: () => forward(index) }, last ? words().last : words().next);
      const head = el("summary", {}, el("span", { class: "number", "aria-hidden": "true" }, done.has(index) ? "✓" : String(index + 1)), step.title);
      const details = el("details", { open: index === open, ontoggle: (event) => event.target.open && (open = index) }, head, el("div", { class: "inside" }, inside, next));
      return el("li", { class: done.has(index) ? "done" : null }, details);
    });
    return el("section", { class: "card", "aria-labelledby": "steps-title" },
      el("h2", { id: "steps-title" }, words().steps_title), el("p", { class: "soft" }, words().steps_hint),
      el("button", { type: "button", class: "plain", onclick: () => toField() }, words().have_key),
      el("ol", { class: "steps", id: "steps" }, items));
  }

  const list = (texts) => el("ul", {}, texts.map((text) => el("li", {}, rich(text))));
  const models = () => el("ul", {}, session.models.map(({ id, price }) =>
    el("li", {}, link(id, `https://developers.openai.com/api/docs/models/${encodeURIComponent(id)}`), price ? `: ${costs(price)}` : "")));

  const costs = (price) => fill(words().price, {
    input: dollars(price.input_usd), output: dollars(price.output_usd),
    day: time(Date.parse(price.as_of) / 1000, { dateStyle: "long", timeZone: "UTC" }),
  });
  const dollars = (amount) => new Intl.NumberFormat(language, { style: "currency", currency: "USD", currencyDisplay: "code" }).format(amount);

  function forward(index) {
    done.add(index);
    open = index + 1;
    $("steps").parentNode.replaceWith(drawSteps());
    const next = document.querySelectorAll("#steps summary")[index + 1];
    if (next) next.focus();
    else toField();
  }

  function toField() {
    field.focus();
    field.scrollIntoView({ block: "center", behavior: still.matches ? "auto" : "smooth" });
  }

  // The field stays the same element, so that nothing that is drawn anew loses what was pasted; so do findings that did
  // not change, so that they are neither animated nor read again.
  function drawForm() {
    const form = $("form");
    if (!form) return;
    if (!form.contains(field)) {
      form.replaceChildren(
        el("label", { id: "label", for: "pasted" }), el("p", { id: "hint", class: "soft" }), field,
        el("div", { class: "bar" }, button("show", show), button("check", () => busy || check())),
        el("div", { id: "verdict" }), el("ul", { class: "checks", id: "rows" }), el("div", { id: "notice" }),
        el("div", { class: "bar" }, button("save", save, "main")));
    }
    const masked = field.classList.contains("masked");
    const wrong = rows && rows.find((row) => row.state === "bad");
    const text = words().paste;
    field.setAttribute("aria-invalid", String(Boolean(wrong)));
    field.setAttribute("aria-describedby", wrong ? `hint why-${wrong.name}` : "hint");
    field.readOnly = busy === "save";
    $("label").replaceChildren(text.label);
    $("hint").replaceChildren(...rich(text.hint));
    $("show").replaceChildren(text[masked ? "show" : "hide"]);
    $("check").replaceChildren(rows && !busy ? text.again : text.check);
    $("save").replaceChildren(busy === "save" ? text.saving : text.save);
    $("check").setAttribute("aria-disabled", String(Boolean(busy)));
    $("save").setAttribute("aria-disabled", String(!passed || Boolean(busy)));
    drawRows();
    drawNotice();
  }

  const button = (id, onclick, kind) => el("button", { type: "button", id, class: kind, onclick });

  function drawRows() {
    const list = $("rows");
    list.hidden = !rows;
    const settled = rows && rows.every((row) => row.state !== "running");
    const tone = settled && { good: "good", bad: "bad", unknown: "note" }[verdict()];
    $("verdict").replaceChildren(...[
      rows && cleaned.length > 0 && drawCleaned(),
      tone && el("div", { class: `notice ${tone}` }, el("p", {}, words().paste[verdict()])),
    ].filter(Boolean));
    if (!rows) return list.replaceChildren();
    if (list.children.length !== rows.length) list.replaceChildren(...rows.map(() => el("li")));
    rows.forEach((row, index) => {
      const now = `${language} ${row.state} ${row.reason}`;
      if (list.children[index].dataset.now !== now) list.children[index].replaceWith(drawRow(row, now));
    });
  }

  function drawRow(row, now) {
    const focusable = ["bad", "unknown"].includes(row.state);
    return el("li", { class: row.state === "unseen" ? "unseen-by-key" : row.state, tabindex: focusable ? "-1" : null, "data-now": now },
      el("span", { class: "mark", "aria-hidden": "true" }, MARKS[row.state]),
      el("span", { class: "what" }, words().checks[row.name].title, el("span", { class: "unseen" }, `: ${words().states[row.state]}`)),
      el("span", { class: "why", id: `why-${row.name}` }, rich(sentence(row))));
  }

  function drawCleaned() {
    const changes = cleaned.some((kind) => kind === "dashes" || kind === "capitals" || kind === "lines");
    const named = new Intl.ListFormat(language).format(cleaned.map((kind) => words().cleaned[kind]));
    return el("p", { class: "soft", id: "cleaned" }, rich(fill(words().cleaned[changes ? "changed" : "said"], { list: named })));
  }

  function sentence(row) {
    if (!row.reason) return "";
    const facts = { ...row.facts };
    if (facts.models) facts.models = new Intl.ListFormat(language).format(facts.models);
    for (const name of ["requests", "tokens"]) if (name in facts) facts[name] = number(facts[name]);
    return fill(words().checks[row.name][row.reason] || "", facts);
  }

  const spoken = (row) => row.state === "waiting" ? "" : `${words().checks[row.name].title}: ${words().states[row.state]}. ${plain(sentence(row))}`;

  function drawNotice() {
    const place = $("notice");
    if (!place) return;
    if (!notice) return place.replaceChildren();
    const again = notice.again;
    place.replaceChildren(el("div", { class: `notice ${notice.kind}` }, el("p", {}, rich(fill(words().notices[notice.name], notice.facts))),
      again && el("div", { class: "bar" }, el("button", { type: "button", onclick: () => again() }, words().notices.try_again))));
  }

  const outcome = (receipt) => words().outcomes[receipt.state];

  function drawReceipt() {
    const receipt = shown.receipt;
    const text = words().receipt;
    const kind = receipt.state === "promoted" ? "good" : "info";
    const zone = { ...LONG, timeZoneName: undefined };
    const facts = [
      [text.ends, el("code", {}, `…${receipt.last_four}`)],
      [text.at, `${time(receipt.at, zone)} (${Intl.DateTimeFormat().resolvedOptions().timeZone})`],
      [text.utc, time(receipt.at, { ...LONG, timeZone: "UTC" })],
      [text.checked, text.all_checked],
      [text.reference, el("code", {}, session.link.slice(0, 8))],
    ];
    return {
      title: text.saved,
      content: [
        receipt.result === "already_saved" && el("p", {}, text.already),
        el("div", { class: `notice ${kind}` }, el("p", {}, outcome(receipt))),
        el("section", { class: "card" }, el("dl", {}, facts.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]).flat())),
        el("h2", {}, text.now_title), list(text.now), el("h2", {}, text.monthly_title), list(text.monthly),
      ],
    };
  }

  function show() {
    field.classList.toggle("masked");
    drawForm();
  }

  // --- the field -----------------------------------------------------------------------------------------------------

  // A text area without name, since password managers and autofill look for inputs; the disc hides it on a screen.
  for (const [name, value] of Object.entries({
    id: "pasted", class: "masked", rows: "3", autocomplete: "off", autocapitalize: "none", autocorrect: "off",
    spellcheck: "false", translate: "no", "data-1p-ignore": "", "data-lpignore": "true", "data-bwignore": "",
    "data-form-type": "other",
  })) field.setAttribute(name, value);
  field.addEventListener("input", (event) => {
    const pasting = event.inputType === "insertFromPaste" || event.inputType === "insertFromDrop";
    clearTimeout(typing);
    if (busy === "check") busy = "";
    changed();
    if (field.value.trim()) typing = setTimeout(() => !busy && check(), pasting ? 0 : 1500);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (!busy) check();
  });

  $("plain").remove();
  addEventListener("pagehide", () => { field.value = ""; clear(); });
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  addEventListener("hashchange", () => /^#[\w-]+\.[\w-]+$/.test(location.hash) && location.reload());
  addEventListener("online", () => notice && notice.name === "offline" && tell("note", "retrying"));
  start();
})();

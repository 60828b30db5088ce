// The page in the browser. The key is here only between "Copy" and the clipboard, or while it is shown; else the command
// alone holds it. What is kept is its digest, to look whether the clipboard still holds it. All is written as text.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const KEPT = "handover"; // in the tab's storage: the token that opens the page once more after a reload
  const OPENS = 3;
  const SHOWN_SECONDS = 20;
  const WARN_SECONDS = 60;
  const RUN = "Run the same command again when you are ready.";
  const OVER = ["This page has ended", `The command in the terminal has ended, and the key is no longer in this browser. If you did not confirm that it is saved, the hand-over is still due. ${RUN}`];
  const PROBLEMS = {
    no_link: ["This link does not work", `It may have been cut, or belongs to a command that has ended. Open the link from the terminal again, all of it, or run the command again.`],
    used: ["This link was used", `It opens the page once. Go to the tab where the page is open. If there is none, press Ctrl+C in the terminal, and run the command again.`],
    open_elsewhere: ["The page is open in another tab", "The key is shown in one tab only. Go on there, and close this one."],
    other_tab: ["The page is open in another tab", "The key is shown in one tab only. Go on there, and close this one."],
    over: OVER,
    gone: OVER,
  };

  let tab = ""; // this page's own secret, which each request needs
  let facts = null; // what /open told
  let digest = ""; // of the key that was copied
  let hide = 0; // the timer after which the shown key is hidden
  let clock = 0; // the timer after which the clipboard is cleared
  let limits = []; // the timers of the visit's end
  let seen = false; // whether the command has seen the copy: its clipboard may be another than this browser's
  let waiting = false; // whether the clipboard is to be cleared when this page is in focus
  let busy = false;

  // --- saying --------------------------------------------------------------------------------------------------------

  let told = "";
  function say(text) {
    if (text === told) return;
    told = text;
    const line = document.createElement("p");
    line.textContent = text;
    $("said").append(line);
  }

  function note(place, kind, text) {
    const box = document.createElement("div");
    const line = document.createElement("p");
    box.className = `notice ${kind}`;
    line.textContent = text;
    box.append(line);
    $(place).replaceChildren(...(text ? [box] : []));
    if (text) say(text);
  }

  function title(text, lead) {
    $("title").textContent = text;
    $("lead").textContent = lead || "";
    $("lead").hidden = !lead;
  }

  // The end of the page's work, with nothing left to press but what the clipboard needs.
  function end(text, lead) {
    forget();
    limits.forEach(clearTimeout);
    $("work").hidden = true;
    note("time-note", "info", "");
    title(text, lead);
    $("title").focus();
    say(lead ? `${text}. ${lead}` : text);
  }

  function problem(error) {
    // The clipboard needs this page also after the command has ended.
    if (clock) clearHere();
    end(...(PROBLEMS[error] || OVER));
  }

  function forget() {
    tab = "";
    hideShown();
    try { sessionStorage.removeItem(KEPT); } catch { /* a browser without storage kept nothing */ }
  }

  // --- asking the command ---------------------------------------------------------------------------------------------

  async function ask(path, content = {}) {
    try {
      const answer = await fetch(path, {
        method: "POST", body: JSON.stringify(content), headers: { "Content-Type": "application/json", "X-Tab": tab },
        credentials: "omit", cache: "no-store", redirect: "error", keepalive: path === "/left",
      });
      return await answer.json();
    } catch {
      return { error: "gone" };
    }
  }

  async function start() {
    const given = /^#([\w-]+)$/.exec(location.hash);
    let kept = "";
    try { kept = sessionStorage.getItem(KEPT) || ""; } catch { /* as after a first opening */ }
    history.replaceState(null, "", location.pathname);
    const token = given ? given[1] : kept;
    let data = await ask("/open", { token });
    // A page that is reloaded may ask before the command has heard that it was left. A second tab is told after this.
    for (let tries = 1; data.error === "open_elsewhere" && tries < OPENS; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 400));
      data = await ask("/open", { token });
    }
    if (data.error) return problem(data.error);
    facts = data;
    tab = data.tab;
    try { sessionStorage.setItem(KEPT, data.again); } catch { /* then a reload ends the visit */ }
    draw();
  }

  function draw() {
    const { consumer, name, last_four, seconds_left } = facts;
    const dashboard = consumer.toUpperCase();
    const last = facts.steps.length - 1;
    title(`Hand over the key of ${name} to ${dashboard}`);
    document.title = `${name} · Hand-over`;
    $("cell").textContent = `Cell ${facts.cell}`;
    $("in-cell").textContent = facts.cell;
    $("name").textContent = name;
    $("slug").textContent = facts.tenant;
    $("masked").textContent = `…${last_four}`;
    $("way-title").textContent = `1. Go to the key in ${dashboard}`;
    $("whose").textContent = `Sign in to the ${dashboard} account of ${name}, and no other. Tick what you have clicked.`;
    $("save-title").textContent = `3. Press ${facts.steps[last]} in ${dashboard}`;
    $("then").textContent = `Then say so here. Until you do, the old key lives on, for seven days at most.`;
    $("saved").textContent = `Saved in ${dashboard}`;
    $("asked").textContent = `Did ${dashboard}'s own test call work?`;
    $("steps").replaceChildren(...facts.steps.slice(0, last).map(step));
    const ends = new Date(Date.now() + seconds_left * 1000);
    $("ends").textContent = new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(ends);
    limits = [
      setTimeout(() => note("time-note", "note", "This page ends in one minute. Say what holds, or run the command again later."), Math.max(0, seconds_left - WARN_SECONDS) * 1000),
      setTimeout(() => problem("over"), seconds_left * 1000),
    ];
    $("work").hidden = false;
    $("title").focus();
  }

  function step(text) {
    const item = document.createElement("li");
    const label = document.createElement("label");
    const box = document.createElement("input");
    const words = document.createElement("span");
    box.type = "checkbox";
    box.autocomplete = "off";
    words.textContent = text;
    label.append(box, words);
    item.append(label);
    return item;
  }

  // --- the clipboard -------------------------------------------------------------------------------------------------

  async function digestOf(text) {
    const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text.trim()));
    return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // Whether the clipboard holds the key; null where the browser does not let a page look. Only Chromium says beforehand
  // whether it does: elsewhere a look would open a menu at the pointer.
  async function holdsKey(mayAsk) {
    const clipboard = navigator.clipboard;
    if (!clipboard || !clipboard.readText) return null;
    try {
      const { state } = await navigator.permissions.query({ name: "clipboard-read" });
      if (state === "denied" || (state === "prompt" && !mayAsk)) return null;
      if (state === "prompt") note("copy-note", "info", "Your browser asks whether this page may see the clipboard. Allow it, so that the copy is proven, and cleared later.");
      return (await digestOf(await clipboard.readText())) === digest;
    } catch {
      return null;
    }
  }

  async function copy() {
    if (busy) return;
    busy = true;
    try { await copyKey(); } finally { busy = false; }
  }

  async function copyKey() {
    hideShown();
    note("copy-note", "info", "");
    const answer = await ask("/key");
    if (answer.error) return problem(answer.error);
    digest = await digestOf(answer.key);
    if (!navigator.clipboard || !navigator.clipboard.writeText) return show(answer.key, "This browser gives this page no clipboard.");
    try {
      await navigator.clipboard.writeText(answer.key);
    } catch {
      return show(answer.key, "The browser refused to copy.");
    }
    const proven = (await toldCommand()) || (await holdsKey(true));
    if (proven) return note("copy-note", "good", proof());
    if (proven === false) return show(answer.key, "Not copied: the clipboard was read back, and holds something else.");
    note("copy-note", "note", `Copied, not proven: this browser does not let the page look. After pasting, see that it ends with ${facts.last_four}.`);
  }

  const proof = () => `Copied: the clipboard was read back, and holds the key that ends with ${facts.last_four}.`;

  // That the key was copied; whether the command sees it in its machine's clipboard.
  async function toldCommand() {
    seen = (await ask("/copied")).proven === true;
    startClock();
    return seen;
  }

  function show(key, why) {
    $("shown").textContent = key;
    $("shown-line").hidden = false;
    getSelection().selectAllChildren($("shown"));
    $("shown").focus();
    hide = setTimeout(() => {
      hideShown();
      note("copy-note", "note", "The key is hidden again. If you did not copy it, press Copy the key once more.");
    }, SHOWN_SECONDS * 1000);
    note("copy-note", "note", `${why} The key is shown and selected for ${SHOWN_SECONDS} seconds: press Ctrl+C, or ⌘C on a Mac.`);
  }

  function hideShown() {
    clearTimeout(hide);
    const was = !$("shown-line").hidden;
    $("shown").textContent = "";
    $("shown-line").hidden = true;
    if (was) $("copy").focus();
  }

  // By hand, while the key is shown. The browser copies after this event, so the text goes a moment later.
  function copiedByHand() {
    if ($("shown-line").hidden) return;
    setTimeout(async () => {
      hideShown();
      if (await toldCommand()) return note("copy-note", "good", proof());
      note("copy-note", "note", `Copied, not proven: nobody could look. After pasting, see that it ends with ${facts.last_four}.`);
    }, 0);
  }

  function aboutClipboard(kind, text) {
    $("clipboard").hidden = false;
    $("clear").hidden = true;
    note("clipboard-note", kind, text);
  }

  function startClock() {
    clearTimeout(clock);
    waiting = false;
    const seconds = facts.clipboard_seconds;
    aboutClipboard("info", `The clipboard is cleared in ${seconds} seconds. Keep this page open until then.`);
    clock = setTimeout(clearClipboard, seconds * 1000);
  }

  const CLEARED = "The clipboard was cleared.";
  const LEFT_ALONE = "The clipboard holds something else by now. It was left alone.";

  // By the command where it can, else here.
  async function clearClipboard() {
    const { clipboard } = await ask("/clear");
    if (clipboard === "cleared") return cleared(CLEARED);
    if (clipboard === "other" && seen) return cleared(LEFT_ALONE);
    return clearHere();
  }

  function cleared(text) {
    clearTimeout(clock);
    clock = 0;
    waiting = false;
    aboutClipboard("good", text);
  }

  async function clearHere() {
    if (!document.hasFocus()) {
      waiting = true;
      return aboutClipboard("note", "The clipboard may still hold the key. It is cleared when you come back to this page.");
    }
    waiting = false;
    const held = await holdsKey(false);
    if (held === false) {
      ask("/cleared");
      return cleared(LEFT_ALONE);
    }
    try {
      await navigator.clipboard.writeText("");
    } catch {
      aboutClipboard("bad", "This page cannot clear the clipboard by itself, and it may still hold the key: press the button, or copy something else.");
      $("clear").hidden = false;
      return;
    }
    ask("/cleared");
    cleared(held ? CLEARED : "The clipboard was cleared, without a look at what it held.");
  }

  // --- the end -------------------------------------------------------------------------------------------------------

  function question(open) {
    $("question").hidden = !open;
    $("choices").hidden = open;
    note("save-note", "info", "");
    $(open ? "asked" : "saved").focus();
  }

  async function confirm(test) {
    if (busy) return;
    busy = true;
    try {
      note("save-note", "info", "One moment: it is recorded and read back.");
      const answer = await ask("/saved", { test });
      if (answer.error === "not_recorded") return note("save-note", "bad", `Not recorded: ${answer.text}`);
      if (answer.error) return problem(answer.error);
      $("lines").replaceChildren(...answer.result.map((text) => {
        const line = document.createElement("li");
        line.textContent = text;
        return line;
      }));
      if (clock) clearHere();
      end(`Recorded: ${facts.consumer.toUpperCase()} has the key that ends with ${facts.last_four}`, "You may close this page.");
      $("result").hidden = false;
    } finally {
      busy = false;
    }
  }

  async function later() {
    const answer = await ask("/later");
    if (answer.error) return problem(answer.error);
    if (clock) clearHere();
    end("Nothing was recorded", `The hand-over of ${facts.name} is still due, and the old key lives on for now. ${RUN}`);
  }

  function failed() {
    question(false);
    note("save-note", "note", `Nothing was recorded. The key in ${facts.consumer.toUpperCase()} is not the right one, or was not saved: copy it again, paste it over what is there, and see that it ends with ${facts.last_four}.`);
    $("copy").focus();
  }

  $("plain").remove();
  $("page").hidden = false;
  $("copy").addEventListener("click", copy);
  $("saved").addEventListener("click", () => question(true));
  $("later").addEventListener("click", later);
  $("worked").addEventListener("click", () => confirm("worked"));
  $("not-tried").addEventListener("click", () => confirm("not_tried"));
  $("failed").addEventListener("click", failed);
  $("clear").addEventListener("click", clearHere);
  addEventListener("copy", copiedByHand);
  addEventListener("focus", () => waiting && clearHere());
  addEventListener("pagehide", () => {
    $("shown").textContent = "";
    if (tab) ask("/left");
    tab = "";
    facts = null;
    digest = "";
  });
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  start();
})();

"use strict";
const by = id => document.getElementById(id);
const { root, csrf, member, conditions } = by("bench").dataset;
const SHELF = `khaos-swap bench of ${member}`, SEEN = `${SHELF}: seen`;
const MOST_SEEN = 50, MOST_BUTTONS = 6, EVERY = 5000;
const REFUSALS = [400, 404, 409, 413, 422];
let parcels = [], shown = "", chosen = null, isSending = false, trouble = "";

function make(tag, text, parent, attributes = {}) {
  const one = document.createElement(tag);
  if (text) one.textContent = text;
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  if (parent) parent.append(one);
  return one;
}

function press(text, parent, done, attributes = {}) {
  const one = make("button", text, parent, { type: "button", ...attributes });
  one.addEventListener("click", done);
  return one;
}

function kept(name, nothing) {
  try { return JSON.parse(localStorage.getItem(name)) ?? nothing; } catch { return nothing; }
}

function keep(name, value) {
  localStorage.setItem(name, JSON.stringify(value));
}

const shelf = () => kept(SHELF, { waiting: [], refused: [] });

function change(what) {
  const now = shelf();
  what(now);
  keep(SHELF, now);
}

function say(words, isBad = false) {
  by("said").textContent = words;
  by("said").className = isBad ? "bad" : "";
}

function newId() {
  return "bench-" + [...crypto.getRandomValues(new Uint8Array(16))].map(one => one.toString(16).padStart(2, "0")).join("");
}

async function ask(path, options = {}) {
  const answer = await fetch(root + path, options);
  const told = await answer.json().catch(() => null);
  return { status: answer.status, told };
}

function away(status) {
  if (status === 401) return "You are signed out: sign in again, nothing is lost.";
  if (status === 403) return "This page is too old, or your roles have changed: load it again, nothing is lost.";
  return "The server cannot take it at the moment; it is tried again.";
}

async function show(word, isQuiet = false) {
  shown = word;
  const seen = kept(SEEN, []);
  try {
    const { status, told } = await ask(`/bench/returns?word=${encodeURIComponent(word)}`);
    if (status === 200) {
      parcels = told.returns;
      try { keep(SEEN, [{ word, returns: told.returns }, ...seen.filter(one => one.word !== word)].slice(0, MOST_SEEN)); } catch { /* only what is shown again without a network */ }
      if (!isQuiet) say("");
    } else if (!isQuiet) {
      parcels = [];
      say(REFUSALS.includes(status) && told ? told.detail : away(status), true);
    }
  } catch {
    const before = seen.find(one => one.word === word);
    if (before && !isQuiet) parcels = before.returns;
    if (!isQuiet) say(before ? "The network is away: this is the return as it was shown last." : "The network is away, and this return was not shown here before.", true);
  }
  if (!isQuiet) chosen = parcels.length === 1 && parcels[0].lines.length === 1 ? { rma: parcels[0].rma, at: 0 } : null;
  draw();
}

function record(parcel, line) {
  const entry = {
    inspection_id: newId(), rma: parcel.rma, sku: line.sku, line_item_id: line.line_item_id,
    condition: chosen.condition, quantity: chosen.quantity, inspected_at: new Date().toISOString(),
    ...(chosen.corrects ? { corrects: chosen.corrects.id, reason: chosen.reason } : {}),
  };
  try {
    change(now => now.waiting.push({ entry, name: line.name }));
  } catch {
    say("This browser keeps nothing for this page, so nothing was recorded: allow it to store data.", true);
    return;
  }
  say(`${entry.quantity} × ${worded(entry.condition)}: kept.`);
  chosen = null;
  draw();
  send();
}

async function send() {
  if (isSending) return;
  isSending = true;
  try {
    for (let next; (next = shelf().waiting[0]); ) {
      const { status, told } = await ask("/bench/inspections", {
        method: "POST", headers: { "content-type": "application/json", "x-csrf-token": csrf }, body: JSON.stringify(next.entry),
      });
      if (status !== 200 && !REFUSALS.includes(status)) { trouble = away(status); return; }
      trouble = "";
      change(now => {
        now.waiting = now.waiting.filter(one => one.entry.inspection_id !== next.entry.inspection_id);
        if (status !== 200) now.refused.push({ ...next, why: told ? told.detail : "It was refused without a reason." });
      });
      if (parcels.some(one => one.rma === next.entry.rma)) await show(shown, true);
      if (status === 200) say(`${next.entry.quantity} × ${worded(next.entry.condition)}: recorded.`);
    }
  } catch {
    trouble = "The network is away.";
  } finally {
    isSending = false;
    drawShelf();
  }
}

const worded = condition => condition.replace("-", " ").toLowerCase().replace(/^./, first => first.toUpperCase());
const isOf = (entry, parcel, line) => entry.rma === parcel.rma && entry.sku === line.sku && entry.line_item_id === line.line_item_id;
const told = ({ entry, name }) => `${entry.rma}: ${entry.quantity} × ${worded(entry.condition)}, ${name}`;

function drawShelf() {
  const { waiting, refused } = shelf(), box = by("waits");
  box.replaceChildren();
  box.hidden = !waiting.length && !refused.length;
  box.className = refused.length ? "card bad" : "card warn";
  if (waiting.length) {
    make("b", `${waiting.length} ${waiting.length === 1 ? "waits" : "wait"} to be sent`, box, { id: "waiting" });
    if (trouble) make("span", `. ${trouble}`, box);
    const list = make("ul", "", box);
    for (const one of waiting) make("li", told(one), list);
  }
  if (refused.length) {
    make("p", `${refused.length} ${refused.length === 1 ? "was" : "were"} refused`, box, { id: "refused" });
    const list = make("ul", "", box);
    for (const one of refused) {
      const row = make("li", told(one), list);
      make("span", one.why, row, { class: "why" });
      const off = now => { now.refused = now.refused.filter(other => other.entry.inspection_id !== one.entry.inspection_id); };
      press("Try again", row, () => { change(now => { off(now); now.waiting.push({ entry: one.entry, name: one.name }); }); send(); }, { class: "plain" });
      press("Leave it out", row, () => { change(off); draw(); }, { class: "plain" });
    }
  }
}

function drawPanel(parcel, line, left, box) {
  const panel = make("div", "", box, { class: "panel" }), old = chosen.corrects;
  if (old) make("p", `In the place of ${old.quantity} × ${worded(old.condition)}. Both stay on record.`, panel);
  if (chosen.quantity === undefined && (old || left === 1)) chosen.quantity = old ? old.quantity : 1;
  make("h3", "Condition", panel);
  const states = make("div", "", panel, { class: "picks" });
  for (const one of conditions.split("|")) {
    press(worded(one), states, () => { chosen.condition = one; draw(); }, { "aria-pressed": String(chosen.condition === one), "data-key": one });
  }
  make("h3", "Units", panel);
  const counts = make("div", "", panel, { class: "picks few" });
  for (let count = 1; count <= Math.min(Math.max(left, old ? old.quantity : 1), MOST_BUTTONS); count += 1) {
    press(String(count), counts, () => { chosen.quantity = count; draw(); }, { "aria-pressed": String(chosen.quantity === count), "data-key": `units ${count}` });
  }
  const other = make("input", "", counts, { type: "number", min: 1, max: 100000, inputmode: "numeric", placeholder: "other", "aria-label": "Another number of units", "data-key": "other" });
  if (chosen.quantity > MOST_BUTTONS || chosen.quantity > Math.max(left, 1)) other.value = chosen.quantity;
  const go = press("", panel, () => record(parcel, line), { class: "do" });
  const ready = () => {
    const isChosen = chosen.condition && chosen.quantity >= 1, isSaid = !old || (chosen.reason || "").trim();
    go.disabled = !isChosen || !isSaid;
    go.textContent = !isChosen ? "Choose condition and units" : isSaid ? `Record ${chosen.quantity} × ${worded(chosen.condition)}` : "Say what was wrong";
  };
  other.addEventListener("input", () => {
    chosen.quantity = Number.isInteger(other.valueAsNumber) && other.valueAsNumber <= 100000 ? other.valueAsNumber : undefined;
    for (const one of counts.querySelectorAll("button")) one.setAttribute("aria-pressed", "false");
    ready();
  });
  if (old) {
    const label = make("label", "What was wrong", null), why = make("input", "", label, { maxlength: 500, "data-key": "why" });
    why.value = chosen.reason || "";
    why.addEventListener("input", () => { chosen.reason = why.value; ready(); });
    panel.insertBefore(label, go);
  }
  ready();
}

function drawLine(parcel, line, at, box) {
  const mine = shelf().waiting.filter(one => isOf(one.entry, parcel, line));
  const left = Math.max(line.waiting - mine.reduce((sum, one) => sum + (one.entry.corrects ? 0 : one.entry.quantity), 0), 0);
  const card = make("section", "", box, { class: "card line" });
  const isOpen = Boolean(chosen) && chosen.rma === parcel.rma && chosen.at === at;
  const head = press("", card, () => { chosen = isOpen && !chosen.corrects ? null : { rma: parcel.rma, at }; draw(); }, { "aria-expanded": String(isOpen), "data-key": `${parcel.rma} ${at}` });
  make("b", line.name, head);
  make("span", left ? `${left} to inspect` : "all inspected", head, { class: left ? "left" : "left none" });
  make("span", `${line.sku || "(no SKU)"} · ${line.quantity} on the return`, head, { class: "soft" });
  if (line.found.length || mine.length) {
    const list = make("ul", "", card, { class: "found" });
    for (const one of line.found) {
      const row = make("li", "", list);
      make("span", `${one.quantity} × ${worded(one.condition)}, ${one.by}, ${one.when}`, row);
      press("Correct", row, () => { chosen = { rma: parcel.rma, at, corrects: one }; draw(); });
    }
    for (const one of mine) make("li", `${one.entry.quantity} × ${worded(one.entry.condition)}: waits to be sent`, list);
  }
  if (isOpen) drawPanel(parcel, line, left, card);
}

function draw() {
  const held = document.activeElement?.dataset?.key;
  drawShelf();
  const box = by("bench");
  box.replaceChildren();
  for (const parcel of parcels) {
    const card = make("section", "", box, { class: "parcel" });
    make("h2", parcel.rma, card);
    make("p", `Order ${parcel.order || "(none)"} · Swap says ${parcel.status || "nothing"}`, card, { class: "soft" });
    parcel.lines.forEach((line, at) => drawLine(parcel, line, at, card));
    if (!parcel.lines.length) make("p", "Swap shows no goods on this return.", card);
    for (const one of parcel.beside) make("p", `Beside it: ${one.quantity} × ${one.sku || one.line_item_id}, ${worded(one.condition)}, ${one.by}, ${one.when}`, card);
  }
  if (held) box.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus();
}

by("scan").addEventListener("submit", event => {
  event.preventDefault();
  const word = by("word").value.trim();
  by("word").value = "";
  if (word) show(word);
});
document.addEventListener("keydown", event => {
  const isTyping = event.target instanceof HTMLInputElement;
  if (!isTyping && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && event.key !== " ") by("word").focus();
});
window.addEventListener("online", send);
window.addEventListener("storage", draw);
document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
setInterval(() => { if (shelf().waiting.length) send(); }, EVERY);
draw();
send();
const asked = new URLSearchParams(location.search).get("word");
if (asked) show(asked);

"use strict";
const KINDS = {
  "returns": ["Returns of Swap", "the API's answer as JSON, or a table", true],
  "stock-codes": ["Stock Codes of Khaos", "every Stock Code, one a row", true],
  "sales-orders": ["Sales Orders of Khaos", "one sold line a row", true],
  "credit-notes": ["Credit Notes of Khaos", "one line of a note a row", true],
  "refunds": ["Refunds that moved money", "the shop's transactions or refunds; without it a refund is what Swap says", false],
  "decisions": ["Decisions of earlier months", "decisions.csv of the last report, or one of your own", false],
  "report": ["A report in which you decided", "report.xlsx, with decisions beside its exceptions", false],
};
const TOTALS = ["credit-notes", "refunds", "sales-orders", "returns"];
const files = {};
const by = id => document.getElementById(id);

function make(tag, text, parent, attributes = {}) {
  const one = document.createElement(tag);
  if (text) one.textContent = text;
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  parent.append(one);
  return one;
}

async function ask(method, path, body) {
  const answer = await fetch(path, { method, body, headers: typeof body === "string" ? { "Content-Type": "application/json" } : {} });
  const told = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (answer.ok) return told;
  const detail = told && told.detail;
  if (typeof detail !== "string") throw new Error("the request was refused: reload the page");
  throw new Error(told.what_to_do ? `${detail.replace(/\.$/, "")}. ${told.what_to_do}` : detail);
}

async function working(what) {
  by("progress").hidden = false;
  by("run").disabled = true;
  const timer = setInterval(async () => {
    const now = await ask("GET", "progress").catch(() => ({ step: "", share: 0 }));
    by("step").textContent = now.step ? `${now.step.replace("-", " ")}: ${Math.round(100 * now.share)} %` : "working";
    by("bar").value = now.share;
  }, 300);
  try { return await what(); } finally { clearInterval(timer); by("progress").hidden = true; ready(); }
}

function ready() {
  const open = Object.entries(KINDS).filter(([kind, [, , needed]]) => needed && !(files[kind] && files[kind].is_whole));
  const broken = Object.keys(files).filter(kind => !files[kind].is_whole);
  by("run").disabled = open.length > 0 || broken.length > 0;
  by("why").textContent = open.length ? `Still needed: ${open.map(([, [title]]) => title).join(", ")}.` : "";
}

async function take(kind, file) {
  const card = by(kind);
  try {
    files[kind] = await working(() => ask("PUT", `files/${kind}?name=${encodeURIComponent(file.name)}`, file));
    show(kind);
  } catch (error) {
    delete files[kind];
    show(kind);
    make("p", error.message, card, { class: "faults", role: "alert" });
  }
  ready();
}

function show(kind) {
  const [title, what] = KINDS[kind], told = files[kind], card = by(kind);
  card.replaceChildren();
  card.className = told ? `card ${told.is_whole && !told.faults.length ? "good" : "bad"}` : "card";
  const head = make("div", "", card, { class: "head" });
  make("h2", title, head);
  const picked = make("span", "", head);
  const input = make("input", "", picked, { type: "file", id: `pick-${kind}`, "aria-label": title });
  make("label", told ? "another file" : "choose a file, or drop it here", picked, { class: "pick", for: `pick-${kind}` });
  input.addEventListener("change", () => input.files.length && take(kind, input.files[0]));
  if (!told) { make("p", what, card, { class: "soft" }); return; }
  make("p", `${told.file}: ${told.figures}`, card);
  if (told.rejected) make("p", `${told.rejected} of ${told.given} records cannot be read.`, card);
  const faults = make("ul", "", card, { class: "faults" });
  for (const fault of told.faults) make("li", fault, faults);
  const notices = make("ul", "", card, { class: "soft" });
  for (const notice of told.notices) make("li", notice, notices);
  if (told.missing.length && told.headings.length) headings(kind, told, card);
}

function headings(kind, told, card) {
  const asked = told.missing.filter(one => one.needed || one.near);
  const others = told.missing.filter(one => !asked.includes(one));
  const near = asked.filter(one => one.near);
  if (asked.length) make("p", "Say which heading holds what:", card);
  for (const one of asked) heading(kind, told, one, card);
  if (near.length > 1) {
    const button = make("button", `Use the ${near.length} headings that are perhaps meant`, card, { class: "plain" });
    button.addEventListener("click", () => mapped(kind, { ...told.mapped, ...Object.fromEntries(near.map(one => [one.near.heading, one.column])) }));
  }
  if (!others.length) return;
  const more = make("details", "", card);
  make("summary", "Columns that are not there, if you have them under another heading", more);
  for (const one of others) heading(kind, told, one, more);
}

function heading(kind, told, one, parent) {
  const row = make("div", "", parent, { class: "row" });
  make("code", one.column.replaceAll("_", " "), row);
  const select = make("select", "", row, { "aria-label": `Heading of ${one.column}` });
  make("option", one.needed ? "is which of your headings?" : "not in this file", select, { value: "" });
  for (const name of told.headings.filter(name => name.trim())) make("option", name, select, { value: name });
  if (one.near) make("span", `perhaps ${one.near.heading}: ${one.near.samples.join(", ")}`, row, { class: "soft" });
  select.addEventListener("change", async () => {
    const said = { ...told.mapped };
    for (const name of Object.keys(said)) if (said[name] === one.column) delete said[name];
    if (select.value) said[select.value] = one.column;
    await mapped(kind, said);
  });
}

async function mapped(kind, said) {
  files[kind] = await working(() => ask("PUT", `files/${kind}/headings`, JSON.stringify(said)));
  show(kind);
  ready();
}

async function run() {
  const asked = {
    as_of: by("as_of").value || null,
    dates: by("dates").value,
    skips_bad_rows: by("skip").checked,
    totals: Object.fromEntries(TOTALS.map(kind => [kind, by(`${kind}-total`).value])),
    vat_periods: by("vat_periods").value,
    payment_kinds: by("payment_kinds").value,
  };
  const result = by("result");
  result.replaceChildren();
  result.hidden = false;
  try {
    const told = await working(() => ask("POST", "audit", JSON.stringify(asked)));
    if (told.faults) {
      make("h2", "The audit did not run", result);
      const list = make("ul", "", result, { class: "faults" });
      for (const fault of told.faults) make("li", fault, list);
    } else {
      make("h2", "Not reconciled", result);
      for (const line of told.headlines) make("p", line, result, { class: "big" });
      for (const line of told.decided) make("p", line, result, { class: "soft" });
      if (told.no_longer.length) make("p", "Decisions that no longer hold:", result);
      const over = make("ul", "", result, { class: "faults" });
      for (const line of told.no_longer) make("li", line, over);
      if (told.not_compared.length) make("p", "What was not compared:", result);
      const limits = make("ul", "", result);
      for (const limit of told.not_compared) make("li", limit, limits);
      const links = make("p", "", result);
      for (const name of told.reports.sort((one, other) => (other === "report.html") - (one === "report.html"))) {
        make("a", name === "report.html" ? "Open the report" : name, links, { href: `report/${name}`, target: "_blank", rel: "noopener" });
        links.append("  ");
      }
    }
  } catch (error) {
    make("p", error.message, result, { class: "faults", role: "alert" });
  }
  result.scrollIntoView({ behavior: "smooth" });
}

for (const kind of Object.keys(KINDS)) {
  const card = make("section", "", by("cards"), { class: "card", id: kind });
  card.addEventListener("dragover", event => { event.preventDefault(); card.classList.add("over"); });
  card.addEventListener("dragleave", () => card.classList.remove("over"));
  card.addEventListener("drop", event => {
    event.preventDefault();
    card.classList.remove("over");
    if (event.dataTransfer.files.length) take(kind, event.dataTransfer.files[0]);
  });
  show(kind);
}
by("as_of").value = new Date().toISOString().slice(0, 10);
by("run").addEventListener("click", run);

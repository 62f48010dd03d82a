"use strict";
// The review page: the text on the left, the candidates on the right. Every step is done by the
// service, which answers with all there is to show.

const token = document.querySelector("meta[name=review-token]").content;
const RUN = 6;
let state = null;
let current = null;
let runs = new Set();

const byId = (id) => document.getElementById(id);

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

async function ask(path, told) {
  const options = told === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Review-Token": token },
    body: JSON.stringify(told),
  };
  const answer = await fetch(path, options);
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.detail || value.title);
  return value;
}

async function step(name, told = {}) {
  try {
    show(await ask(`/documents/${state.slug}/${name}`, told));
    say("");
    return true;
  } catch (error) {
    say(error.message);
    return false;
  }
}

const say = (words) => { byId("message").textContent = words; };

const plainWords = (text) => (text.toLowerCase().match(/(?:[\p{L}\p{N}]|£)+/gu) || []);

function runsOf(text) {
  const words = plainWords(text);
  const found = new Set();
  for (let at = 0; at + RUN <= words.length; at += 1) found.add(words.slice(at, at + RUN).join(" "));
  return found;
}

function copied(text) {
  return [...runsOf(text)].find((run) => runs.has(run)) || null;
}

function show(next) {
  const other = state === null || state.slug !== next.slug;
  const moved = other || state.text !== next.text;
  state = next;
  if (moved) {
    const names = new Set(state.names.flatMap((name) => [...runsOf(name)]));
    runs = new Set([...runsOf(state.text)].filter((run) => !names.has(run)));
  }
  const ids = state.candidates.map((one) => one.id);
  if (other || !ids.includes(current)) current = (firstOpen() || state.candidates[0] || {}).id || null;
  drawText();
  drawFacts();
  drawOrphans();
  drawCandidates();
  const count = (decision) => state.candidates.filter((one) => one.decision === decision).length;
  byId("counts").textContent = `${count("open")} open, ${count("accepted")} accepted, ${count("rejected")} rejected`;
}

const firstOpen = () => state.candidates.find((one) => one.decision === "open");
const candidate = (id) => state.candidates.find((one) => one.id === id);

// Offsets count code points; the page's strings count UTF-16 units.
function drawText() {
  const letters = Array.from(state.text);
  const edges = new Set([0, letters.length]);
  state.candidates.forEach((one) => { edges.add(one.start); edges.add(one.end); });
  const places = [...edges].sort((a, b) => a - b);
  const sorted = [...state.candidates].sort((a, b) => a.start - b.start);
  const parts = [];
  let from = 0;
  let open = [];
  places.slice(0, -1).forEach((start, at) => {
    const words = letters.slice(start, places[at + 1]).join("");
    while (from < sorted.length && sorted[from].start <= start) open.push(sorted[from++]);
    open = open.filter((one) => one.end > start);
    if (open.length === 0) { parts.push(words); return; }
    const shown = open.find((one) => one.id === current) || open[open.length - 1];
    const mark = element("mark", { className: shown.decision, title: open.map((one) => `${one.id} ${one.kind}`).join(", ") }, words);
    if (shown.id === current) mark.classList.add("current");
    mark.addEventListener("click", () => choose(shown.id));
    parts.push(mark);
  });
  byId("text").replaceChildren(...parts);
  const mark = byId("text").querySelector("mark.current");
  if (mark) mark.scrollIntoView({ block: "center" });
}

function drawFacts() {
  const fields = Object.entries(state.facts).map(([name, value]) => {
    const input = element("input", { value: value || "", name });
    input.addEventListener("change", () => step("fact", { name, value: input.value }));
    return element("label", {}, name, input);
  });
  byId("facts").replaceChildren(element("summary", { textContent: `${state.file}: the document` }), ...fields);
}

function drawOrphans() {
  byId("orphans").replaceChildren(...state.orphans.map((one) => element("article", { className: "orphan" },
    element("h2", { textContent: `Without its passage: ${one.kind}, ${one.label}` }),
    element("p", { textContent: `was: ${one.places[0]}` }),
    ...one.places.slice(1).map((line) => element("p", { textContent: `now perhaps: ${line}` })))));
}

function drawCandidates() {
  byId("candidates").replaceChildren(...state.candidates.map(card));
  const card_ = byId(`card-${current}`);
  if (card_) card_.scrollIntoView({ block: "nearest" });
}

function card(one) {
  const made = element("article", { id: `card-${one.id}`, className: `${one.decision}${one.id === current ? " current" : ""}` });
  const by = one.attribution.mode === "own-text" ? "" : ` by ${one.attribution.who || one.attribution.origin || "another"}`;
  made.append(element("h2", { textContent: `${one.id} ${one.kind}${one.hedged ? " (hedged)" : ""}${by}: ${one.decision}` }));
  made.addEventListener("click", () => { if (current !== one.id) choose(one.id); });
  if (one.id !== current) {
    made.append(element("p", { textContent: one.label }));
    return made;
  }
  const fields = {};
  ["label", "paraphrase"].forEach((name) => {
    const field = element(name === "label" ? "input" : "textarea", { value: one[name], name, maxLength: name === "label" ? 80 : 300 });
    const warning = element("div", { className: "copied" });
    const look = () => {
      const run = one.kind === "Theme" ? null : copied(field.value);
      warning.textContent = run ? `in your own words, please: the text says “${run}”` : "";
    };
    field.addEventListener("input", look);
    look();
    fields[name] = field;
    made.append(element("label", {}, name, field), warning);
  });
  made.append(links(one), buttons(one, fields));
  return made;
}

function links(one) {
  return element("ul", {}, ...one.links.map((link, at) => {
    const line = element("li", {}, `${link.type} ${link.label} (${link.basis}) `);
    link.alternatives.forEach((other, n) => line.append(button(`rather ${other.label}`, () => step("choose", { id: one.id, link: at, alternative: n }))));
    line.append(button("drop", () => step("unlink", { id: one.id, link: at })));
    return line;
  }));
}

function button(words, act) {
  const made = element("button", { textContent: words });
  made.addEventListener("click", (event) => { event.stopPropagation(); act(); });
  return made;
}

function buttons(one, fields) {
  const worded = () => ({ id: one.id, label: fields.label.value, paraphrase: fields.paraphrase.value });
  const kinds = element("select", { title: "kind" }, ...state.kinds.map((kind) => element("option", { textContent: kind, selected: kind === one.kind })));
  kinds.addEventListener("change", () => step("kind", { id: one.id, kind: kinds.value }));
  const following = state.candidates[state.candidates.indexOf(one) + 1];
  const made = element("div", {},
    button("Accept", () => accept(worded())),
    button("Reject", () => decide("reject", one.id)),
    button("Open again", () => step("reopen", { id: one.id })),
    button("Keep edit", () => step("edit", worded())),
    kinds,
    button("Passage from selection", () => withSelection((start, end) => step("move", { id: one.id, start, end }))),
    button("Split at selection", () => withSelection((start, end, words) => step("split", { id: one.id, words }))));
  if (following) made.append(button(`Merge with ${following.id}`, () => step("merge", { id: one.id, other: following.id })));
  return made;
}

function withSelection(act) {
  const selection = window.getSelection();
  if (!selection.rangeCount || selection.isCollapsed || !byId("text").contains(selection.anchorNode)) {
    say("Select words in the text first.");
    return;
  }
  const chosen = selection.getRangeAt(0);
  const before = document.createRange();
  before.selectNodeContents(byId("text"));
  before.setEnd(chosen.startContainer, chosen.startOffset);
  const start = Array.from(before.toString()).length;
  act(start, start + Array.from(chosen.toString()).length, chosen.toString());
}

function choose(id) {
  current = id;
  drawText();
  drawCandidates();
}

function onward(id) {
  const at = state.candidates.findIndex((one) => one.id === id);
  const next = state.candidates.slice(at + 1).find((one) => one.decision === "open") || firstOpen();
  if (next) choose(next.id);
}

async function accept(told) {
  if (await step("accept", told)) onward(told.id);
}

async function decide(name, id) {
  if (await step(name, { id })) onward(id);
}

function move(by) {
  const at = state.candidates.findIndex((one) => one.id === current);
  const next = state.candidates[at + by];
  if (next) choose(next.id);
}

function fieldsOf(id) {
  const found = byId(`card-${id}`);
  return { id, label: found.querySelector("[name=label]").value, paraphrase: found.querySelector("[name=paraphrase]").value };
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  a: () => accept(fieldsOf(current)),
  r: () => decide("reject", current),
  u: () => step("undo"),
  e: () => byId(`card-${current}`).querySelector("[name=paraphrase]").focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { document.activeElement.blur(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  const act = current === null ? null : KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
});

byId("undo").addEventListener("click", () => step("undo"));
byId("record").addEventListener("click", async () => {
  try {
    const done = await ask(`/documents/${state.slug}/record`, {});
    say(`${done.file}: ${done.items} items; release ${done.release.slice(0, 12)}`);
    document.body.dataset.recorded = done.release;
  } catch (error) {
    say(error.message);
  }
});
byId("document").addEventListener("change", async (event) => show(await ask(`/documents/${event.target.value}`)));

(async () => {
  const names = (await ask("/documents")).results;
  byId("document").replaceChildren(...names.map((name) => element("option", { textContent: name })));
  show(await ask(`/documents/${names[0]}`));
})().catch((error) => say(error.message));

"use strict";
// Rows are hostile: whatever comes from them is set as text, never as markup, and the page's policy runs no other script.
const at = (id) => document.getElementById(id);
const main = document.querySelector("main");
const run = main.dataset.run;
const state = new URLSearchParams(location.search); // the address holds all that is asked, so a reload asks the same
let shown = { rows: [], page: 0, pages: 1, total: 0, stamp: 0 };
let open = null; // the row in view
let asked = 0; // requests for lists so far: only the latest may draw
const wide = matchMedia("(min-width: 1000px)");

function element(name, properties = {}, ...inside) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...inside.filter((each) => each !== null && each !== undefined));
  return made;
}
const count = (rows, noun) => `${rows.toLocaleString("en")} ${noun}${rows === 1 ? "" : "s"}`;
const isolated = (text) => element("bdi", { dir: "auto" }, text);
function marked(segments) {
  return element("bdi", { dir: "auto" }, ...segments.map(([text, mark]) => (mark ? element("mark", {}, text) : text)));
}

async function ask(path, parameters, options) {
  const answer = await fetch(`${path}?${new URLSearchParams(parameters)}`, options);
  const facts = await answer.json();
  if (!answer.ok) throw new Error(facts.error || "the server did not answer");
  return facts;
}
const post = (path, facts) => ask(path, { run }, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(facts),
});
function failed(error) {
  at("found").textContent = error.message === "Failed to fetch" ? "The server no longer answers." : error.message;
}

// Filters -----------------------------------------------------------------------------------------------------------

function drawFilters(known) {
  const flags = at("flags");
  flags.hidden = known.flags.length === 0;
  const none = known.flags.filter((flag) => flag.rows === 0);
  for (const flag of known.flags.filter((each) => each.rows > 0)) {
    const rows = element("span", { className: "carry" });
    rows.dataset.flag = flag.name;
    const box = element("input", { type: "checkbox", name: "has", value: flag.name });
    const not = element("input", { type: "checkbox", name: "not", value: flag.name });
    not.setAttribute("aria-label", `not ${flag.title}`);
    box.addEventListener("change", () => { not.checked = false; });
    not.addEventListener("change", () => { box.checked = false; });
    flags.append(element("div", { className: "flag" },
      element("label", {}, box, " ", element("span", { className: "name" }, flag.title)), rows,
      element("label", { className: "not", title: `Only rows without: ${flag.title}` }, not, " not")));
  }
  if (none.length) flags.append(element("p", { className: "note" }, `On no row: ${none.map((flag) => flag.title).join(", ")}.`));
  const columns = at("columns");
  for (const column of known.words) {
    const select = element("select", { name: `is.${column.name}` }, element("option", { value: "" }, "any"));
    for (const each of column.values) {
      select.append(element("option", { value: each.value }, `${each.shown || "(empty)"} (${each.rows.toLocaleString("en")})`));
    }
    if (column.more > 0) select.append(element("option", { disabled: true }, `and ${column.more.toLocaleString("en")} more`));
    columns.append(element("label", {}, element("span", { className: "name" }, column.title), " ", select));
  }
  for (const column of known.numbers) {
    const bound = (side, word) => {
      const input = element("input", { type: "number", step: "any", name: `${side}.${column.name}`, placeholder: side });
      input.setAttribute("aria-label", `${column.title}, ${word}`);
      return input;
    };
    columns.append(element("div", { className: "range" }, element("span", { className: "name" }, column.title),
      bound("min", "at least"), bound("max", "at most")));
  }
  for (const column of known.groups) {
    const input = element("input", { type: "number", name: `is.${column.name}`, placeholder: "any" });
    columns.append(element("label", { className: "range" }, element("span", { className: "name" }, column.title), input));
  }
  columns.hidden = columns.children.length === 1;
  const sort = at("sort");
  const order = (value, text) => sort.append(element("option", { value }, text));
  for (const { name, title } of known.numbers) {
    order(`-${name}`, `${title}, highest first`);
    order(name, `${title}, lowest first`);
  }
  order("", "as in the file");
  if (!known.problem) order("drawn", "as drawn for labelling");
  at("problem").textContent = known.problem;
  at("problem").hidden = !known.problem;
  if (!state.has("sort")) state.set("sort", known.first_sort);
}

function fillFilters() {
  for (const field of at("filters").elements) {
    if (!field.name) continue;
    if (field.type === "checkbox") field.checked = state.getAll(field.name).includes(field.value);
    else if (field.tagName === "SELECT" && state.get(field.name) && ![...field.options].some((each) => each.value === state.get(field.name))) {
      field.append(element("option", { value: state.get(field.name) }, state.get(field.name)));
      field.value = state.get(field.name);
    } else field.value = state.get(field.name) || "";
  }
}

function readFilters() {
  for (const name of [...state.keys()]) if (!["run", "row"].includes(name)) state.delete(name);
  for (const field of at("filters").elements) {
    if (!field.name || (field.type === "checkbox" && !field.checked)) continue;
    if (field.value !== "" || field.name === "sort") state.append(field.name, field.value);
  }
}

function refilter() {
  readFilters();
  state.delete("page");
  return list();
}

// The list ------------------------------------------------------------------------------------------------------------

async function list(stamp = null) {
  const mine = ++asked;
  const parameters = new URLSearchParams(state);
  if (stamp !== null) parameters.set("stamp", stamp);
  main.setAttribute("aria-busy", "true");
  try {
    const facts = await ask("/api/rows", parameters);
    if (mine !== asked) return;
    shown = facts;
    drawList();
  } catch (error) {
    if (mine === asked) failed(error);
  } finally {
    if (mine === asked) main.removeAttribute("aria-busy");
  }
}

function drawList() {
  const asks = [...state.keys()].filter((name) => !["run", "row", "page", "sort", "q"].includes(name)).length;
  at("active").textContent = asks ? `(${asks} set)` : "";
  at("found").textContent = shown.total === 0 ? "No rows" : count(shown.total, "row");
  at("list").replaceChildren(...shown.rows.map(listed));
  if (!shown.rows.length) at("list").append(element("li", { className: "nothing" }, "No row fits the search and the filters. ", clearing()));
  at("place").textContent = shown.total ? `page ${(shown.page + 1).toLocaleString("en")} of ${shown.pages.toLocaleString("en")}` : "";
  at("before").disabled = shown.page === 0;
  at("after").disabled = shown.page + 1 >= shown.pages;
  for (const [name, rows] of Object.entries(shown.flags)) {
    const place = document.querySelector(`.carry[data-flag="${CSS.escape(name)}"]`);
    if (place) place.textContent = rows.toLocaleString("en");
  }
  tally(shown.answers);
  for (const form of ["jsonl", "parquet"]) {
    const parameters = new URLSearchParams(state);
    for (const name of ["page", "row"]) parameters.delete(name);
    parameters.set("format", form);
    at(form).href = `/export?${parameters}`;
  }
  history.replaceState(null, "", `?${state}`);
}

function clearing() {
  const button = element("button", { type: "button", className: "link" }, "Clear them");
  button.addEventListener("click", clear);
  return button;
}

function clear() {
  for (const name of [...state.keys()]) if (!["run", "row", "sort"].includes(name)) state.delete(name);
  fillFilters();
  return list();
}

function listed(row) {
  const link = element("a", { href: "#" }, element("span", { className: "snippet" }, row.text ? isolated(row.text) : element("i", {}, "empty row")));
  const facts = element("span", { className: "meta" }, `#${row.row}`);
  if (row.given !== null) facts.append(" · ", isolated(row.given));
  if (row.suspicion !== null) facts.append(` · suspicion ${row.suspicion.toFixed(2)}`);
  for (const flag of row.flags) facts.append(" ", element("span", { className: "tag" }, flag));
  const said = element("span", { className: "said" });
  link.append(facts, said);
  const item = element("li", {}, link);
  item.dataset.row = row.row;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    show(row.row, true);
  });
  drawSaid(item, row);
  if (row.row === open) link.setAttribute("aria-current", "true");
  return item;
}

function drawSaid(item, row) {
  const words = [row.label, row.choice].filter(Boolean);
  item.querySelector(".said").replaceChildren(...words.map((word) => element("span", { className: `word ${word}` }, word)));
}

function tally(answers) {
  const labelled = answers.right + answers.wrong;
  const parts = [];
  if (labelled) parts.push(`${labelled.toLocaleString("en")} labelled, ${answers.wrong.toLocaleString("en")} wrong`);
  if (answers.keep) parts.push(`${answers.keep.toLocaleString("en")} kept`);
  if (answers.drop) parts.push(`${answers.drop.toLocaleString("en")} dropped`);
  at("tally").textContent = parts.join(" · ") || "No labels yet";
}

async function turn(step) {
  const page = shown.page + step;
  if (page < 0 || page >= shown.pages) return false;
  state.set("page", page);
  await list(shown.stamp);
  at("list").scrollTop = 0;
  return true;
}

async function go(step) {
  const place = shown.rows.findIndex((row) => row.row === open);
  let next = place < 0 ? 0 : place + step;
  if (next < 0 || next >= shown.rows.length) {
    if (!(await turn(step))) return;
    next = step > 0 ? 0 : shown.rows.length - 1;
  }
  if (shown.rows[next]) await show(shown.rows[next].row);
}

// One row ---------------------------------------------------------------------------------------------------------------

async function show(row, focus = false) {
  open = row;
  state.set("row", row);
  history.replaceState(null, "", `?${state}`);
  for (const item of at("list").children) {
    const link = item.firstElementChild;
    if (Number(item.dataset.row) === row) {
      link.setAttribute("aria-current", "true");
      link.scrollIntoView({ block: "nearest" });
    } else link.removeAttribute("aria-current");
  }
  try {
    const facts = await ask("/api/row", { run, row });
    if (open !== row) return;
    drawRow(facts);
    document.body.classList.add("row-open");
    if (focus && !wide.matches) {
      scrollTo(0, 0);
      at("detail").focus({ preventScroll: true });
    }
    await near(row);
  } catch (error) {
    failed(error);
  }
}

const titles = { text: "Synthetic row", prompt: "Prompt", response: "Response", rejected: "Response not preferred" };
let current = null;

function drawRow(row) {
  current = row;
  at("nothing").hidden = true;
  at("whole").hidden = false;
  at("detail").scrollTop = 0;
  at("row-name").replaceChildren(`Row ${row.row.toLocaleString("en")}`, ...row.flags.map((flag) => element("span", { className: "tag" }, flag)));
  at("own").replaceChildren(...row.parts.map((part) => {
    const figure = element("figure", {}, element("figcaption", {}, titles[part.name] || part.name),
      element("blockquote", {}, part.text.length ? marked(part.text) : element("i", {}, "empty")));
    figure.dataset.part = part.name;
    if (part.more) figure.append(element("p", { className: "note" }, `${count(part.more, "character")} more; the export holds them all.`));
    return figure;
  }));
  at("near").replaceChildren();
  at("findings").replaceChildren(...row.findings.map(finding));
  if (row.findings.length) at("findings").prepend(element("h3", {}, "What the audit shows it for"));
  at("facts").replaceChildren(...row.facts.flatMap(fact));
  if (row.where) at("facts").append(element("dt", {}, "from"), element("dd", {}, isolated(row.where)));
  for (const [name, value] of row.extras) at("facts").append(element("dt", {}, isolated(name)), element("dd", {}, isolated(value)));
  at("saved").textContent = "";
  press();
}

function finding(each) {
  const made = element("figure", { className: "finding" }, element("figcaption", {}, element("span", {}, each.title), each.note ? element("span", { className: "how" }, isolated(each.note)) : null));
  if (each.text.length) made.append(element("blockquote", {}, marked(each.text)));
  if (each.beside.length) made.append(element("blockquote", { className: "beside" }, marked(each.beside)));
  return made;
}

function fact(each) {
  const value = element("dd", {}, each.kind === "number" ? String(Number(each.value.toPrecision(4))) : isolated(each.shown));
  if (each.kind !== "number" && each.rows > 1) {
    const all = element("button", { type: "button", className: "link" }, count(each.rows, "row"));
    all.addEventListener("click", () => {
      state.delete("page");
      state.set(`is.${each.name}`, each.value);
      fillFilters();
      list();
    });
    value.append(" ", all);
  }
  return [element("dt", {}, isolated(each.title)), value];
}

async function near(row) {
  const place = at("near");
  place.setAttribute("aria-busy", "true");
  for (;;) {
    const facts = await ask("/api/near", { run, row });
    if (open !== row) return;
    if (facts.reading !== undefined) {
      place.replaceChildren(element("p", { className: "note" }, `Reading the real rows: ${Math.round(100 * facts.reading)} %`));
      await new Promise((done) => setTimeout(done, 600));
      if (open !== row) return;
      continue;
    }
    place.setAttribute("aria-busy", "false");
    const own = document.querySelector(`#own [data-part="${facts.name}"] blockquote`);
    if (own && facts.text.length) own.replaceChildren(marked(facts.text));
    place.replaceChildren(...facts.rows.map((each) => element("figure", {},
      element("figcaption", {}, `Real row ${each.row.toLocaleString("en")}`, element("span", { className: "how" },
        each.shared ? `${count(each.shared, "word")} in shared runs · likeness ${each.similarity.toFixed(2)}` : "no run of three words shared")),
      element("blockquote", { className: "beside" }, marked(each.text)))));
    if (!facts.rows.length) place.append(element("p", { className: "note" }, "No real row shares a word with it."));
    return;
  }
}

// Answers ---------------------------------------------------------------------------------------------------------------

function press() {
  for (const button of document.querySelectorAll(".answers button")) {
    button.setAttribute("aria-pressed", String(current !== null && current[button.dataset.of] === button.dataset.said));
  }
}

async function answer(of, said) {
  if (current === null) return;
  const row = current;
  const was = row[of];
  const wanted = was === said ? null : said;
  try {
    const facts = await post("/api/answer", { row: row.row, of, said: wanted, was });
    row.label = facts.label;
    row.choice = facts.choice;
    const known = shown.rows.find((each) => each.row === row.row);
    if (known) {
      Object.assign(known, { label: facts.label, choice: facts.choice });
      drawSaid(at("list").querySelector(`[data-row="${row.row}"]`), known);
    }
    tally(facts.answers);
    if (current === row) press();
    if (!facts.written) {
      at("saved").textContent = `Not saved: another window has said “${facts[of] || "nothing"}” of this row. Answer again to overrule it.`;
      return;
    }
    at("saved").textContent = wanted ? `Row ${row.row}: ${wanted}, saved` : `Row ${row.row}: taken back`;
    if (wanted && of === "label" && at("onward").checked && open === row.row) {
      const told = at("saved").textContent;
      await go(1);
      at("saved").textContent = told;
    }
  } catch (error) {
    at("saved").textContent = `Not saved: ${error.message}`;
  }
}

// Keys and buttons ------------------------------------------------------------------------------------------------------

const keys = {
  r: () => answer("label", "right"), w: () => answer("label", "wrong"), s: () => answer("label", "skip"),
  k: () => answer("choice", "keep"), d: () => answer("choice", "drop"), n: () => go(1), b: () => go(-1),
};

function closeRow() {
  document.body.classList.remove("row-open");
  const link = at("list").querySelector("[aria-current]");
  if (link) link.focus();
}

let queue = Promise.resolve(); // fast typists: one answer after the other
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || at("help").open) return;
  const field = event.target.closest("input, select, textarea");
  if (field) {
    if (event.key === "Escape") field.blur();
    return;
  }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    queue = queue.then(() => go(event.key === "ArrowDown" ? 1 : -1));
  } else if (event.key === "/") {
    event.preventDefault();
    at("q").focus();
  } else if (event.key === "?") at("help").showModal();
  else if (event.key === "Escape") closeRow();
  else if (at("single").checked && Object.hasOwn(keys, event.key)) {
    event.preventDefault();
    queue = queue.then(keys[event.key]);
  }
});

let typing = 0;
at("q").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(refilter, 250);
});
at("filters").addEventListener("change", (event) => { if (event.target !== at("q")) refilter(); });
at("filters").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  refilter();
});
at("clear").addEventListener("click", clear);
at("before").addEventListener("click", () => turn(-1));
at("after").addEventListener("click", () => turn(1));
at("up").addEventListener("click", () => go(-1));
at("down").addEventListener("click", () => go(1));
at("close").addEventListener("click", closeRow);
at("keys").addEventListener("click", () => at("help").showModal());
for (const button of document.querySelectorAll(".answers button")) {
  button.addEventListener("click", () => { queue = queue.then(() => answer(button.dataset.of, button.dataset.said)); });
}
at("decide").addEventListener("click", async () => {
  at("decide").disabled = true;
  at("rate").textContent = "deciding …";
  try {
    const facts = await post("/api/decide", {});
    at("rate").textContent = facts.rate;
  } catch (error) {
    at("rate").textContent = error.message;
  }
  at("decide").disabled = false;
});
// What another window has answered meanwhile is seen when this one is looked at again.
addEventListener("focus", () => { if (open !== null && current !== null) refresh(); });
async function refresh() {
  const facts = await ask("/api/row", { run, row: open });
  if (current && current.row === facts.row) {
    Object.assign(current, { label: facts.label, choice: facts.choice });
    press();
  }
}
// Beside the list the filters stand open; in a narrow window they are out of the way.
const unfold = () => { at("more").open = wide.matches; };
wide.addEventListener("change", unfold);
unfold();
for (const box of [at("onward"), at("single")]) {
  box.checked = localStorage.getItem(`assay-${box.id}`) !== "no";
  box.addEventListener("change", () => localStorage.setItem(`assay-${box.id}`, box.checked ? "yes" : "no"));
}

ask("/api/filters", { run }).then(async (facts) => {
  drawFilters(facts);
  fillFilters();
  await list();
  if (state.has("row")) await show(Number(state.get("row")));
  else if (wide.matches && shown.rows.length) await show(shown.rows[0].row);
}).catch(failed);

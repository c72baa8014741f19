"use strict";
// The page is complete without this: it adds buttons that sort, and a field that filters.
const collator = new Intl.Collator(document.documentElement.lang, { numeric: true, sensitivity: "base" });

function compare(a, b) {
  // What is not known stays at the end, whichever way the rest is sorted.
  return (a.key === "") - (b.key === "") || a.direction * collator.compare(a.key, b.key) || a.position - b.position;
}

function sort(table, header) {
  const direction = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row, position) => {
    const cell = row.cells[header.cellIndex];
    return { row, position, direction, key: (cell.dataset.key ?? cell.textContent).trim() };
  });
  body.append(...rows.sort(compare).map((each) => each.row));
  for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const header of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sort(table, header));
    header.append(button);
  }
}

// One field for the page. A list is hidden whole where nothing in it matches; where little does, all that does is opened.
const OPENED = 200;
const opened = new Set();
let lists;

function listOf(list) {
  const part = list.closest("details");
  const head = [part?.firstElementChild, list.querySelector("caption, p")].map((each) => each?.textContent ?? "").join(" ");
  const entries = Array.from(list.querySelectorAll("tbody tr, li:not(li li, td li)"), (entry) => ({ entry, text: `${head} ${entry.textContent}`.toLowerCase() }));
  return { list, part, entries };
}

function filter(words) {
  for (const part of opened) part.open = false;
  opened.clear();
  const shownParts = new Set();
  let shown = 0;
  let all = 0;
  for (const { list, part, entries } of lists) {
    const matches = entries.map(({ text }) => words.every((word) => text.includes(word)));
    const count = matches.filter(Boolean).length;
    list.hidden = !count && words.length > 0;
    // What is in a hidden list may stay as it is: most are, and each change costs time.
    if (count) entries.forEach(({ entry }, at) => { if (entry.hidden === matches[at]) entry.hidden = !matches[at]; });
    if (count || !words.length) shownParts.add(part);
    shown += count;
    all += entries.length;
  }
  for (const { part } of lists) {
    if (part === null) continue;
    part.hidden = !shownParts.has(part);
    if (words.length && shown <= OPENED && !part.hidden && !part.open) opened.add(part);
  }
  for (const part of opened) part.open = true;
  return words.length ? `${shown.toLocaleString("en")} of ${all.toLocaleString("en")} entries` : "";
}

if (document.querySelector(".filterable")) {
  const bar = document.createElement("div");
  const label = document.createElement("label");
  const field = document.createElement("input");
  const count = document.createElement("output");
  bar.className = "filter";
  field.type = "search";
  label.append("Filter ", field);
  bar.append(label, count);
  const read = () => { lists ??= Array.from(document.querySelectorAll(".filterable"), listOf); };
  setTimeout(read, 300); // a moment after the page is there, and before the first letter
  field.addEventListener("input", () => {
    read();
    count.textContent = filter(field.value.toLowerCase().split(/\s+/).filter(Boolean));
  });
  document.querySelector("h1").after(bar);
}

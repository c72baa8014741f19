"use strict";
// Tables are complete without this: it adds buttons that sort, and fields that filter.
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

for (const table of document.querySelectorAll("table.filterable")) {
  const rows = Array.from(table.tBodies[0].rows, (row) => ({ row, text: row.textContent.toLowerCase() }));
  const filter = document.createElement("div");
  const label = document.createElement("label");
  const field = document.createElement("input");
  const count = document.createElement("output");
  filter.className = "filter";
  field.type = "search";
  label.append(`Filter: ${table.caption.textContent} `, field);
  filter.append(label, count);
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { row, text } of rows) {
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    count.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
  });
  table.parentElement.before(filter);
}

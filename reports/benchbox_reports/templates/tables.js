// The tables of BD-rates, as printed by Python: of the reader's anchor, in the order of the summary.

function showTable(section) {
  const table = byId(`bd-${section.id}`);
  if (!table) return;
  const rows = ordered((section.bd[state.anchor] || []).filter(([cells]) => !hidden(cells[0])), ([cells]) => cells[0]);
  table.tBodies[0].replaceChildren(...rows.map(([cells, remarks]) => make("tr", {},
    make("th", {scope: "row"}, codecLink(cells[0])), ...cells.slice(1).map((cell) => make("td", {}, cell)),
    ...(table.tHead.rows[0].querySelector(".text") ? [make("td", {class: "text remarks"}, ...remarks.map((r) => make("span", {class: "flag"}, r)))] : []))));
  hideEmpty(table);
  markOrder(table, section);
  const none = byId(`none-${section.id}`);
  none.hidden = rows.length > 0;
  none.textContent = section.bd[state.anchor] ? "All other codecs are hidden." : `${state.anchor} has no curve here.`;
  byId(`words-${section.id}`).hidden = state.anchor !== DATA.anchor || hidden(DATA.anchor) || state.hide.length > 0;
}

function hideEmpty(table) {  // columns in which no row has anything
  const rows = [...table.tBodies[0].rows], empty = (k) => rows.length > 0 && rows.every((row) => ["", NONE].includes(row.cells[k].textContent));
  for (let k = 1; k < table.tHead.rows[0].cells.length; k++) {
    const is = empty(k);
    for (const row of table.rows) row.cells[k].hidden = is;
  }
}

function markOrder(table, section) {
  const now = state.order || columns()[0]?.key, [name, curves, , , , pictures] = table.tHead.rows[0].cells, byCurves = isPublished(state.anchor);
  for (const [cell, key] of [[name, "name"], [curves, byCurves && section.id], [pictures, !byCurves && section.id]]) {
    if (key === now) cell.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  }
}

function sortable(section) {
  const cells = byId(`bd-${section.id}`)?.tHead.rows[0].cells;
  for (const [k, key] of cells ? [[0, "name"], [5, section.id]] : []) cells[k].replaceChildren(button(cells[k].textContent, "", () => orderBy(key), {class: "sort"}));
}

function showMatrix(section) {  // all against all: rows and columns in the order of the summary
  const table = byId(`matrix-${section.id}`);
  if (!table || !table.closest("details").open) return;
  if (!memory.has(table)) memory.set(table, [...table.rows].map((row) => [...row.cells]));  // in the run's order
  const [head, ...rows] = memory.get(table), names = rows.map((cells) => cells[0].textContent);
  const order = ordered(names.map((name, k) => ({name, k})), (one) => one.name).filter((one) => !hidden(one.name));
  table.tHead.rows[0].replaceChildren(head[0], ...order.map(({k}) => head[k + 1]));
  table.tBodies[0].replaceChildren(...order.map(({k}) => make("tr", {}, rows[k][0], ...order.map((column) => rows[k][column.k + 1]))));
}

function sortButton(id, k, text, unsorted) {  // of the tables of pictures, which have an order of their own
  return button(text, "", () => {
    const [column, direction] = state.sort[id] || unsorted;
    change({sort: {...state.sort, [id]: [k, column === k ? -direction : 1]}});
  }, {class: "sort"});
}

function markSorted(table, column, direction) {
  [...table.tHead.rows[0].cells].forEach((cell, k) => k === column ? cell.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending") : cell.removeAttribute("aria-sort"));
}

function showSpeedTables() {  // in the order of the summary
  for (const table of document.querySelectorAll("table.speeds")) {
    table.tBodies[0].replaceChildren(...ordered([...table.tBodies[0].rows], (row) => row.cells[0].textContent));
  }
}

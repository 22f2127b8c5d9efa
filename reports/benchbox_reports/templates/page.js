// The reader's choices, kept in the URL's hash; plots, tables and distributions show them.

const DATA = JSON.parse(document.getElementById("run-data").textContent);
const byId = (id) => document.getElementById(id);
const START = {anchor: DATA.anchor, data: "", picture: "", rate: "", unit: "", side: "", hide: [], zoom: {}, sort: {}, at: ""};
let state = structuredClone(START);
let memory = new Map();  // results that are costly to compute, by name

// ---- the hash: anchor=webp&data=kodak&picture=kodim01.png&rate=log&unit=raw&side=decode&hide=LABEL&zoom.SECTION=x0,x1,y0,y1
// &sort.SECTION=column,dir (of the BD table; sort.each-SECTION of the table of pictures, sort.matrix-SECTION of all against all)

function readHash() {
  const given = new URLSearchParams(location.hash.slice(1)), next = structuredClone(START);
  const known = {anchor: allNames(), data: DATA.datasets.map((d) => d.name), rate: ["log", "linear"], unit: ["raw"], side: ["decode"]};
  for (const [key, values] of Object.entries(known)) if (values.includes(given.get(key))) next[key] = given.get(key);
  if (DATA.datasets.some((d) => d.pictures.includes(given.get("picture")))) next.picture = given.get("picture");
  next.hide = given.getAll("hide").filter((name) => allNames().includes(name));
  for (const id of DATA.sections.flatMap((s) => [s.id, `each-${s.id}`, `matrix-${s.id}`, `speed-${s.id}`])) {
    const zoom = (given.get(`zoom.${id}`) || "").split(",").map(Number), sort = (given.get(`sort.${id}`) || "").split(",").map(Number);
    if (zoom.length === 4 && zoom.every(Number.isFinite) && zoom[0] < zoom[1] && zoom[2] < zoom[3]) next.zoom[id] = zoom;
    if (sort.length === 2 && Number.isInteger(sort[0]) && sort[0] >= 0 && Math.abs(sort[1]) === 1) next.sort[id] = sort;
  }
  next.at = byId(given.get("at")) ? given.get("at") : "";
  return next;
}

function hashOf(s) {
  const q = new URLSearchParams();
  for (const key of ["anchor", "data", "picture", "rate", "unit", "side", "at"]) if (s[key] !== START[key]) q.set(key, s[key]);
  for (const name of s.hide) q.append("hide", name);
  for (const [id, z] of Object.entries(s.zoom)) q.set(`zoom.${id}`, z.map((v) => Number(v.toPrecision(5))).join(","));
  for (const [id, v] of Object.entries(s.sort)) q.set(`sort.${id}`, v.join(","));
  return q.toString();
}

function change(part) {
  Object.assign(state, part);
  history.replaceState(null, "", `#${hashOf(state)}`);
  update();
}

function allNames() {
  if (!memory.has("names")) memory.set("names", [...new Set([...DATA.labels, ...DATA.sections.flatMap((s) => [...Object.keys(s.bd), ...s.published.map((p) => p.label)])])]);
  return memory.get("names");
}

const hidden = (name) => state.hide.includes(name);
const toggle = (name) => change({hide: hidden(name) ? state.hide.filter((n) => n !== name) : [...state.hide, name]});
const colourOf = (name) => `var(--c${DATA.looks[name][0]})`;

// ---- curves

function drawn(metric, raw) {
  if (raw === null || !metric.db || state.unit === "raw") return raw;
  return raw < 1 ? -10 * Math.log10(1 - raw) : null;
}

function facts(name, metric, quality, bpp, raw, bytes, mean) {
  const value = printed(drawn(metric, raw), metric.db && state.unit === "raw" ? 5 : metric.decimals);
  const unit = metric.db && state.unit !== "raw" ? " dB" : metric.unit && ` ${metric.unit}`;
  return [name, ...(quality === null ? [] : [`quality ${quality}`]), `${printed(bpp, 3)} bpp`, `${metric.title} ${value}${unit}`,
    ...(bytes === null ? [] : [`${Math.round(bytes).toLocaleString("en")} bytes${mean ? " (mean)" : ""}`])];
}

function lineOf(name, metric, quality, bpp, raw, bytes, mean) {
  const [, marker, dash, published] = DATA.looks[name];
  const points = bpp.map((x, j) => ({x, y: drawn(metric, raw[j]), facts: x && facts(name, metric, quality && quality[j], x, raw[j], bytes && bytes[j], mean)}))
    .filter((p) => p.x > 0 && p.y !== null).sort((a, b) => a.x - b.x);
  return {name, colour: colourOf(name), dash, marker, faint: published, points};
}

function linesOf(section, metric) {
  const set = DATA.datasets.find((d) => d.name === section.dataset), s = set.pictures.indexOf(state.picture);
  if (s < 0) {
    return [...section.published.map((p) => lineOf(p.label, metric, null, p.bpp, p.raw, null, true)),
      ...section.curves.map((c) => lineOf(c.label, metric, c.quality, c.bpp, c.raw, c.bytes, true))];
  }
  return set.codecs.filter((c) => c.values[section.metric]).map((c) => {
    const part = (values) => values.slice(s * c.quality.length, (s + 1) * c.quality.length), bytes = part(c.bytes);
    const raw = part(c.values[section.metric]).map((v) => v === null ? null : v / metric.scale);
    return lineOf(c.label, metric, c.quality, bytes.map((b) => b === null ? null : 8 * b / set.pixels[s]), raw, bytes, false);
  });
}

function showCurves(section) {
  const host = byId(`plot-${section.id}`), metric = DATA.metrics[section.metric];
  if (!host) return;
  const plot = plotOf(host, {zoom: zoomOf(section.id)});
  const one = DATA.datasets.find((d) => d.name === section.dataset).pictures.includes(state.picture);
  const log = state.rate ? state.rate === "log" : section.log, raw = metric.db && state.unit === "raw";
  const zoom = state.zoom[section.id];
  plot.show({
    title: `${metric.title} against bits per pixel on ${section.dataset}, ${one ? state.picture : "mean over pictures"}; arrow keys walk over the points, plus and minus zoom`,
    x: {label: `Rate (bits per pixel${log ? ", logarithmic" : ""})`, log, zero: true}, y: {label: raw ? metric.title : metric.label},
    zoom: zoom && !(log && zoom[0] <= 0) ? zoom : null, lines: linesOf(section, metric).filter((l) => !hidden(l.name)),
    marks: one ? [] : section.lossless.filter(([name]) => !hidden(name)).map(([name, x]) => ({x, text: `${name} (lossless)`})),
  });
  byId(`of-${section.id}`).textContent = one ? `Shown: ${state.picture} alone.` : "";
}

function zoomOf(id) {  // for a plot to call with the ends it is zoomed to, or null
  return (ends) => change({zoom: {...Object.fromEntries(Object.entries(state.zoom).filter(([other]) => other !== id)), ...(ends && {[id]: ends})}});
}

function plotOf(host, on) {
  if (!memory.has(host)) memory.set(host, new Plot(host, on));
  return memory.get(host);
}

// ---- BD tables, as printed by Python

function showTable(section) {
  const table = byId(`bd-${section.id}`);
  if (!table) return;
  const rows = (section.bd[state.anchor] || []).filter(([cells]) => !hidden(cells[0]));
  const [column, direction] = state.sort[section.id] || [-1, 1];
  sortRows(rows, ([cells]) => cells[column], column, direction);
  table.tBodies[0].replaceChildren(...rows.map(([cells, remarks]) => make("tr", {},
    make("th", {scope: "row"}, codecLink(cells[0])), ...cells.slice(1).map((cell) => make("td", {}, cell)),
    ...(table.tHead.rows[0].querySelector(".text") ? [make("td", {class: "text remarks"}, ...remarks.map((r) => make("span", {class: "flag"}, r)))] : []))));
  markSorted(table, column, direction);
  const none = byId(`none-${section.id}`);
  none.hidden = rows.length > 0;
  none.textContent = section.bd[state.anchor] ? "All other codecs are hidden." : `${state.anchor} has no curve here.`;
  byId(`words-${section.id}`).hidden = state.anchor !== DATA.anchor || state.hide.length > 0;
}

function sortRows(rows, textOf, column, direction) {  // by name in column 0, else by number; rows without one last
  const key = (row) => Number.parseFloat(textOf(row).replaceAll(MINUS, "-"));
  if (column === 0) rows.sort((a, b) => direction * textOf(a).localeCompare(textOf(b)));
  if (column > 0) rows.sort((a, b) => (Number.isNaN(key(a)) - Number.isNaN(key(b))) || direction * (key(a) - key(b)) || 0);
}

function showMatrix(section) {  // all against all, as printed by Python
  const table = byId(`matrix-${section.id}`);
  if (!table) return;
  if (!memory.has(table)) memory.set(table, [...table.tBodies[0].rows]);  // in the run's order
  const rows = [...memory.get(table)], [column, direction] = state.sort[table.id] || [-1, 1];
  const names = ["", ...rows.map((row) => row.cells[0].textContent)];
  sortRows(rows, (row) => column < names.length ? row.cells[column].textContent : "", column, direction);
  table.tBodies[0].replaceChildren(...rows);
  for (const row of table.rows) [...row.cells].forEach((cell, k) => { cell.hidden = hidden(names[k]); });
  for (const row of rows) row.hidden = hidden(row.cells[0].textContent);
  markSorted(table, column, direction);
}

function markSorted(table, column, direction) {
  [...table.tHead.rows[0].cells].forEach((cell, k) => k === column ? cell.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending") : cell.removeAttribute("aria-sort"));
}

function codecLink(name) {
  const k = DATA.labels.indexOf(name);
  return k < 0 ? name : make("a", {href: `#codec-${k}`}, name);
}

function sortable(section) {
  for (const [id, table] of [[section.id, byId(`bd-${section.id}`)], [`matrix-${section.id}`, byId(`matrix-${section.id}`)]]) {
    [...table?.tHead.rows[0].cells ?? []].forEach((cell, k) => {
      if (!cell.classList.contains("text")) cell.replaceChildren(sortButton(id, k, cell.textContent));
    });
  }
}

function sortButton(id, k, text, unsorted = [-1, 1]) {  // unsorted: the order of the table before the reader sorts it
  const button = make("button", {type: "button", class: "sort"}, text);
  button.addEventListener("click", () => {
    const [column, direction] = state.sort[id] || unsorted;
    change({sort: {...state.sort, [id]: [k, column === k ? -direction : 1]}});
  });
  return button;
}

// ---- controls

function option(value, text, chosen) {
  const o = make("option", {value}, text);
  o.selected = value === chosen;
  return o;
}

function showControls() {
  const shown = DATA.datasets.filter((d) => !state.data || d.name === state.data);
  byId("c-data").replaceChildren(option("", "all", state.data), ...DATA.datasets.map((d) => option(d.name, d.name, state.data)));
  byId("c-data").closest("label").hidden = DATA.datasets.length < 2;
  byId("c-picture").replaceChildren(option("", "mean over all", state.picture), ...shown.map((d) => make("optgroup", {label: d.name}, ...d.pictures.map((p) => option(p, p, state.picture)))));
  byId("c-picture").closest("label").hidden = !DATA.datasets.some((d) => d.pictures.length);
  byId("c-anchor").replaceChildren(...allNames().filter((n) => DATA.sections.some((s) => s.bd[n])).map((n) => option(n, n, state.anchor)));
  byId("c-rate").value = state.rate;
  byId("c-unit").value = state.unit;
  if (byId("c-side")) byId("c-side").value = state.side;
  byId("c-unit").closest("label").hidden = !Object.values(DATA.metrics).some((m) => m.db);
  for (const button of document.querySelectorAll("[data-codec]")) button.setAttribute("aria-pressed", String(!hidden(button.dataset.codec)));
  byId("c-count").textContent = state.hide.length ? `${state.hide.length} hidden` : "all shown";
}

function update() {
  showControls();
  for (const part of document.querySelectorAll("[data-set]")) part.hidden = state.data !== "" && part.dataset.set !== state.data;
  for (const part of document.querySelectorAll("[data-anchor]")) part.textContent = state.anchor;
  for (const section of DATA.sections) {
    if (state.data && section.dataset !== state.data) continue;
    showCurves(section);
    showTable(section);
    showMatrix(section);
    showPictures(section);
    showSpeed(section);
  }
}

function start() {
  document.documentElement.classList.add("js");
  for (const part of document.querySelectorAll(".js-only")) part.hidden = false;
  for (const key of ["data", "picture", "anchor", "rate", "unit", "side"]) {
    const whole = key === "unit" || key === "picture" || key === "side" ? {zoom: {}} : {};  // other axes: the zoom no longer applies
    if (byId(`c-${key}`)) byId(`c-${key}`).addEventListener("change", (e) => change({[key]: e.target.value, ...whole}));
  }
  byId("c-all").addEventListener("click", () => change({hide: []}));
  byId("c-none").addEventListener("click", () => change({hide: [...allNames()]}));
  byId("c-reset").addEventListener("click", () => { change(structuredClone(START)); });
  for (const button of document.querySelectorAll("[data-codec]")) button.addEventListener("click", () => toggle(button.dataset.codec));
  for (const section of DATA.sections) {
    sortable(section);
    const fold = byId(`each-${section.id}`);
    if (fold) fold.addEventListener("toggle", () => showPictures(section));
  }
  document.addEventListener("click", (e) => {  // links inside the page keep the reader's choices
    const link = e.target.closest("a[href^='#']"), goal = link && byId(link.getAttribute("href").slice(1));
    if (!goal) return;
    e.preventDefault();
    change({at: goal.id});
    goTo(goal);
  });
  const follow = () => { state = readHash(); update(); if (state.at) goTo(byId(state.at)); };
  window.addEventListener("hashchange", follow);
  if (location.hash && byId(location.hash.slice(1))) location.replace(`#at=${location.hash.slice(1)}`);
  follow();
}

function goTo(goal) {
  for (const old of document.querySelectorAll(".found")) old.classList.remove("found");
  for (let fold = goal.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  goal.classList.add("found");
  goal.setAttribute("tabindex", "-1");
  goal.scrollIntoView();
  goal.focus({preventScroll: true});
}

start();

// The summary: one row a codec, a BD-rate a metric, speeds; and the sentences above it, for the reader's anchor and pictures.

function showSummary() {
  const table = byId("summary");
  if (!table) return;
  const cols = columns().filter((c) => !state.data || (c.section ? c.section.dataset : c.dataset) === state.data)
    .filter((c) => !c.section || c.section.bd[state.anchor]), now = state.order || columns()[0]?.key;
  const sortable = (key, text, more = {}) => {
    const th = make("th", {scope: "col", ...more}, button(text, "", () => orderBy(key), {class: "sort"}));
    const column = columns().find((c) => c.key === key);
    if (key === now) th.setAttribute("aria-sort", (column?.rising ?? 1) * (state.down ? -1 : 1) > 0 ? "ascending" : "descending");
    return th;
  };
  table.tHead.rows[0].replaceChildren(sortable("name", "Codec"), ...cols.map((c) => sortable(c.key, c.head, {"data-of": c.section?.dataset ?? c.dataset, "data-title": c.title})));
  const labels = ordered([...new Set([...NAMES, ...DATA.labels])].filter((n) => columns().some((c) => c.value(n) !== null)));
  const best = cols.map((c) => {
    const last = c.section ? unranked(c.section) : new Set();
    const rows = labels.filter((n) => !(c.section && n === state.anchor) && c.value(n) !== null && !standsApart(n) && !last.has(n));
    return rows.length > (c.section ? 0 : 1) ? rows.sort((a, b) => c.rising * (c.value(a) - c.value(b)))[0] : null;
  });
  const row = (label) => make("tr", {...(label === state.anchor && {class: "anchor"})}, make("th", {scope: "row"}, swatch(label), make("span", {class: "name"}, codecLink(label))),
    ...cols.map((c, k) => make("td", {}, ...summaryCell(c, label, best[k] === label))));
  const others = labels.filter(standsApart), head = () => make("tr", {class: "apart"}, make("th", {scope: "rowgroup", colspan: cols.length + 1}, DATA.apart));
  table.tBodies[0].replaceChildren(...labels.filter((n) => !standsApart(n)).map(row), ...(others.length ? [head(), ...others.map(row)] : []));
  byId("summary-of").textContent = summaryNote(cols);
  const words = DATA.headline[state.anchor] || [];
  byId("headline").hidden = !words.length || state.picture !== "" || state.tag !== "" || state.data !== "";
  byId("headline").replaceChildren(...words.map((text) => make("p", {}, text)));
}

function summaryCell(column, label, best) {
  const value = column.value(label), strong = (text) => best ? make("b", {}, text) : text;
  if (value === null) return [NONE];
  if (column.section && label === state.anchor) return ["anchor"];
  const one = column.section ? bits(column.section, label) : null, digits = column.section ? digitsOf(column.section) : column.digits, signed = !!column.section;
  const ends = column.section ? [one.low, one.high] : column.ends(label);
  const interval = state.ends && ends[0] !== null ? [make("span", {class: "interval"}, `[${printed(ends[0], digits, signed)}, ${printed(ends[1], digits, signed)}]`)] : [];
  const less = column.section ? few(one.n, one.of) : "";
  return [strong(printed(value, digits, signed)), ...(less ? [" ", make("span", {}, `(${less})`)] : []), ...interval];
}

// On paper, a summary wider than a sheet, which would cut it, stands in parts one below the other: a data set each, or less.
function foldSummary(is) {
  const table = byId("summary");
  if (!table) return;
  const cells = [...table.rows].map((row) => [...row.cells]).filter((row) => row.length > 1), heads = cells[0].slice(1);
  const pen = make("canvas").getContext("2d");
  pen.font = `700 9.4px ${getComputedStyle(table).fontFamily}`;  // page.css: 7 points on paper
  const widest = (texts, least) => Math.max(least, ...texts.map((text) => pen.measureText(text).width));
  const room = PAPER[".curves"][0] - 46 - widest(cells.flatMap((row) => row[0].textContent.trim().split(/\s/)), 94);
  const wide = (k, head) => 8 + widest([head, ...cells.slice(1).map((row) => row[k].textContent)].flatMap((text) => text.split(/(?<=-)|\s/)), 32);
  const folded = is && heads.reduce((sum, head, k) => sum + wide(k + 1, head.textContent), 0) > room;
  const sets = folded ? [...new Set(heads.map((head) => head.dataset.of))] : [];
  const parts = sets.flatMap((set) => {
    const own = heads.filter((head) => head.dataset.of === set).map((head) => head.cellIndex);
    return partsOf(own, (k) => wide(k, heads[k - 1].dataset.title), room).map((places) => summaryPart(table, places, sets.length > 1 ? set : ""));
  });
  byId("summary-parts").replaceChildren(...parts);
  table.parentElement.classList.toggle("not-on-paper", folded);
}

function summaryPart(table, places, set) {
  const part = table.cloneNode(true);
  part.removeAttribute("id");
  part.className = "summary";
  for (const row of part.rows) {
    if (row.cells.length === 1) row.cells[0].colSpan = places.length + 1;
    [...row.cells].forEach((cell, k) => { if (k && !places.includes(k)) cell.remove(); });
  }
  for (const head of [...part.tHead.rows[0].cells].slice(1)) head.textContent = head.dataset.title;
  if (set) part.prepend(make("caption", {}, set));
  return part;
}

function partsOf(places, wide, room) {  // places of columns that stand side by side
  const parts = [[]];
  let left = room;
  for (const k of places) {
    if (parts.at(-1).length && wide(k) > left) {
      parts.push([]);
      left = room;
    }
    parts.at(-1).push(k);
    left -= wide(k);
  }
  return parts;
}

function summaryNote(cols) {
  const sections = cols.filter((c) => c.section).map((c) => c.section), which = (s) => whichPictures(s, subset(s), s.all), several = new Set(sections.map(which));
  const curves = isPublished(state.anchor), over = curves ? `by mean curves, as ${state.anchor} has no single pictures` : several.size === 1 ? [...several][0] : sections.map((s) => `${s.dataset} ${DATA.metrics[s.metric].title}: ${which(s)}`).join("; ");
  const timed = [...new Set(cols.filter((c) => c.dataset).map((c) => c.dataset))].map((name) => [name, DATA.datasets.find((d) => d.name === name).timed])
    .filter(([, few]) => few).map(([name, few]) => DATA.datasets.length > 1 ? `${name}: ${few}` : few);
  const ends = !curves && sections.some((s) => s.ratios?.low.some((v) => v !== null)) && subset(sections[0]) === null;
  const toggle = byId("c-ends");
  toggle.closest("label").hidden = !ends;
  return [`BD-rate against ${state.anchor} in percent of bits, ${over}; negative is fewer. Best in bold.`,
    sections.some((s) => DATA.labels.some((n) => { const one = bits(s, n); return one && few(one.n, one.of); })) ? "A value that is not over all pictures says so; over other pictures than most it is not ranked." : "",
    cols.some((c) => !c.section) ? `Speed: median over the operating points${timed.length ? ` (${timed.join("; ")})` : ""}; with intervals, quartiles.` : ""].filter(Boolean).join(" ");
}

function swatch(name) {
  const [k, marker, dash, published] = DATA.looks[name] || [0, "", "none", false], colour = `var(--c${k})`;
  return make("svg:svg", {class: "swatch", viewBox: "0 0 36 14", "aria-hidden": "true"}, make("svg:path", {d: "M0 7H36", fill: "none", stroke: colour, "stroke-width": 2, "stroke-dasharray": dash}),
    ...(marker ? [make("svg:path", {transform: "translate(18 7)", d: marker, fill: published ? "var(--card)" : colour, stroke: colour})] : []));
}

function codecLink(name) {
  const k = DATA.labels.indexOf(name);
  return k < 0 ? name : make("a", {href: `#codec-${k}`}, name);
}

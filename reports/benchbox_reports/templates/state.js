// The reader's choices, kept in the URL's hash, and what follows from them: which curves, pictures and order.
//
// #anchor=webp&data=kodak&picture=kodim01.png&tag=portrait&view=saved&x=encode_s&y=psnr&rate=log&unit=raw&side=decode
// &show=all&hide=LABEL or &only=LABEL&order=SECTION&down=yes&ends=yes&zoom.SECTION=x0,x1,y0,y1&sort.each-SECTION=column,dir
// &here=SECTION/PICTURE&at=ELEMENT; a key that has its start value is not written.

const DATA = JSON.parse(byId("run-data").textContent);
const CROWDED = 8;  // most curves that are all shown at the start
const NAMES = DATA.names;  // every name that can be hidden, each with a button
const ASKED = new Set(DATA.asked);  // names that the report was asked to show: they stay beside the best of each family
const crowded = NAMES.some((name) => !ASKED.has(name)) && DATA.sections.some((s) => s.curves.length + s.published.length > CROWDED);
const START = {anchor: DATA.anchor, data: "", picture: "", tag: "", view: "", x: "", y: "", rate: "", unit: "", side: "", show: crowded ? "best" : "all",
  hide: [], order: "", down: "", ends: "", zoom: {}, sort: {}, here: "", at: ""};
let state = structuredClone(START);
const memory = new Map();  // results that are costly to compute, by name

function readHash() {
  const given = new URLSearchParams(location.hash.slice(1)), next = structuredClone(START);
  const axes = Object.keys(quantities()), orders = ["name", "plan", ...columns().map((c) => c.key)];
  const known = {anchor: anchors(), data: DATA.datasets.map((d) => d.name), rate: ["log", "linear"], unit: ["raw"], side: ["decode"], view: ["saved"],
    show: ["all", "best"], x: axes, y: axes, tag: tags(), order: orders, down: ["yes"], ends: ["yes"]};
  for (const [key, values] of Object.entries(known)) if (values.includes(given.get(key))) next[key] = given.get(key);
  if (DATA.datasets.some((d) => d.pictures.includes(given.get("picture")))) next.picture = given.get("picture");
  if (given.has("only")) next.hide = NAMES.filter((name) => !given.getAll("only").includes(name));
  if (given.has("hide")) next.hide = given.getAll("hide").filter((name) => NAMES.includes(name));
  if (next.hide.length) next.show = "all";
  for (const id of DATA.sections.flatMap((s) => [s.id, `each-${s.id}`, `speed-${s.id}`])) {
    const zoom = (given.get(`zoom.${id}`) || "").split(",").map(Number), sort = (given.get(`sort.${id}`) || "").split(",").map(Number);
    if (zoom.length === 4 && zoom.every(Number.isFinite) && zoom[0] < zoom[1] && zoom[2] < zoom[3]) next.zoom[id] = zoom;
    if (sort.length === 2 && Number.isInteger(sort[0]) && sort[0] >= 0 && Math.abs(sort[1]) === 1) next.sort[id] = sort;
  }
  const here = given.get("here") || "", slash = here.indexOf("/");
  if (DATA.sections.some((s) => s.id === here.slice(0, slash) && setOf(s).pictures.includes(here.slice(slash + 1)))) next.here = here;
  next.at = byId(given.get("at")) ? given.get("at") : "";
  return next;
}

function hashOf(s) {
  const q = new URLSearchParams();
  for (const key of Object.keys(START)) if (typeof START[key] === "string" && s[key] !== START[key]) q.set(key, s[key]);
  if (s.hide.length) q.delete("show");
  const [key, names] = 2 * s.hide.length > NAMES.length ? ["only", NAMES.filter((name) => !s.hide.includes(name))] : ["hide", s.hide];
  for (const name of s.hide.length && !names.length ? [""] : names) q.append(key, name);
  for (const [id, z] of Object.entries(s.zoom)) q.set(`zoom.${id}`, z.map((v) => Number(v.toPrecision(4))).join(","));
  for (const [id, v] of Object.entries(s.sort)) q.set(`sort.${id}`, v.join(","));
  return q.toString();
}

function change(part) {
  Object.assign(state, part);
  if (part.hide) state.show = part.show || (part.hide.length ? "all" : state.show);
  history.replaceState(null, "", `#${hashOf(state)}`);
  update();
}

// ---- which curves

const anchors = () => [...new Set(DATA.sections.flatMap((s) => Object.keys(s.bd)))];
const hidden = (name) => state.show === "all" && state.hide.includes(name);
const shownIn = (section, name) => state.show === "best" ? bestOf(section).has(name) || ASKED.has(name) || name === state.anchor : !hidden(name);
const colourOf = (name) => `var(--c${DATA.looks[name][0]})`;

function bestOf(section) {  // of each family the codec that needs the fewest bits in this section
  const key = `best ${section.id} ${state.anchor}`;
  if (memory.has(key)) return memory.get(key);
  const best = new Map(), base = section.ratios?.labels.includes(state.anchor) ? state.anchor : section.ratios?.labels[0];
  for (const {label} of section.curves) {
    const family = DATA.looks[label][4], bits = label === base ? 0 : ratiosOf(section, label, base)?.mean ?? Infinity;
    if (!best.has(family) || bits < best.get(family)[0]) best.set(family, [bits, label]);
  }
  memory.set(key, new Set([...best.values()].map(([, label]) => label)));
  return memory.get(key);
}

function toggle(name, section) {  // from the curves that are shown now
  const off = NAMES.filter((n) => section ? !shownIn(section, n) : hidden(n) || (state.show === "best" && !DATA.sections.some((s) => shownIn(s, n))));
  change({show: "all", hide: off.includes(name) ? off.filter((n) => n !== name) : [...off, name]});
}

function isolate(name) {  // alone; once more: as at the start
  const others = NAMES.filter((n) => n !== name), alone = state.show === "all" && state.hide.length === others.length && !state.hide.includes(name);
  change(alone ? {hide: [], show: START.show} : {show: "all", hide: others});
}

// ---- which pictures

const setOf = (section) => DATA.datasets.find((d) => d.name === section.dataset);
const tags = () => [...new Set(DATA.datasets.flatMap((d) => d.tags.flat()))].sort();

function subset(section) {  // places of the pictures that the reader chose; null: all
  const set = setOf(section), one = set.pictures.indexOf(state.picture);
  if (one >= 0) return [one];
  return state.tag && set.pictures.length ? set.pictures.map((_, k) => k).filter((k) => set.tags[k].includes(state.tag)) : null;
}

function whichPictures(section, chosen = subset(section), all = section.n) {  // in words
  if (chosen === null) return `mean over ${all} picture${all === 1 ? "" : "s"}`;
  if (chosen.length === 1) return `${setOf(section).pictures[chosen[0]]} alone`;
  return chosen.length ? `mean over the ${chosen.length} pictures that are ${state.tag}` : `no picture is ${state.tag}`;
}

// ---- one order of codecs for every table and dot plot; published curves, which are by another measure, after the measured ones

function ordered(items, nameOf = (item) => item) {
  const column = columns().find((c) => c.key === (state.order || columns()[0]?.key)), sign = state.down ? -1 : 1, place = (name) => DATA.labels.indexOf(name);
  const value = (item) => column.value(nameOf(item)), last = column?.section ? unranked(column.section) : new Set();
  const by = state.order === "plan" || !column ? (a, b) => sign * (place(nameOf(a)) - place(nameOf(b)))
    : state.order === "name" ? (a, b) => sign * nameOf(a).localeCompare(nameOf(b))
      : (a, b) => (value(a) === null) - (value(b) === null) || last.has(nameOf(a)) - last.has(nameOf(b)) || sign * column.rising * (value(a) - value(b)) || 0;
  return [...items].sort((a, b) => standsApart(nameOf(a)) - standsApart(nameOf(b)) || by(a, b));
}

function orderBy(key) {
  const now = state.order || columns()[0]?.key;
  change({order: key === columns()[0]?.key ? "" : key, down: key === now && !state.down ? "yes" : ""});
}

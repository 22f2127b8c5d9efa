// The figures of curves: what is on their axes, their legends, headings and notes.

function lineOf(name, xs, ys, texts) {
  const [, marker, dash, published] = DATA.looks[name];
  const points = xs.map((x, j) => ({x, y: ys[j], facts: x === null ? null : texts(j)})).filter((p) => p.x !== null && p.y !== null && Number.isFinite(p.x) && Number.isFinite(p.y));
  return {name, colour: colourOf(name), dash, marker, faint: published, points};
}

function axesOf(section) {  // keys of the quantities on the axes
  return {x: state.x || "bpp", y: state.y || section.metric};
}

function linesOf(section, {x, y}, chosen = subset(section)) {
  const q = quantities(), set = setOf(section), usual = x === "bpp" && y === section.metric;
  const shown = (quantity, raw) => raw === null ? null : quantity.metric ? drawn(quantity.metric, raw) : quantity.log && raw <= 0 ? null : raw;
  const line = (name, quality, xs, ys, more) => lineOf(name, xs.map((v) => shown(q[x], v)), ys.map((v) => shown(q[y], v)), (j) => [name,
    ...(quality ? [`quality ${quality[j]}`] : []), textOf(q[x], xs[j]), textOf(q[y], ys[j]), ...more(j)]);
  const lines = chosen === null && usual
    ? [...section.published.map((p) => line(p.label, null, p.bpp, p.raw, () => [])),
      ...section.curves.map((c) => line(c.label, c.quality, c.bpp, c.raw, (j) => c.bytes[j] === null ? [] : [`${Math.round(c.bytes[j]).toLocaleString("en")} bytes (mean)`]))]
    : set.codecs.map((c) => {
      const of = (key) => averaged(set, c, chosen || section.used, q[key]), bytes = usual ? of("bytes") : [];
      return line(c.label, c.quality, of(x), of(y), (j) => usual && bytes[j] !== null ? [`${Math.round(bytes[j]).toLocaleString("en")} bytes${(chosen || section.used).length > 1 ? " (mean)" : ""}`] : []);
    }).filter((l) => l.points.length);
  if (x === "bpp" || x === "bytes") for (const l of lines) l.points.sort((a, b) => a.x - b.x);
  return lines;
}

function isLog(key, lines) {  // whether an axis of this quantity is logarithmic, unless the reader says otherwise
  const values = lines.filter((l) => !l.faint).flatMap((l) => l.points.map((p) => p[key]));
  return values.length > 0 && Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) >= 10;
}

function viewOf(section, chosen = subset(section)) {  // what a plot shows of a section
  const q = quantities(), metric = DATA.metrics[section.metric], {x, y} = axesOf(section), all = linesOf(section, {x, y}, chosen), empty = "no curve is shown";
  if (saved()) {
    const usual = linesOf(section, {x: "bpp", y: section.metric}, chosen), lines = savedLines(usual, state.anchor, metric, metric.better).filter((l) => shownIn(section, l.name));
    return {lines, names: true, level: 0, empty: usual.some((l) => l.name === state.anchor) ? empty : `${state.anchor} has no curve here`,
      x: {label: metric.db && state.unit === "raw" ? metric.title : metric.label}, y: {label: `Bits against ${state.anchor} at equal quality (%)`, most: MOST_BITS}};
  }
  const lines = all.filter((l) => shownIn(section, l.name)), usual = x === "bpp" && y === section.metric;
  const log = q[x].log ? (state.rate ? state.rate === "log" : usual && chosen === null ? section.log : isLog("x", all)) : false;
  const axis = (quantity, is) => ({label: quantity.metric?.db && state.unit === "raw" ? quantity.metric.title : `${quantity.label}${is && !quantity.label.includes(")") ? " (logarithmic)" : ""}`.replace(/\)$/, is ? ", logarithmic)" : ")"), log: is, zero: quantity.log});
  return {lines, names: true, empty, x: axis(q[x], log), y: axis(q[y], q[y].log ? isLog("y", all) : false),
    marks: usual && chosen === null ? section.lossless.filter(([name]) => !hidden(name)).map(([name, at]) => ({x: at, text: `${name} (lossless)`})) : []};
}

const saved = () => state.view === "saved" && !state.x && !state.y;

function titleOf(section) {
  const q = quantities(), {x, y} = axesOf(section), title = DATA.metrics[section.metric].title;
  if (saved()) return `Bits against ${state.anchor} over ${title} on ${section.dataset}`;
  return x === "bpp" && y === section.metric ? `${title} on ${section.dataset}` : `${q[y].short} over ${q[x].short} on ${section.dataset}`.replace(/^./, (c) => c.toUpperCase());
}

function whatIsShown(section, chosen = subset(section)) {  // over which pictures, and of how many of them there are times, where the axes show times
  const set = setOf(section), over = chosen || section.used, axes = Object.values(axesOf(section)).some((key) => quantities()[key].time);
  const times = set.timed && axes ? few(over.filter((s) => isTimed(set, s)).length, over.length) : "";
  return `${whichPictures(section, chosen)}${times ? ` (times: ${times})` : ""}`;
}

function showCurves(section) {
  const host = byId(`plot-${section.id}`);
  if (!host) return;
  const figure = host.closest("figure"), double = state.y && DATA.sections.find((s) => s.dataset === section.dataset && byId(`plot-${s.id}`)) !== section;
  figure.hidden = double || (state.data !== "" && section.dataset !== state.data);  // one figure for a quantity that no section is about
  if (figure.hidden) return;
  const light = (name) => lightAll(figure, name), plot = plotOf(host, {zoom: zoomOf(section.id), light}), view = viewOf(section), zoom = state.zoom[section.id];
  const words = whatIsShown(section), what = titleOf(section);
  plot.show({...view, title: `${what}, ${words}; arrow keys walk over the points, plus and minus zoom`,
    zoom: zoom && !(view.x.log && zoom[0] <= 0) && !(view.y.log && zoom[2] <= 0) ? zoom : null});
  byId(`what-${section.id}`).textContent = what;
  byId(`of-${section.id}`).textContent = words;
  const usual = subset(section) === null && !saved() && !state.x && !state.y;
  for (const note of figure.querySelectorAll(".usual")) note.hidden = !usual;
  const count = `${view.lines.length} of ${section.curves.length + section.published.length}`, out = zoom ? [] : plot.beyond();
  byId(`now-${section.id}`).textContent = [usual ? "" : `Shown: ${words}.`, state.show === "best" ? `${count} curves are shown: the best of each family by BD-rate${ASKED.size ? " and those asked for" : ""}.` : state.hide.length ? `${count} curves are shown.` : "",
    saved() ? `Below zero needs fewer bits than ${state.anchor} at the same quality; curves through the points by PCHIP, over the range that both cover${plot.shown[3] === MOST_BITS ? `; the axis ends at +${MOST_BITS} %` : ""}.` : "",
    out.length ? `Beyond the axes run on: ${out.join(", ")}.` : ""].filter(Boolean).join(" ");
  showLegend(section, figure);
  showRange(section, plot);
}

// ---- legends

function showLegend(section, figure) {
  for (const entry of figure.querySelectorAll("[data-codec]")) entry.setAttribute("aria-pressed", String(shownIn(section, entry.dataset.codec)));
}

function legend(section, figure) {
  for (const entry of figure.querySelectorAll("[data-codec]")) {
    const name = entry.dataset.codec, plot = () => memory.get(byId(`plot-${section.id}`));
    entry.addEventListener("click", () => toggle(name, section));
    entry.addEventListener("dblclick", () => isolate(name));
    entry.addEventListener("keydown", (e) => { if (e.key === "Enter" && e.shiftKey) { e.preventDefault(); isolate(name); } });
    for (const type of ["pointerenter", "focus"]) entry.addEventListener(type, () => plot()?.light(name));
    for (const type of ["pointerleave", "blur"]) entry.addEventListener(type, () => plot()?.light(null));
  }
}

function lightAll(figure, name) {  // marks the legend's entry of the curve under the pointer
  for (const entry of figure.querySelectorAll("[data-codec]")) entry.classList.toggle("lit", entry.dataset.codec === name);
}

// ---- ranges, as numbers; the same as zooming

function ranges(section, figure) {
  const inputs = [...figure.querySelectorAll(".ranges input")];
  for (const input of inputs) input.addEventListener("change", () => {
    const plot = memory.get(byId(`plot-${section.id}`)), ends = inputs.map((one, k) => one.value === "" ? plot.extents()[k] : Number(one.value));
    const fine = ends.every(Number.isFinite) && ends[0] < ends[1] && ends[2] < ends[3];
    figure.querySelector(".ranges output").textContent = fine ? "" : "the first number must be below the second";
    figure.dataset.typing = "yes";  // the reader's numbers stay as they are, and empty ends free
    if (fine) zoomOf(section.id)(inputs.every((one) => one.value === "") ? null : ends);
    delete figure.dataset.typing;
  });
}

function showRange(section, plot) {
  const inputs = [...plot.host.closest("figure").querySelectorAll(".ranges input")], zoom = state.zoom[section.id];
  inputs.forEach((input, k) => {
    if (!plot.host.closest("figure").dataset.typing) input.value = zoom ? String(Number(zoom[k].toPrecision(4))) : "";
    input.placeholder = String(Number(plot.shown[k].toPrecision(3)));
  });
}

function zoomOf(id) {  // for a plot to call with the ends it is zoomed to, or null
  return (ends) => change({zoom: {...Object.fromEntries(Object.entries(state.zoom).filter(([other]) => other !== id)), ...(ends && {[id]: ends})}});
}

function plotOf(host, on) {
  if (!memory.has(host)) memory.set(host, new Plot(host, on));
  return memory.get(host);
}

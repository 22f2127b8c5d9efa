// Numbers of the page: quantities on the axes, operating points of chosen pictures, ratios of bits, columns of the summary.

const percent = (log) => log === null ? null : 100 * (10 ** log - 1);
const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;

function median(values) {
  const rising = [...values].sort((a, b) => a - b), half = rising.length >> 1;
  return rising.length % 2 ? rising[half] : (rising[half - 1] + rising[half]) / 2;
}

function quantities() {  // key -> {label, digits, unit, log: whether its axis may be logarithmic, of: codec, place, picture -> value, average}
  if (memory.has("quantities")) return memory.get("quantities");
  const timed = DATA.datasets.some((d) => d.codecs.some((c) => c.times)), points = DATA.datasets.some((d) => d.codecs.length);
  const q = {bpp: {label: "Rate (bits per pixel)", short: "rate", digits: 3, unit: "bpp", log: true, average: mean, of: (c, i, set, s) => c.bytes[i] === null ? null : 8 * c.bytes[i] / set.pixels[s]}};
  if (points) q.bytes = {label: "Stream (bytes)", short: "bytes", digits: 0, unit: "bytes", log: true, average: mean, of: (c, i) => c.bytes[i]};
  if (points) for (const [id, m] of Object.entries(DATA.metrics)) {
    q[id] = {label: m.label, short: m.title, digits: m.decimals, unit: m.db ? "dB" : m.unit, metric: m, average: mean, of: (c, i) => c.values[id]?.[i] == null ? null : c.values[id][i] / m.scale};
  }
  for (const side of timed ? ["encode", "decode"] : []) {
    const seconds = (c, i) => c.times?.[side][i] == null ? null : c.times[side][i] / 1e6, verb = side === "encode" ? "Encoding" : "Decoding";
    q[`${side}_s`] = {label: `${verb} time (seconds a picture)`, short: `${verb.toLowerCase()} time`, digits: 4, unit: "s", log: true, time: true, average: median, of: seconds};
    q[`${side}_mp_s`] = {label: `${verb} speed (MP/s)`, short: `${verb.toLowerCase()} speed`, digits: 2, unit: "MP/s", log: true, time: true, average: median,
      of: (c, i, set, s) => seconds(c, i) === null ? null : set.pixels[s] / 1e6 / seconds(c, i)};
  }
  memory.set("quantities", q);
  return q;
}

function averaged(set, codec, chosen, quantity) {  // a value for each quality; null where a picture has none, but for times of some pictures
  return codec.quality.map((_, j) => {
    const all = chosen.map((s) => quantity.of(codec, s * codec.quality.length + j, set, s)), values = quantity.time && set.timed ? all.filter((v) => v !== null) : all;
    return values.length && values.every((v) => v !== null) ? quantity.average(values) : null;
  });
}

const isTimed = (set, s) => set.codecs.some((c) => c.times && c.quality.some((_, j) => c.times.encode[s * c.quality.length + j] !== null));

function drawn(metric, raw) {
  if (raw === null || !metric.db || state.unit === "raw") return raw;
  return raw < 1 ? -10 * Math.log10(1 - raw) : null;
}

function textOf(quantity, value) {
  const raw = quantity.metric?.db && state.unit === "raw", unit = raw ? "" : quantity.unit && ` ${quantity.unit}`;
  if (quantity.unit === "bytes") return `${Math.round(value).toLocaleString("en")} bytes`;
  const name = quantity.metric ? `${quantity.metric.title} ` : "";
  return `${name}${printed(quantity.metric ? drawn(quantity.metric, value) : value, raw ? 5 : quantity.digits)}${unit}`;
}

function ratiosOf(section, label, anchor = state.anchor) {  // {log: a picture each, mean, low, high} against the anchor, log10
  const r = section.ratios, i = r ? r.labels.indexOf(anchor) : -1, j = r ? r.labels.indexOf(label) : -1;
  if (i < 0 || j < 0 || i === j) return null;
  const [a, b] = [Math.min(i, j), Math.max(i, j)], n = r.labels.length, k = a * n - a * (a + 1) / 2 + b - a - 1;
  const unit = (v, ratio = DATA.mean_ratio) => v === null ? null : (i < j ? v : -v) / ratio;
  const [low, high] = i < j ? [r.low[k], r.high[k]] : [r.high[k], r.low[k]];
  return {log: r.log[k].map((v) => unit(v, DATA.ratio)), mean: unit(r.mean[k]), low: unit(low), high: unit(high), n: r.n[k]};
}

const isPublished = (name) => !!DATA.looks[name]?.[3];
const standsApart = (name) => isPublished(name) && !isPublished(state.anchor);  // by another measure than the rest

// BD-rate in percent: mean over the chosen pictures with its interval; where either is published, by mean curves over all.
function bits(section, label) {
  const pair = ratiosOf(section, label), chosen = subset(section);
  if (pair && chosen) {
    const own = chosen.map((s) => section.ratios.pictures.indexOf(s)).filter((k) => k >= 0 && pair.log[k] !== null);
    return own.length ? {mean: percent(mean(own.map((k) => pair.log[k]))), low: null, high: null, n: own.length, of: chosen.length, which: own.join()} : null;
  }
  if (pair) return pair.mean === null ? null : {mean: percent(pair.mean), low: percent(pair.low), high: percent(pair.high), n: pair.n, of: section.all};
  const row = chosen ? null : (section.bd[state.anchor] || []).find(([cells]) => cells[0] === label);
  return row?.[2] == null ? null : {mean: row[2], low: null, high: null, n: section.n, of: section.all};
}

const digitsOf = (section) => section.digits[state.anchor] ?? 1;  // of BD-rates against the anchor, wherever they are printed
const few = (n, of) => n === of ? "" : `${n} of ${of} picture${of === 1 ? "" : "s"}`;

function unranked(section) {  // codecs of which the mean is over other pictures than most, as Python ranks them
  if (subset(section) === null) return new Set(section.apart[state.anchor] || []);
  const found = (section.ratios?.labels || []).map((label) => [label, bits(section, label)]).filter(([, one]) => one?.which), sets = new Map();
  const most = Math.max(0, ...found.map(([, one]) => one.n));
  for (const [, one] of found) if (one.n === most) sets.set(one.which, (sets.get(one.which) || 0) + 1);
  const shared = [...sets].sort((a, b) => b[1] - a[1])[0]?.[0];
  return new Set(found.filter(([, one]) => one.which !== shared).map(([label]) => label));
}

function columns() {  // of the summary table: {key, title, head, value(label), ends(label), rising}
  if (memory.has("columns")) return memory.get("columns");
  const named = (title, dataset) => ({title, head: DATA.datasets.length > 1 ? `${title}, ${dataset}` : title});
  const found = DATA.sections.filter((s) => s.curves.length).map((section) => ({
    key: section.id, section, rising: 1, ...named(DATA.metrics[section.metric].title, section.dataset),
    value: (label) => label === state.anchor ? (section.bd[state.anchor] ? 0 : null) : bits(section, label)?.mean ?? null,
  }));
  for (const [dataset, sides] of Object.entries(DATA.speeds)) for (const side of ["encode", "decode"]) {
    if (!Object.keys(sides[side]).length) continue;
    const values = Object.values(sides[side]).map(([speed]) => speed), least = Math.min(...values);
    found.push({key: `${side}-${dataset}`, dataset, rising: -1, ...named(`${side === "encode" ? "Encode" : "Decode"} (MP/s)`, dataset),
      digits: Math.max(0, Math.min(3, 1 - Math.floor(Math.log10(least)))), value: (label) => sides[side][label]?.[0] ?? null, ends: (label) => sides[side][label]?.slice(1)});
  }
  memory.set("columns", found);
  return found;
}

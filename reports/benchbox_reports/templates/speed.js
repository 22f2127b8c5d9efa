// Speed against BD-rate, and the Pareto front: codecs that no other beats in both.

function speedPoints(section) {  // [{x: MP/s, y: BD-rate in percent, ...}] of the codecs that are shown
  const times = (DATA.speeds[section.dataset] || {})[state.side || "encode"] || {};
  return Object.entries(times).filter(([label]) => shownIn(section, label)).flatMap(([label, [speed, low, high]]) => {
    const anchor = label === state.anchor && section.ratios && section.ratios.labels.includes(label);
    const ratio = anchor ? {mean: 0} : ratiosOf(section, label);
    if (!ratio || ratio.mean === null) return [];
    const y = percent(ratio.mean);
    return [{label, x: speed, y, facts: [label, `${threeDigits(speed)} MP/s [${threeDigits(low)}, ${threeDigits(high)}]`,
      anchor ? "the anchor" : `BD-rate ${printed(y, digitsOf(section), true)} %`, ...(!anchor && few(ratio.n, section.all) ? [few(ratio.n, section.all)] : [])]}];
  });
}

const threeDigits = (value) => printed(value, Math.max(0, 2 - Math.floor(Math.log10(value))));

function front(points) {  // the points that no other beats in both, fastest first
  let best = Infinity;
  return [...points].sort((a, b) => b.x - a.x || a.y - b.y).filter((p) => p.y < best && ((best = p.y), true));
}

function steps(points, left, top) {  // the edge of the region that is slower and larger than the front
  const edge = points.flatMap((p, k) => [{x: p.x, y: k ? points[k - 1].y : top}, {x: p.x, y: p.y}]);
  return points.length ? [...edge, {x: left, y: points[points.length - 1].y}] : [];
}

function showSpeed(section) {
  const host = byId(`speed-${section.id}`);
  if (!host) return;
  const points = speedPoints(section), last = section.apart[state.anchor] || [], best = front(points.filter((p) => !last.includes(p.label))), metric = DATA.metrics[section.metric], verb = state.side === "decode" ? "Decoding" : "Encoding";
  host.closest("figure").hidden = !points.length || (state.data !== "" && state.data !== section.dataset);
  if (!points.length) return;
  const left = Math.min(...points.map((p) => p.x)) / 100, top = Math.max(...points.map((p) => p.y)) + 1000, id = `speed-${section.id}`;
  const zoom = state.zoom[id];
  plotOf(host, {zoom: zoomOf(id)}).show({
    title: `${verb} speed against BD-rate by ${metric.title} on ${section.dataset}; arrow keys walk over the codecs, plus and minus zoom`,
    x: {label: `${verb} speed (MP/s, logarithmic)`, log: true}, y: {label: `BD-rate against ${state.anchor} (%)`, wide: true}, level: 0,
    zoom: zoom && zoom[0] > 0 ? zoom : null,
    lines: [{faint: true, colour: "var(--soft)", dash: "5 3", points: steps(best, left, top)},
      ...points.map((p) => ({name: p.label, beside: p.label, colour: colourOf(p.label), dash: "none", marker: DATA.looks[p.label][1], hollow: DATA.looks[p.label][2] !== "none", points: [p]}))],
  });
  const out = last.filter((n) => points.some((p) => p.label === n)).map((n) => `${n} (${few(ratiosOf(section, n).n, section.all)})`);
  byId(`front-${section.id}`).textContent = `On the front, fastest first: ${best.map((p) => p.label).join(", ")}.${out.length ? ` Not compared, as over other pictures: ${out.join(", ")}.` : ""}`;
}

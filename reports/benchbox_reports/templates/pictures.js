// Pictures that gain and lose: dots, extremes with thumbnails, a table of all.

const STEPS = [-95, -90, -80, -70, -60, -50, -40, -30, -20, -10, 0, 10, 25, 50, 100, 200, 400, 900];
const ENDS = 3;  // pictures shown at either end
const percent = (log) => log === null ? null : 100 * (10 ** log - 1);

function ratiosOf(section, label) {  // {log: a picture each, mean, low, high} of `label` against the anchor, log10
  const r = section.ratios, i = r ? r.labels.indexOf(state.anchor) : -1, j = r ? r.labels.indexOf(label) : -1;
  if (i < 0 || j < 0 || i === j) return null;
  const [a, b] = [Math.min(i, j), Math.max(i, j)], n = r.labels.length, k = a * n - a * (a + 1) / 2 + b - a - 1;
  const unit = (v) => v === null ? null : (i < j ? v : -v) / DATA.ratio;
  const [low, high] = i < j ? [r.low[k], r.high[k]] : [r.high[k], r.low[k]];
  return {log: r.log[k].map(unit), mean: unit(r.mean[k]), low: unit(low), high: unit(high)};
}

function showPictures(section) {
  const host = byId(`spread-${section.id}`);
  if (!host) return;
  const set = DATA.datasets.find((d) => d.name === section.dataset);
  const pictures = (section.ratios || {pictures: []}).pictures.map((k) => ({name: set.pictures[k], small: set.small[k]}));
  const rows = DATA.labels.filter((l) => !hidden(l)).map((l) => [l, ratiosOf(section, l)]).filter(([, r]) => r && r.log.some((v) => v !== null));
  host.closest("figure").hidden = !rows.length;
  if (!rows.length) return;
  const plot = plotOf(host, {pick: (point) => point.picture && change({picture: point.picture})});
  plot.show({title: `BD-rate of each picture against ${state.anchor} by ${DATA.metrics[section.metric].title} on ${section.dataset}; arrow keys walk, Enter shows a picture's curves`,
    height: 70 + 46 * rows.length, rows: rows.map(([l]) => l), lines: [{points: [{x: 0, y: 0}]}, ...rows.flatMap((row, k) => spread(row, k, pictures))],
    x: {label: `BD-rate against ${state.anchor} (%), left is fewer bits`, ticks: STEPS.map((p) => [Math.log10(1 + p / 100), printed(p, 0, true)])}, y: {}});
  showEnds(section, rows, pictures);
  showPictureTable(section, rows, pictures);
}

function spread([label, r], k, pictures) {
  const colour = colourOf(label), interval = r.low === null ? [] : [`95 % interval [${printed(percent(r.low), 1, true)}, ${printed(percent(r.high), 1, true)}]`];
  return [
    {bar: true, colour, points: r.low === null ? [] : [{x: r.low, y: k}, {x: r.high, y: k}]},
    {dots: true, colour, points: r.log.map((x, s) => ({x, y: k - 0.28 + 0.56 * ((s * 0.618) % 1), picture: pictures[s].name, small: pictures[s].small,
      facts: [pictures[s].name, `${label}: ${printed(percent(x), 1, true)} % bits`]})).filter((p) => p.x !== null)},
    {colour, dash: "none", marker: DATA.looks[label][1], points: [{x: r.mean, y: k, facts: [label, `mean over pictures ${printed(percent(r.mean), 1, true)} %`, ...interval]}]},
  ];
}

function pictureButton(picture, value) {
  const button = make("button", {type: "button", class: "plain picture", title: `Curves of ${picture.name}`},
    ...(picture.small ? [make("img", {src: picture.small, alt: ""})] : []), make("span", {}, picture.name, ...(value ? [make("b", {}, value)] : [])));
  button.addEventListener("click", () => change({picture: picture.name}));
  return button;
}

function showEnds(section, rows, pictures) {
  const host = byId(`ends-${section.id}`), body = host.querySelector("tbody");
  const ends = rows.map(([label, r]) => {
    const order = r.log.map((_, s) => s).filter((s) => r.log[s] !== null).sort((a, b) => r.log[a] - r.log[b]);
    const count = Math.min(ENDS, Math.floor(order.length / 2));
    return {label, r, least: order.slice(0, count), most: order.slice(order.length - count).reverse()};
  });
  host.hidden = !ends.some((e) => e.least.length);
  const cell = (r, places) => make("td", {}, make("div", {class: "strip"}, ...places.map((s) => pictureButton(pictures[s], `${printed(percent(r.log[s]), 1, true)} %`))));
  body.replaceChildren(...ends.map(({label, r, least, most}) => make("tr", {}, make("th", {scope: "row"}, label), cell(r, least), cell(r, most))));
}

function showPictureTable(section, rows, pictures) {
  const id = `each-${section.id}`, fold = byId(id), table = fold.querySelector("table");
  if (!fold.open) return;
  const unsorted = [1, 1], [column, direction] = state.sort[id] || unsorted, ratios = column > 0 && (rows[column - 1] || rows[0])[1];
  const order = pictures.map((_, s) => s);
  if (ratios) order.sort((a, b) => (ratios.log[a] === null) - (ratios.log[b] === null) || direction * (ratios.log[a] - ratios.log[b]));
  else order.sort((a, b) => direction * pictures[a].name.localeCompare(pictures[b].name));
  table.replaceChildren(
    make("thead", {}, make("tr", {}, ...["Picture", ...rows.map(([l]) => l)].map((text, k) => make("th", {scope: "col"}, sortButton(id, k, text, unsorted))))),
    make("tbody", {}, ...order.map((s) => make("tr", {}, make("th", {scope: "row"}, pictureButton(pictures[s])),
      ...rows.map(([, r]) => make("td", {}, printed(percent(r.log[s]), 1, true)))))));
  markSorted(table, column, direction);
}

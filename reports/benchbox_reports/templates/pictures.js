// Pictures that gain and lose: dots, extremes with thumbnails, a table of all.

const STEPS = [-95, -90, -80, -70, -60, -50, -40, -30, -20, -10, 0, 10, 25, 50, 100, 200, 400, 900];
const ENDS = 3;  // pictures shown at either end

function showPictures(section) {
  const host = byId(`spread-${section.id}`);
  if (!host) return;
  const set = DATA.datasets.find((d) => d.name === section.dataset);
  const pictures = (section.ratios || {pictures: []}).pictures.map((k) => ({name: set.pictures[k], small: set.small[k]}));
  const rows = ordered(DATA.labels.filter((l) => shownIn(section, l))).map((l) => [l, ratiosOf(section, l)]).filter(([, r]) => r && r.log.some((v) => v !== null));
  host.closest("figure").hidden = !rows.length || (state.data !== "" && state.data !== section.dataset);
  if (!rows.length) return;
  const plot = plotOf(host, {pick: (point) => point.picture && change({here: `${section.id}/${point.picture}`})}), interval = rows.some(([, r]) => r.low !== null);
  byId(`dots-${section.id}`).textContent = `Each dot is a picture of all ${pictures.length}, the marker is their mean${interval ? ", the line its 95 % interval" : ""}.${interval ? "" : " Below five pictures there is no interval."}`;
  const less = rows.filter(([, r]) => few(r.n, section.all)).map(([l, r]) => `${l} (${few(r.n, section.all)})`);
  if (less.length) byId(`dots-${section.id}`).textContent += ` Not over all pictures: ${less.join(", ")}.`;
  plot.show({title: `BD-rate of each picture against ${state.anchor} by ${DATA.metrics[section.metric].title} on ${section.dataset}; arrow keys walk, Enter shows a picture's curves`,
    rows: rows.map(([l]) => l), lines: [{points: [{x: 0, y: 0}]}, ...rows.flatMap((row, k) => spread(row, k, pictures, digitsOf(section)))],
    x: {log: false, label: `BD-rate against ${state.anchor} (%), left is fewer bits`, ticks: STEPS.map((p) => [Math.log10(1 + p / 100), printed(p, 0, true)])}, y: {}});
  showEnds(section, rows, pictures);
  showPictureTable(section, rows, pictures);
  showHere(section);
}

function showHere(section) {  // the curves of the picture that was chosen, below the dots
  const host = byId(`here-${section.id}`), chosen = state.here.startsWith(`${section.id}/`) ? state.here.slice(section.id.length + 1) : "";
  host.hidden = !chosen;
  if (!chosen) return;
  const set = setOf(section), s = set.pictures.indexOf(chosen), [title, close, every] = host.querySelectorAll("h4, button");
  title.textContent = state.x || state.y || saved() ? `${titleOf(section)}, ${whatIsShown(section, [s])}` : `${DATA.metrics[section.metric].title} of ${chosen}`;
  host.querySelector(".thumb").replaceChildren(...(set.small[s] ? [make("img", {src: set.small[s], alt: ""})] : []));
  close.onclick = () => change({here: ""});
  every.onclick = () => change({picture: chosen, tag: "", here: ""});
  plotOf(host.querySelector(".plot"), {}).show({...viewOf(section, [s]), title: `${titleOf(section)}, ${chosen} alone; arrow keys walk over the points`});
}

function spread([label, r], k, pictures, digits) {
  const colour = colourOf(label), interval = r.low === null ? [] : [`95 % interval [${printed(percent(r.low), digits, true)}, ${printed(percent(r.high), digits, true)}]`];
  return [
    {bar: true, colour, points: r.low === null ? [] : [{x: r.low, y: k}, {x: r.high, y: k}]},
    {dots: true, colour, points: r.log.map((x, s) => ({x, y: k - 0.2 + 0.4 * ((s * 0.618) % 1), picture: pictures[s].name, small: pictures[s].small,
      facts: [pictures[s].name, `${label}: ${printed(percent(x), 1, true)} % bits`]})).filter((p) => p.x !== null)},
    {colour, dash: "none", marker: DATA.looks[label][1], points: [{x: r.mean, y: k, facts: [label, `mean over pictures ${printed(percent(r.mean), digits, true)} %`, ...interval]}]},
  ];
}

function pictureButton(section, picture, value) {
  const made = make("button", {type: "button", class: "plain picture", title: `Curves of ${picture.name}`},
    ...(picture.small ? [make("img", {src: picture.small, alt: ""})] : []), make("span", {}, picture.name, ...(value ? [make("b", {}, value)] : [])));
  made.addEventListener("click", () => {
    change({here: `${section.id}/${picture.name}`});
    byId(`here-${section.id}`).scrollIntoView({block: "nearest"});
  });
  return made;
}

function showEnds(section, rows, pictures) {
  const host = byId(`ends-${section.id}`), body = host.querySelector("tbody");
  const ends = rows.map(([label, r]) => {
    const order = r.log.map((_, s) => s).filter((s) => r.log[s] !== null).sort((a, b) => r.log[a] - r.log[b]);
    const count = Math.min(ENDS, Math.floor(order.length / 2));
    return {label, r, least: order.slice(0, count), most: order.slice(order.length - count).reverse()};
  });
  host.hidden = !ends.some((e) => e.least.length);
  const cell = (r, places) => make("td", {}, make("div", {class: "strip"}, ...places.map((s) => pictureButton(section, pictures[s], `${printed(percent(r.log[s]), 1, true)} %`))));
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
    make("tbody", {}, ...order.map((s) => make("tr", {}, make("th", {scope: "row"}, pictureButton(section, pictures[s])),
      ...rows.map(([, r]) => make("td", {}, printed(percent(r.log[s]), 1, true)))))));
  markSorted(table, column, direction);
}

// Decoded pictures on top of each other, split by a line or in turn, or two to four crops side by side; at equal rate or
// equal quality. The hash keeps the reader's choices.

const {pictures, extremes, line} = JSON.parse(byId("run-data").textContent);
const ORIGINAL = "", SIDES = ["a", "b", "c", "d"], GRAB = 16;  // GRAB: pixels from the line within which a drag moves it
let state = {picture: 0, match: "", target: "", a: ORIGINAL, b: "", c: "", d: "", view: "split", zoom: 1, error: false, split: 50, x: null, y: null};
let flipped = null;  // null: split; "a" or "b": that one alone

const unique = (values) => [...new Set(values)];
const shotsOf = (picture, match) => picture.shots.filter((s) => s.match === match);

function read() {
  const q = new URLSearchParams(location.hash.slice(1)), index = Math.max(0, pictures.findIndex((p) => p.name === q.get("picture"))), picture = pictures[index];
  const of = (key, known, other) => known.includes(q.get(key)) ? q.get(key) : other;
  const matches = unique(picture.shots.map((s) => s.match)), match = of("match", matches, matches[0]), shots = shotsOf(picture, match);
  const targets = unique(shots.map((s) => s.target)), labels = [ORIGINAL, ...unique(shots.map((s) => s.label))], split = Number(q.get("split") ?? 50), number = (key) => q.has(key) && Number.isFinite(Number(q.get(key))) ? Number(q.get(key)) : null;
  return {picture: index, match, target: of("target", targets, targets[0] || ""), a: of("a", labels, ORIGINAL),
    b: of("b", labels, labels[1] ?? ORIGINAL), c: of("c", labels, labels[2] ?? ORIGINAL), d: of("d", labels, labels[3] ?? ORIGINAL),
    view: of("view", ["split", "2", "3", "4"], "split"), zoom: Number(of("zoom", ["1", "2", "4", "8"], "1")), error: q.get("error") === "yes",
    split: split >= 0 && split <= 100 ? split : 50, x: number("x"), y: number("y")};
}

function change(part) {
  Object.assign(state, part);
  const q = new URLSearchParams({picture: pictures[state.picture].name, match: state.match, target: state.target});
  for (const side of SIDES.slice(0, state.view === "split" ? 2 : Number(state.view))) q.set(side, state[side]);
  for (const [key, other] of Object.entries({view: "split", zoom: 1, split: 50, x: null, y: null})) if (state[key] !== other) q.set(key, state[key]);
  if (state.error) q.set("error", "yes");
  history.replaceState(null, "", `#${q}`);
  state = read();  // another picture may lack a codec
  show();
}

function fill(select, values, chosen, name = (v) => v) {
  select.replaceChildren(...values.map((v) => option(v, name(v), chosen)));
  select.value = chosen;
}

function shotOf(side) {
  const label = state[side];
  return label === ORIGINAL ? null : shotsOf(pictures[state.picture], state.match).find((s) => s.label === label && s.target === state.target);
}

function put(side, image, words) {  // one picture and the lines below it
  const picture = pictures[state.picture], shot = shotOf(side), label = state[side], source = addressOf(shot ? (state.error ? shot.error : shot.file) : picture.file);
  if (image.getAttribute("src") !== source) image.setAttribute("src", source);
  const facts = shot ? [shot.label + (state.error ? ", error" : ""), ...shot.facts, ...(shot.far ? ["off the target"] : [])] : [label === ORIGINAL ? "original" : `${label}: not stored at this target`];
  image.alt = `${picture.name}, ${facts[0]}`;
  words.replaceChildren(...facts.map((text, k) => make(k ? "span" : "b", {}, text)));
}

// ---- where the pictures lie: state.x, state.y is the pixel in the middle of the stage

function geometry(box) {  // of a stage at most `box` wide
  const picture = pictures[state.picture], scale = state.zoom / (devicePixelRatio || 1), full = [picture.width * scale, picture.height * scale];
  const size = [Math.min(box, full[0]), Math.min(0.75 * innerHeight, full[1])], least = size.map((s) => s / 2 / scale);
  const middle = [state.x ?? picture.width / 2, state.y ?? picture.height / 2].map((v, k) => Math.min(Math.max(v, least[k]), [picture.width, picture.height][k] - least[k]));
  return {scale, full, size, middle, at: middle.map((v, k) => size[k] / 2 - v * scale)};
}

function lay(stage, inner, g) {
  Object.assign(stage.style, {width: `${g.size[0]}px`, height: `${g.size[1]}px`});
  Object.assign(inner.style, {width: `${g.full[0]}px`, height: `${g.full[1]}px`, left: `${g.at[0]}px`, top: `${g.at[1]}px`});
}

function showSplit() {
  const g = geometry(byId("room").clientWidth), at = flipped === "a" ? 100 : flipped === "b" ? 0 : state.split;
  lay(byId("stage"), byId("pair"), g);
  for (const side of ["a", "b"]) put(side, byId(`img-${side}`), byId(`facts-${side}`));
  const cut = Math.min(100, Math.max(0, 100 * (at / 100 * g.size[0] - g.at[0]) / g.full[0]));
  byId("img-b").style.clipPath = `inset(0 0 0 ${cut}%)`;
  byId("line").style.left = `${at}%`;
  byId("line").hidden = flipped !== null;
  byId("split").value = state.split;
  byId("split").style.width = byId("facts").style.width = `${g.size[0]}px`;
  byId("stage").classList.toggle("pans", g.full[0] > g.size[0] + 1 || g.full[1] > g.size[1] + 1);
}

function showCrops() {
  const count = Number(state.view), host = byId("crops"), gap = 12, columns = innerWidth < 700 ? Math.min(2, count) : count;
  while (host.children.length > count) host.lastChild.remove();
  while (host.children.length < count) {
    const stage = make("div", {class: "stage pans", tabindex: "0", role: "region", "aria-label": `Crop ${host.children.length + 1}`}, make("div", {class: "pair"}, make("img", {alt: ""})));
    moves(stage);
    host.append(make("figure", {class: "crop"}, stage, make("figcaption", {})));
  }
  host.style.gridTemplateColumns = `repeat(${columns}, max-content)`;
  const g = geometry((byId("room").clientWidth - gap * (columns - 1)) / columns);
  g.size[1] = Math.min(g.size[1], g.size[0]);
  g.middle[1] = Math.min(Math.max(state.y ?? pictures[state.picture].height / 2, g.size[1] / 2 / g.scale), pictures[state.picture].height - g.size[1] / 2 / g.scale);
  g.at[1] = g.size[1] / 2 - g.middle[1] * g.scale;
  SIDES.slice(0, count).forEach((side, k) => {
    const [stage, caption] = host.children[k].children;
    lay(stage, stage.firstChild, g);
    put(side, stage.querySelector("img"), caption);
    caption.style.width = `${g.size[0]}px`;
  });
  const picture = pictures[state.picture], corner = g.middle.map((v, k) => Math.round(v - g.size[k] / 2 / g.scale)), box = [...corner, ...g.size.map((s) => Math.round(s / g.scale))];
  byId("paper").textContent = line.replace("BOX", `${picture.place},${box.join(",")}`).replace("CODECS", unique(SIDES.slice(0, count).map((s) => state[s]).filter(Boolean)).map((l) => `"${l}"`).join(";").replaceAll('"', ""));
}

function show() {
  const picture = pictures[state.picture], shots = shotsOf(picture, state.match), labels = [ORIGINAL, ...unique(shots.map((s) => s.label))];
  fill(byId("v-picture"), pictures.map((_, k) => k), state.picture, (k) => pictures[k].name);
  fill(byId("v-match"), unique(picture.shots.map((s) => s.match)), state.match, (m) => m === "bpp" ? "equal rate" : `equal ${m}`);
  fill(byId("v-target"), unique(shots.map((s) => s.target)).sort((x, y) => parseFloat(x) - parseFloat(y)), state.target);
  SIDES.forEach((side, k) => {
    fill(byId(`v-${side}`), labels, state[side], (l) => l || "original");
    byId(`v-${side}`).closest("label").hidden = k >= (state.view === "split" ? 2 : Number(state.view));
  });
  byId("v-view").value = state.view;
  byId("v-zoom").value = state.zoom;
  byId("v-error").checked = state.error;
  byId("v-flicker").textContent = flipped ? `Flicker (F): ${flipped === "a" ? "left" : "right"}` : "Flicker (F)";
  byId("v-flicker").hidden = byId("one").hidden = state.view !== "split";
  if (state.view === "split") byId("one").hidden = false;
  byId("several").hidden = state.view === "split";
  if (state.view === "split") showSplit(); else showCrops();
}

// ---- what the reader does

function flip() {
  flipped = flipped === "a" ? "b" : "a";
  show();
}

function zoomBy(factor) { change({zoom: Math.min(8, Math.max(1, state.zoom * factor))}); }  // keeps the middle

function moves(stage) {  // drags move the line where it is grabbed or nothing can pan, else the picture; arrows and + - too
  let start = null;
  stage.addEventListener("pointerdown", (e) => {
    if (e.button) return;
    const box = stage.getBoundingClientRect(), near = Math.abs(e.clientX - box.left - state.split / 100 * box.width) < GRAB, split = stage.id === "stage";
    start = {x: e.clientX, y: e.clientY, line: split && (near || !stage.classList.contains("pans")), middle: [...geometry(stage.clientWidth).middle]};
    if (start.line || stage.classList.contains("pans")) stage.setPointerCapture(e.pointerId);
    if (start.line) drag(e);
  });
  const drag = (e) => {
    if (!start) return;
    const box = stage.getBoundingClientRect(), scale = state.zoom / (devicePixelRatio || 1);
    if (start.line) { flipped = null; change({split: Math.round(Math.min(100, Math.max(0, 100 * (e.clientX - box.left) / box.width)))}); return; }
    change({x: Math.round(start.middle[0] - (e.clientX - start.x) / scale), y: Math.round(start.middle[1] - (e.clientY - start.y) / scale)});
  };
  stage.addEventListener("pointermove", drag);
  for (const type of ["pointerup", "pointercancel"]) stage.addEventListener(type, () => { start = null; });
  stage.addEventListener("dragstart", (e) => e.preventDefault());
  stage.addEventListener("keydown", (e) => {
    const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[e.key], [x, y] = geometry(stage.clientWidth).middle;
    if (step) change({x: Math.round(x + step[0] * 32 / state.zoom), y: Math.round(y + step[1] * 32 / state.zoom)});
    else if (e.key === "+" || e.key === "=") zoomBy(2);
    else if (e.key === "-") zoomBy(0.5);
    else return;
    e.preventDefault();
  });
}

function start() {
  for (const part of document.querySelectorAll(".js-only")) part.hidden = false;
  const on = (id, key, value) => byId(id).addEventListener("input", (e) => { flipped = null; change({[key]: value(e.target)}); });
  byId("v-picture").addEventListener("input", (e) => change({picture: Number(e.target.value), x: null, y: null}));
  for (const key of ["match", "target", "view", ...SIDES]) on(`v-${key}`, key, (t) => t.value);
  on("v-zoom", "zoom", (t) => Number(t.value));
  on("v-error", "error", (t) => t.checked);
  on("split", "split", (t) => Number(t.value));
  byId("v-flicker").addEventListener("click", flip);
  document.addEventListener("keydown", (e) => {
    if (e.key.toLowerCase() === "f" && !e.ctrlKey && !e.metaKey && !e.altKey && e.target.tagName !== "SELECT") flip();
  });
  byId("extremes").replaceChildren(...extremes.map(({label, gains, loses}) => make("li", {}, `${label}: `, ...[["gains most on ", gains], ["loses most on ", loses]].flatMap(([words, [k, value]]) => [words,
    button(`${pictures[k].name} (${value})`, "", () => change({picture: k, b: label, x: null, y: null})), " "]))));
  byId("extremes").closest("details").hidden = !extremes.length;
  moves(byId("stage"));
  window.addEventListener("resize", show);
  window.addEventListener("hashchange", () => { state = read(); show(); });
  state = read();
  show();
}

start();

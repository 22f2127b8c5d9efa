// Two pictures on top of each other: split by a line, or shown in turn by a key. The hash keeps the reader's choices.

const {pictures} = JSON.parse(document.getElementById("run-data").textContent);
const byId = (id) => document.getElementById(id);
const ORIGINAL = "";
let state = {picture: 0, target: "", a: ORIGINAL, b: "", zoom: 1, error: false, split: 50};
let flipped = null;  // null: split; "a" or "b": that one alone

function read() {
  const q = new URLSearchParams(location.hash.slice(1)), index = pictures.findIndex((p) => p.name === q.get("picture"));
  const picture = pictures[Math.max(0, index)], targets = [...new Set(picture.shots.map((s) => s.target))];
  const labels = [ORIGINAL, ...new Set(picture.shots.map((s) => s.label))], of = (key, known, other) => known.includes(q.get(key)) ? q.get(key) : other;
  const split = Number(q.get("split") ?? 50);
  return {picture: Math.max(0, index), target: of("target", targets, targets[Math.floor(targets.length / 2)] || ""), a: of("a", labels, ORIGINAL),
    b: of("b", labels, labels[1] ?? ORIGINAL), zoom: Number(of("zoom", ["1", "2", "4", "8"], "1")), error: q.get("error") === "yes",
    split: split >= 0 && split <= 100 ? split : 50};
}

function change(part) {
  Object.assign(state, part);
  const q = new URLSearchParams({picture: pictures[state.picture].name, target: state.target, a: state.a, b: state.b, zoom: state.zoom, split: state.split});
  if (state.error) q.set("error", "yes");
  history.replaceState(null, "", `#${q}`);
  state = read();  // another picture may lack a codec
  show();
}

function fill(select, values, chosen, name = (v) => v) {
  select.replaceChildren(...values.map((v) => {
    const o = document.createElement("option");
    o.value = v;
    o.textContent = name(v);
    o.selected = String(v) === String(chosen);
    return o;
  }));
}

function side(which) {
  const picture = pictures[state.picture], label = state[which], image = byId(`img-${which}`);
  const shot = label === ORIGINAL ? null : picture.shots.find((s) => s.label === label && s.target === state.target);
  const source = shot ? (state.error ? shot.error : shot.file) : picture.file;
  if (image.getAttribute("src") !== source) image.setAttribute("src", source);
  const facts = shot ? [shot.label + (state.error ? ", error" : ""), ...shot.facts, ...(shot.far ? ["off the target rate"] : [])] : [label === ORIGINAL ? "original" : `${label}: not stored at this rate`];
  image.alt = `${picture.name}, ${facts[0]}`;
  byId(`facts-${which}`).replaceChildren(...facts.map((text, k) => {
    const line = document.createElement(k ? "span" : "b");
    line.textContent = text;
    return line;
  }));
}

function show() {
  const picture = pictures[state.picture], labels = [ORIGINAL, ...new Set(picture.shots.map((s) => s.label))];
  fill(byId("v-picture"), pictures.map((_, k) => k), state.picture, (k) => pictures[k].name);
  fill(byId("v-target"), [...new Set(picture.shots.map((s) => s.target))], state.target);
  fill(byId("v-a"), labels, state.a, (l) => l || "original");
  fill(byId("v-b"), labels, state.b, (l) => l || "original");
  byId("v-zoom").value = state.zoom;
  byId("v-error").checked = state.error;
  byId("split").value = state.split;
  byId("v-flicker").textContent = flipped ? `Flicker (F): ${flipped === "a" ? "left" : "right"}` : "Flicker (F)";
  const scale = state.zoom / (devicePixelRatio || 1);  // one pixel of the picture on `zoom` pixels of the screen
  byId("pair").style.width = `${picture.width * scale}px`;
  byId("pair").style.height = `${picture.height * scale}px`;
  side("a");
  side("b");
  const at = flipped === "a" ? 100 : flipped === "b" ? 0 : state.split;
  byId("img-b").style.clipPath = `inset(0 0 0 ${at}%)`;
  byId("line").style.left = `${at}%`;
  byId("line").hidden = flipped !== null;
}

function flip() {
  flipped = flipped === "a" ? "b" : "a";
  show();
}

function start() {
  for (const part of document.querySelectorAll(".js-only")) part.hidden = false;
  byId("v-flicker").removeAttribute("aria-pressed");
  const on = (id, key, value) => byId(id).addEventListener("input", (e) => { flipped = null; change({[key]: value(e.target)}); });
  on("v-picture", "picture", (t) => Number(t.value));
  for (const key of ["target", "a", "b"]) on(`v-${key}`, key, (t) => t.value);
  on("v-zoom", "zoom", (t) => Number(t.value));
  on("v-error", "error", (t) => t.checked);
  on("split", "split", (t) => Number(t.value));
  byId("v-flicker").addEventListener("click", flip);
  document.addEventListener("keydown", (e) => {
    if (e.key.toLowerCase() === "f" && !e.ctrlKey && !e.metaKey && !e.altKey && e.target.tagName !== "SELECT") flip();
  });
  const drag = (e) => {
    if (!(e.buttons & 1) || e.pointerType === "touch") return;
    const box = byId("pair").getBoundingClientRect();
    flipped = null;
    change({split: Math.round(Math.min(100, Math.max(0, 100 * (e.clientX - box.left) / box.width)))});
  };
  for (const type of ["pointerdown", "pointermove"]) byId("pair").addEventListener(type, drag);
  byId("pair").addEventListener("dragstart", (e) => e.preventDefault());
  window.addEventListener("hashchange", () => { state = read(); show(); });
  state = read();
  show();
}

start();

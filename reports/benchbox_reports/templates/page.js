// The page: its controls, and everything drawn anew after each choice.

const SIMPLE = ["data", "tag", "anchor", "view", "x", "y", "rate", "unit", "side"];

function fillControls() {
  const shown = DATA.datasets.filter((d) => !state.data || d.name === state.data), q = Object.entries(quantities());
  byId("c-data").replaceChildren(option("", "all", state.data), ...DATA.datasets.map((d) => option(d.name, d.name, state.data)));
  byId("c-picture").replaceChildren(option("", "mean over all", state.picture), ...shown.map((d) => make("optgroup", {label: d.name}, ...d.pictures.map((p) => option(p, p, state.picture)))));
  byId("c-tag").replaceChildren(option("", "all", state.tag), ...tags().map((t) => option(t, t, state.tag)));
  byId("c-anchor").replaceChildren(...anchors().map((n) => option(n, n, state.anchor)));
  byId("c-x").replaceChildren(option("", "rate (bpp)", state.x), ...q.filter(([key]) => key !== "bpp").map(([key, one]) => option(key, one.short, state.x)));
  byId("c-y").replaceChildren(option("", "each metric", state.y), ...q.map(([key, one]) => option(key, one.short, state.y)));
  const absent = {data: DATA.datasets.length < 2, picture: !DATA.datasets.some((d) => d.pictures.length), tag: !tags().length,
    unit: !Object.values(DATA.metrics).some((m) => m.db), x: q.length < 2, y: q.length < 2, rate: saved()};
  for (const [key, is] of Object.entries(absent)) byId(`c-${key}`).closest("label").hidden = is;
}

function showControls() {
  fillControls();
  for (const key of SIMPLE) if (byId(`c-${key}`)) byId(`c-${key}`).value = state[key];
  byId("c-view").disabled = state.x !== "" || state.y !== "";
  if (byId("c-ends")) byId("c-ends").checked = state.ends !== "";
  byId("c-all").setAttribute("aria-pressed", String(state.show === "all" && !state.hide.length));
  byId("c-best").setAttribute("aria-pressed", String(state.show === "best"));
  byId("c-none").setAttribute("aria-pressed", String(state.hide.length === NAMES.length));
  byId("c-count").textContent = state.show === "best" ? `best of each family${ASKED.size ? " and those asked for" : ""}` : state.hide.length ? `${NAMES.length - state.hide.length} of ${NAMES.length} shown` : "all shown";
}

function update() {
  showControls();
  for (const part of document.querySelectorAll("[data-set]")) part.hidden = state.data !== "" && part.dataset.set !== state.data;
  for (const part of document.querySelectorAll("[data-anchor]")) part.textContent = state.anchor;
  for (const part of document.querySelectorAll(".whole")) part.hidden = state.picture === "" && state.tag === "";
  showSummary();
  showSpeedTables();
  for (const section of DATA.sections) {
    if (state.data && section.dataset !== state.data) continue;
    showCurves(section);
    showTable(section);
    showMatrix(section);
    showPictures(section);
    showSpeed(section);
  }
  sayIfEmpty("pictures");
  sayIfEmpty("speed");
}

function sayIfEmpty(id) {  // why no figure of a part of the page is shown, in place of the words about them
  const part = byId(id), note = part?.querySelector(".none");
  if (!note) return;
  const any = [...part.querySelectorAll("figure")].some((figure) => !figure.hidden);
  for (const words of part.querySelectorAll(".if-any")) words.hidden = !any;
  note.hidden = any;
  note.textContent = any ? "" : isPublished(state.anchor) ? `${state.anchor} has no single pictures to compare with: choose an anchor that was measured here.`
    : DATA.sections.some((s) => s.ratios?.labels.length > 1) ? "All codecs that could be compared are hidden." : "There is no other codec to compare with.";
}

function controls() {
  const axes = ["view", "x", "y", "unit", "picture", "tag", "side"];  // other axes or points: the zoom no longer applies
  for (const key of [...SIMPLE, "picture"]) byId(`c-${key}`)?.addEventListener("change", (e) => change({[key]: e.target.value, ...(axes.includes(key) && {zoom: {}}),
    ...(key === "tag" && {picture: ""}), ...(key === "picture" && {tag: ""})}));
  byId("c-all").addEventListener("click", () => change({show: "all", hide: []}));
  byId("c-best").addEventListener("click", () => change({show: "best", hide: []}));
  byId("c-none").addEventListener("click", () => change({show: "all", hide: [...NAMES]}));
  byId("c-reset").addEventListener("click", () => change(structuredClone(START)));
  byId("c-ends")?.addEventListener("change", (e) => change({ends: e.target.checked ? "yes" : ""}));
}

function start() {
  document.documentElement.classList.add("js");
  for (const part of document.querySelectorAll(".js-only")) part.hidden = false;
  controls();
  for (const section of DATA.sections) {
    sortable(section);
    downloads(section);
    const figure = byId(`plot-${section.id}`)?.closest("figure");
    if (figure) { legend(section, figure); ranges(section, figure); }
    byId(`each-${section.id}`)?.addEventListener("toggle", () => showPictures(section));
    byId(`matrix-${section.id}`)?.closest("details").addEventListener("toggle", () => showMatrix(section));
  }
  for (const copy of document.querySelectorAll("[data-copy]")) copy.addEventListener("click", async () => {
    await copyText(copy.dataset.copy);
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
  byId("open-visual")?.addEventListener("click", () => {  // a page of its own, inside this file
    window.open(URL.createObjectURL(new Blob([JSON.parse(byId("visual-page").textContent)], {type: "text/html"})));
  });
  document.addEventListener("click", (e) => {  // links inside the page keep the reader's choices
    const link = e.target.closest("a[href^='#']"), goal = link && byId(link.getAttribute("href").slice(1));
    if (!goal) return;
    e.preventDefault();
    change({at: goal.id});
    goTo(goal);
  });
  for (const [event, is] of [["beforeprint", true], ["afterprint", false]]) window.addEventListener(event, () => {
    for (const plot of memory.values()) if (plot instanceof Plot) plot.print(is);
    foldSummary(is);
  });
  const follow = () => { state = readHash(); update(); if (state.at) goTo(byId(state.at)); };
  window.addEventListener("hashchange", follow);
  if (location.hash && byId(location.hash.slice(1))) location.replace(`#at=${location.hash.slice(1)}`);
  follow();
}

async function copyText(text) {  // a page opened from a file may lack the clipboard's interface
  if (navigator.clipboard) {
    try { await navigator.clipboard.writeText(text); return; } catch { /* not permitted: by selection below */ }
  }
  const field = make("textarea", {class: "visually-hidden"});
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
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

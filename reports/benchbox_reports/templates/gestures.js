// What a reader does to a plot. Pointer: hover, drag to zoom, Shift-drag to pan, Ctrl-wheel, double click for the whole
// plot; a tap shows a point's tip. Keyboard: arrows walk over points, + - 0 zoom, Shift-arrows pan, Enter picks.

function listen(plot) {
  const {canvas, on} = plot, place = (event) => { const r = canvas.getBoundingClientRect(); return [event.clientX - r.left, event.clientY - r.top]; };
  let start = null;
  canvas.addEventListener("pointerdown", (e) => {
    if (e.button || e.pointerType === "touch") return;
    start = [...place(e), e.shiftKey];
    canvas.setPointerCapture(e.pointerId);
  });
  canvas.addEventListener("pointermove", (e) => {
    if (e.pointerType === "touch") return;
    const [px, py] = place(e);
    if (!start || !on.zoom) { plot.tell(plot.nearest(px, py, 40), false); return; }
    const [sx, sy, shift] = start;
    if (shift || Math.hypot(px - sx, py - sy) < 6) return;
    for (const [key, v] of Object.entries({x: Math.min(px, sx), y: Math.min(py, sy), width: Math.abs(px - sx), height: Math.abs(py - sy), visibility: "visible"})) plot.band.setAttribute(key, v);
  });
  canvas.addEventListener("pointerup", (e) => {
    const [px, py] = place(e), from = start;
    start = null;
    plot.band.setAttribute("visibility", "hidden");
    if (e.pointerType === "touch") {  // the first tap tells, a second on the same point picks
      const hit = plot.nearest(px, py, 28), same = hit && plot.cursor && hit.k === plot.cursor.k && hit.j === plot.cursor.j;
      if (same && on.pick) on.pick(plot.point(hit));
      else plot.tell(hit, false);
    } else if (from && on.zoom && Math.hypot(px - from[0], py - from[1]) >= 6) {
      if (from[2]) plot.pan(from[0] - px, from[1] - py);
      else if (Math.abs(px - from[0]) > 6 && Math.abs(py - from[1]) > 6) plot.zoomTo(Math.min(px, from[0]), Math.max(px, from[0]), Math.max(py, from[1]), Math.min(py, from[1]));
    } else if (on.pick) {
      const hit = plot.point(plot.nearest(px, py, 14));
      if (hit) on.pick(hit);
    }
  });
  canvas.addEventListener("pointerleave", (e) => { if (!start && e.pointerType !== "touch") plot.tell(null, false); });
  canvas.addEventListener("dblclick", () => on.zoom && on.zoom(null));
  canvas.addEventListener("wheel", (e) => {
    if (!e.ctrlKey || !on.zoom) return;
    e.preventDefault();
    plot.zoomBy(e.deltaY > 0 ? 1.25 : 0.8, ...place(e));
  }, {passive: false});
  canvas.addEventListener("keydown", (e) => { if (!e.altKey && !e.metaKey && !e.ctrlKey && keyed(plot, e)) e.preventDefault(); });
  canvas.addEventListener("blur", () => plot.tell(null, false));
}

function keyed(plot, {key, shiftKey}) {  // whether the key meant something to the plot
  const {on} = plot, arrows = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[key];
  if (arrows && shiftKey && on.zoom) plot.pan(arrows[0] * 50, arrows[1] * 50);
  else if (arrows) walk(plot, ...arrows);
  else if ((key === "+" || key === "=") && on.zoom) plot.zoomBy(0.6);
  else if (key === "-" && on.zoom) plot.zoomBy(1 / 0.6);
  else if ((key === "0" || key === "Escape") && on.zoom) on.zoom(null);
  else if (key === "Enter" && on.pick && plot.cursor) on.pick(plot.point(plot.cursor));
  else return false;
  return true;
}

function walk(plot, along, across) {
  const {lines} = plot.view, told = lines.map((line, k) => k).filter((k) => lines[k].points.some((p) => p.facts));
  if (!told.length) return;
  if (!plot.cursor) { plot.tell({k: told[0], j: 0}, true); return; }
  const n = told.indexOf(plot.cursor.k), k = told[(n + across + told.length) % told.length], points = lines[k].points;
  const px = plot.x.at(plot.point(plot.cursor).x), far = (p) => Math.abs(plot.x.at(p.x) - px);
  const near = points.reduce((best, p, j) => far(p) < far(points[best]) ? j : best, 0);
  plot.tell({k, j: across ? near : Math.min(points.length - 1, Math.max(0, plot.cursor.j + along))}, true);
}

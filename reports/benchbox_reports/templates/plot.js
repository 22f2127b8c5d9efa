// An interactive plot of curves or of rows of dots, as SVG in the page's own colours. Pointer: hover, drag to zoom,
// Shift-drag to pan, Ctrl-wheel, double click to reset. Keyboard: arrows walk over points, + - 0 zoom, Shift-arrows pan.

const SVG = "http://www.w3.org/2000/svg";
const MINUS = "\u2212", NONE = "\u2013";

function make(name, attributes = {}, ...children) {
  const element = name.startsWith("svg:") ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== ""));  // strings become text nodes: nothing is parsed as HTML
  return element;
}

function printed(value, digits, signed = false) {
  if (value === null || !Number.isFinite(value)) return NONE;
  let text = value.toFixed(digits);
  if (Number(text) === 0) text = text.replace("-", "");
  return (signed && Number(text) > 0 ? "+" : "") + text.replace("-", MINUS);
}

function scaleOf([low, high], from, to, log) {
  const f = log ? Math.log10 : (x) => x, a = f(low), span = f(high) - a || 1;
  return {
    at: (x) => from + (f(x) - a) / span * (to - from),
    back: (p) => { const v = a + (p - from) / (to - from) * span; return log ? 10 ** v : v; },
  };
}

function ticksOf([low, high], count, log) {
  const found = [];
  if (log && high / low > 4) {
    for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++) {
      for (const m of [1, 2, 5]) if (m * 10 ** e >= low && m * 10 ** e <= high) found.push(Number((m * 10 ** e).toPrecision(3)));
    }
    return found;
  }
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((m) => m * power >= rough) || 10);
  for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k++) found.push(Number((k * step).toPrecision(10)));
  return found;
}

class Plot {
  // host: an empty element. on.zoom([x0, x1, y0, y1] or null) and on.pick(point) are called when the reader zooms or picks.
  constructor(host, on) {
    this.host = host;
    this.on = on;
    this.tip = make("div", {class: "tip", hidden: ""});
    this.live = make("p", {class: "visually-hidden", role: "status"});
    this.canvas = make("div", {class: "canvas", tabindex: "0", role: "application", "aria-roledescription": "plot"});
    const button = (text, label, act) => {
      const b = make("button", {type: "button", "aria-label": label, title: label}, text);
      b.addEventListener("click", act);
      return b;
    };
    const tools = make("div", {class: "tools"}, button("+", "Zoom in", () => this.zoomBy(0.6)),
      button(MINUS, "Zoom out", () => this.zoomBy(1 / 0.6)), button("\u21ba", "Whole plot", () => on.zoom(null)));
    host.append(...(on.zoom ? [tools] : []), this.canvas, this.tip, this.live);
    this.width = 0;
    new ResizeObserver(() => { if (this.view && this.canvas.clientWidth !== this.width) this.draw(); }).observe(this.canvas);
    this.listen();
  }

  // view: {title, x: {label, log, zero, ticks?}, y: {label}, zoom, height, lines: [{name, colour, dash, marker, faint,
  // dots, bar, beside, points: [{x, y, facts: [text], small: an image's address}]}], marks: [{x, text}], rows: [text]}
  show(view) {
    this.view = view;
    this.canvas.setAttribute("aria-label", view.title);
    this.cursor = null;
    this.tip.hidden = true;
    this.draw();
  }

  extents() {
    const {view} = this, own = view.lines.filter((line) => !line.faint && line.points.length);
    const points = (own.length ? own : view.lines).flatMap((line) => line.points);  // published curves may leave the plot
    const xs = points.map((p) => p.x), ys = points.map((p) => p.y);
    let [x0, x1] = points.length ? [Math.min(...xs), Math.max(...xs)] : [0.1, 1];
    let [y0, y1] = points.length ? [Math.min(...ys), Math.max(...ys)] : [0, 1];
    if (x0 === x1) [x0, x1] = view.x.log ? [x0 / 2, x1 * 2] : [x0 - 1, x1 + 1];
    if (y0 === y1) [y0, y1] = [y0 - 1, y1 + 1];
    const pad = (y1 - y0) * (view.y.wide ? 0.1 : 0.04);
    if (view.y.wide) [x0, x1] = [x0 / (x1 / x0) ** 0.1, x1 * (x1 / x0) ** 0.25];  // room for names next to points
    else if (view.x.log) [x0, x1] = [x0 / 1.08, x1 * 1.08];
    else [x0, x1] = [view.x.zero ? 0 : x0 - (x1 - x0) * 0.03, x1 + (x1 - x0) * 0.03];
    return view.rows ? [x0, x1, -0.6, view.rows.length - 0.4] : [x0, x1, y0 - pad, y1 + pad];
  }

  draw() {
    const {view} = this, width = this.width = this.canvas.clientWidth || 600;
    const height = view.height || Math.round(Math.min(440, Math.max(260, width * 0.72)));
    const left = view.rows ? Math.min(150, width * 0.3) : view.y.wide ? 62 : 52, box = this.box = {x0: left, x1: width - 10, y0: 10, y1: height - 44};
    const [x0, x1, y0, y1] = this.shown = view.zoom || this.extents();
    const x = this.x = scaleOf([x0, x1], box.x0, box.x1, view.x.log);
    const y = this.y = scaleOf([y0, y1], ...(view.rows ? [box.y0, box.y1] : [box.y1, box.y0]), false);
    const svg = make("svg:svg", {width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true"});
    const clip = `clip-${this.host.id}`;
    svg.append(make("svg:clipPath", {id: clip}, make("svg:rect", {x: box.x0, y: box.y0 - 6, width: box.x1 - box.x0 + 6, height: box.y1 - box.y0 + 6})));
    const text = (string, at, attributes = {}) => svg.append(make("svg:text", {x: at[0], y: at[1], ...attributes}, string));
    let last = -1e9;
    for (const t of view.x.ticks || ticksOf([x0, x1], width / 90, view.x.log)) {
      const value = typeof t === "number" ? t : t[0], name = typeof t === "number" ? String(t).replace("-", MINUS) : t[1];
      const at = x.at(value);
      if (at < box.x0 - 1 || at > box.x1 + 1 || at - last < 7 * name.length + 8) continue;
      last = at;
      svg.append(make("svg:path", {d: `M${at} ${box.y0}V${box.y1}`, class: value === 0 && view.rows ? "zero" : "grid"}));
      text(name, [at, box.y1 + 17], {"text-anchor": "middle"});
    }
    if (view.rows) {
      view.rows.forEach((row, k) => text(row.length * 7 > left - 8 ? row.slice(0, Math.floor(left / 7) - 2) + "\u2026" : row,
        [left - 8, y.at(k) + 4], {"text-anchor": "end"}));
    } else {
      for (const t of ticksOf([y0, y1], height / 60, false)) {
        svg.append(make("svg:path", {d: `M${box.x0} ${y.at(t)}H${box.x1}`, class: t === 0 && view.y.wide ? "zero" : "grid"}));
        text(String(t).replace("-", MINUS), [box.x0 - 7, y.at(t) + 4], {"text-anchor": "end"});
      }
      text(view.y.label, [14, (box.y0 + box.y1) / 2], {"text-anchor": "middle", transform: `rotate(-90 14 ${(box.y0 + box.y1) / 2})`});
    }
    const wide = 6.8 * view.x.label.length > box.x1 - box.x0;  // then it is centred under the whole plot
    text(view.x.label, [wide ? width / 2 : (box.x0 + box.x1) / 2, height - 6], {"text-anchor": "middle"});
    for (const mark of view.marks || []) {
      if (mark.x < x0 || mark.x > x1) continue;
      svg.append(make("svg:path", {d: `M${x.at(mark.x)} ${box.y0}V${box.y1}`, class: "mark"}));
      text(mark.text, [x.at(mark.x) - 4, box.y1 - 6], {transform: `rotate(-90 ${x.at(mark.x) - 4} ${box.y1 - 6})`, class: "small"});
    }
    const inside = make("svg:g", {"clip-path": `url(#${clip})`});
    view.lines.forEach((line, k) => inside.append(...this.line(line, k)));
    for (const name of this.names(view.lines.filter((line) => line.beside))) inside.append(name);
    this.focus = make("svg:circle", {r: 8, class: "focus", visibility: "hidden"});
    this.band = make("svg:rect", {class: "band", visibility: "hidden"});
    svg.append(inside, this.focus, this.band);
    this.canvas.replaceChildren(svg);
  }

  line(line, k) {
    const at = line.points.map((p) => `${this.x.at(p.x).toFixed(1)} ${this.y.at(p.y).toFixed(1)}`);
    if (line.dots) return [make("svg:path", {d: at.map((p) => `M${p}h0`).join(""), class: "dots", style: `stroke:${line.colour}`})];
    // no interval below five pictures
    if (line.bar) return at.length ? [make("svg:path", {d: `M${at.join("L")}`, class: "bar", style: `stroke:${line.colour}`})] : [];
    const id = `m-${this.host.id}-${k}`, parts = [];
    const path = make("svg:path", {d: at.length ? `M${at.join("L")}` : "", class: line.faint ? "curve faint" : "curve",
      style: `stroke:${line.colour};stroke-dasharray:${line.dash}`});
    if (line.marker) {
      parts.push(make("svg:marker", {id, markerUnits: "userSpaceOnUse", markerWidth: 12, markerHeight: 12, viewBox: "-6 -6 12 12",
        overflow: "visible"}, make("svg:path", {d: line.marker, style: `fill:${line.colour}`})));
      for (const end of ["start", "mid", "end"]) path.setAttribute(`marker-${end}`, `url(#${id})`);
    }
    return [...parts, path];
  }

  names(lines) {  // next to points, on the first free side of four; where none is free, the legend and the tip name it
    const taken = lines.map((line) => [this.x.at(line.points[0].x) - 6, this.y.at(line.points[0].y) - 6, 12, 12]), found = [];
    const apart = (a, b) => a[0] + a[2] < b[0] || b[0] + b[2] < a[0] || a[1] + a[3] < b[1] || b[1] + b[3] < a[1];
    lines.forEach((line) => {
      const x = this.x.at(line.points[0].x), y = this.y.at(line.points[0].y), width = 7.2 * line.beside.length;
      const place = [[x + 9, y - 7], [x - 9 - width, y - 7], [x - width / 2, y - 24], [x - width / 2, y + 9]]
        .find(([a, b]) => a >= this.box.x0 && a + width <= this.box.x1 && b >= this.box.y0 && b + 15 <= this.box.y1 && taken.every((t) => apart([a, b, width, 15], t)));
      if (!place) return;
      taken.push([...place, width, 15]);
      found.push(make("svg:text", {x: place[0] + width / 2, y: place[1] + 11, "text-anchor": "middle", class: "small"}, line.beside));
    });
    return found;
  }

  nearest(px, py, reach) {
    let best = null, least = reach * reach;
    this.view.lines.forEach((line, k) => line.points.forEach((p, j) => {
      const d = (this.x.at(p.x) - px) ** 2 + (this.y.at(p.y) - py) ** 2;
      if (p.facts && d < least) [least, best] = [d, {k, j}];
    }));
    return best;
  }

  point(cursor) { return cursor && this.view.lines[cursor.k].points[cursor.j]; }

  tell(cursor, aloud) {
    this.cursor = cursor;
    const point = this.point(cursor);
    this.tip.hidden = !point;
    this.focus.setAttribute("visibility", point ? "visible" : "hidden");
    this.live.textContent = point && aloud ? point.facts.join(", ") : "";
    if (!point) return;
    const px = this.x.at(point.x), py = this.y.at(point.y);
    this.focus.setAttribute("cx", px);
    this.focus.setAttribute("cy", py);
    this.tip.replaceChildren(...(point.small ? [make("img", {src: point.small, alt: ""})] : []), ...point.facts.map((text, k) => make(k ? "span" : "b", {}, text)));
    const right = px > this.width / 2;
    this.tip.style.left = `${right ? Math.max(0, px - 12 - this.tip.offsetWidth) : Math.min(px + 12, this.width - this.tip.offsetWidth)}px`;
    this.tip.style.top = `${this.canvas.offsetTop + Math.max(0, py - this.tip.offsetHeight - 8)}px`;
  }

  zoomBy(factor, cx = (this.box.x0 + this.box.x1) / 2, cy = (this.box.y0 + this.box.y1) / 2) {
    const {x0, x1, y0, y1} = this.box, move = (p, c) => c + (p - c) * factor;
    this.zoomTo(move(x0, cx), move(x1, cx), move(y1, cy), move(y0, cy));
  }

  zoomTo(left, right, bottom, top) {  // pixels
    const ends = [this.x.back(left), this.x.back(right), this.y.back(bottom), this.y.back(top)];
    if (this.on.zoom && ends.every(Number.isFinite) && ends[1] > ends[0] && ends[3] > ends[2]) this.on.zoom(ends);
  }

  pan(dx, dy) { this.zoomTo(this.box.x0 + dx, this.box.x1 + dx, this.box.y1 + dy, this.box.y0 + dy); }

  listen() {
    const place = (event) => { const r = this.canvas.getBoundingClientRect(); return [event.clientX - r.left, event.clientY - r.top]; };
    let start = null;
    this.canvas.addEventListener("pointerdown", (e) => {
      if (e.button || e.pointerType === "touch") return;
      start = [...place(e), e.shiftKey];
      this.canvas.setPointerCapture(e.pointerId);
    });
    this.canvas.addEventListener("pointermove", (e) => {
      const [px, py] = place(e);
      if (!start || !this.on.zoom) return this.tell(this.nearest(px, py, 40), false);
      const [sx, sy, shift] = start;
      if (shift || Math.hypot(px - sx, py - sy) < 6) return undefined;
      for (const [key, v] of Object.entries({x: Math.min(px, sx), y: Math.min(py, sy), width: Math.abs(px - sx), height: Math.abs(py - sy), visibility: "visible"})) this.band.setAttribute(key, v);
      return undefined;
    });
    this.canvas.addEventListener("pointerup", (e) => {
      const [px, py] = place(e), from = start;
      start = null;
      this.band.setAttribute("visibility", "hidden");
      if (from && this.on.zoom && Math.hypot(px - from[0], py - from[1]) >= 6) {
        if (from[2]) this.pan(from[0] - px, from[1] - py);
        else if (Math.abs(px - from[0]) > 6 && Math.abs(py - from[1]) > 6) this.zoomTo(Math.min(px, from[0]), Math.max(px, from[0]), Math.max(py, from[1]), Math.min(py, from[1]));
      } else if (this.on.pick) {
        const hit = this.point(this.nearest(px, py, 14));
        if (hit) this.on.pick(hit);
      }
    });
    this.canvas.addEventListener("pointerleave", () => { if (!start) this.tell(null, false); });
    this.canvas.addEventListener("dblclick", () => this.on.zoom && this.on.zoom(null));
    this.canvas.addEventListener("wheel", (e) => {
      if (!e.ctrlKey || !this.on.zoom) return;
      e.preventDefault();
      this.zoomBy(e.deltaY > 0 ? 1.25 : 0.8, ...place(e));
    }, {passive: false});
    this.canvas.addEventListener("keydown", (e) => { if (!e.altKey && !e.metaKey && !e.ctrlKey && this.key(e)) e.preventDefault(); });
    this.canvas.addEventListener("blur", () => this.tell(null, false));
  }

  key(event) {
    const {key, shiftKey} = event, arrows = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[key];
    if (arrows && shiftKey && this.on.zoom) { this.pan(arrows[0] * 50, arrows[1] * 50); return true; }
    if (arrows) { this.walk(...arrows); return true; }
    if ((key === "+" || key === "=") && this.on.zoom) { this.zoomBy(0.6); return true; }
    if (key === "-" && this.on.zoom) { this.zoomBy(1 / 0.6); return true; }
    if ((key === "0" || key === "Escape") && this.on.zoom) { this.on.zoom(null); return true; }
    if (key === "Enter" && this.on.pick && this.cursor) { this.on.pick(this.point(this.cursor)); return true; }
    return false;
  }

  walk(along, across) {
    const lines = this.view.lines.map((line, k) => k).filter((k) => this.view.lines[k].points.some((p) => p.facts));
    if (!lines.length) return;
    if (!this.cursor) { this.tell({k: lines[0], j: 0}, true); return; }
    const n = lines.indexOf(this.cursor.k), k = lines[(n + across + lines.length) % lines.length], points = this.view.lines[k].points;
    const near = points.reduce((best, p, j) => Math.abs(this.x.at(p.x) - this.x.at(this.point(this.cursor).x)) < Math.abs(this.x.at(points[best].x) - this.x.at(this.point(this.cursor).x)) ? j : best, 0);
    this.tell({k, j: across ? near : Math.min(points.length - 1, Math.max(0, this.cursor.j + along))}, true);
  }
}

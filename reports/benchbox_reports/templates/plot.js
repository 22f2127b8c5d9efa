// A plot of curves or of rows of dots, as SVG in the page's own colours. gestures.js listens to the reader.
//
// view: {title, x: {label, log, zero, ticks?}, y: {label, log}, zoom, height, names: whether curves are named at their ends,
// lines: [{name, colour, dash, marker, faint, hollow, dots, bar, beside, points: [{x, y, facts: [text], small: an image's address}]}],
// marks: [{x, text}], rows: [text], level: a y that is shown, with a line, empty: text where no curve is shown}

const NAME = 6.6;  // pixels of a letter of a name at a curve's end
const PAPER = {".curves": [700, 294], ".figures": [340, 420], ".small-on-paper": [340, 190]};  // pixels that a plot is drawn wide, and at most high, on a printed page
const MOST_NAMED = 16;  // most curves named at their ends; with more, the leaders to the names are a tangle

class Plot {
  // host: an empty element. on.zoom([x0, x1, y0, y1] or null), on.pick(point) and on.light(name or null) are called when
  // the reader zooms, picks a point, or comes near a curve.
  constructor(host, on) {
    this.host = host;
    this.on = on;
    this.tip = make("div", {class: "tip", hidden: ""});
    this.live = make("p", {class: "visually-hidden", role: "status"});
    this.canvas = make("div", {class: "canvas", tabindex: "0", role: "application", "aria-roledescription": "plot"});
    this.tools = make("div", {class: "tools"}, ...(on.zoom ? [button("+", "Zoom in", () => this.zoomBy(0.6)),
      button(MINUS, "Zoom out", () => this.zoomBy(1 / 0.6)), button("\u21ba", "Whole plot", () => on.zoom(null))] : []));
    host.append(this.tools, this.canvas, this.tip, this.live);
    this.width = 0;
    new ResizeObserver(() => { if (this.view && this.canvas.clientWidth !== this.width) this.draw(); }).observe(this.canvas);
    listen(this);
  }

  show(view) {
    this.view = view;
    this.canvas.setAttribute("aria-label", view.title);
    this.cursor = null;
    this.tip.hidden = true;
    this.draw();
  }

  print(is) {  // draws for paper, whatever the screen's width: scaled down, its texts would be too small to read
    this.paper = is ? PAPER[Object.keys(PAPER).findLast((part) => this.host.closest(part))] : null;
    if (this.view) this.draw();
  }

  extents() {
    const {view} = this, own = view.lines.filter((line) => !line.faint && line.points.length);
    const points = (own.length ? own : view.lines).flatMap((line) => line.points);  // published curves may leave the plot
    const wide = view.y.wide, ends = (axis, of) => {
      const values = [...points.map(of), ...(axis === view.x ? (view.marks || []).map((mark) => mark.x) : view.level === undefined ? [] : [view.level])];
      let [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [axis.log ? 0.1 : 0, 1];
      if (low === high) [low, high] = axis.log ? [low / 2, high * 2] : [low - 1, high + 1];
      return [low, high];
    };
    const spread = ([low, high], axis, below, above) => axis.log
      ? [low / (high / low) ** below, high * (high / low) ** above] : [low - (high - low) * below, high + (high - low) * above];
    const [x0, x1] = ends(view.x, (p) => p.x), x = wide ? spread([x0, x1], view.x, 0.1, 0.25) : spread([x0, x1], view.x, 0.03, 0.03);
    if (view.x.zero && !view.x.log && !wide) x[0] = Math.min(0, x[0] < 0 ? x[0] : 0);
    const pad = wide ? 0.1 : 0.04, y = view.rows ? [-0.6, view.rows.length - 0.4] : spread(ends(view.y, (p) => p.y), view.y, pad, pad);
    if (view.y.most !== undefined && y[0] < view.y.most) y[1] = Math.min(y[1], view.y.most);
    return [...x, ...y];
  }

  beyond() {  // names of the lines that run on beyond the axes
    const [x0, x1, y0, y1] = this.shown;
    return this.view.lines.filter((line) => line.name && line.points.some((p) => p.x < x0 || p.x > x1 || p.y < y0 || p.y > y1)).map((line) => line.name);
  }

  draw() {
    const {view} = this, width = this.width = this.paper?.[0] || this.canvas.clientWidth || 600;
    const height = this.height = view.height || (view.rows && 70 + (this.paper ? 37 : 46) * view.rows.length) || Math.round(Math.min(this.paper?.[1] || 620, Math.max(280, width * 0.66)));
    const longest = view.rows ? Math.max(...view.rows.map((row) => row.length)) : 0;
    this.stacked = !!view.rows && 7.2 * longest + 14 > width * 0.42;  // then each row's name stands above its dots
    const left = this.stacked ? 10 : view.rows ? 7.2 * longest + 14 : view.y.wide ? 62 : 54;
    this.endNames = !!view.names && width > 520 && view.lines.filter((line) => line.points.length).length <= MOST_NAMED;
    const name = Math.max(0, ...view.lines.filter((line) => line.name && line.points.length).map((line) => line.name.length));
    this.box = {x0: left, x1: width - (this.endNames ? Math.min(width * 0.34, NAME * name + 26) : 12), y0: 10, y1: height - 46};
    const {box} = this, [x0, x1, y0, y1] = this.shown = view.zoom || this.extents();
    this.x = scaleOf([x0, x1], box.x0, box.x1, view.x.log);
    this.y = scaleOf([y0, y1], ...(view.rows ? [box.y0, box.y1] : [box.y1, box.y0]), view.y.log);
    const svg = this.svg = make("svg:svg", {width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true"});
    const clip = `clip-${this.host.id}`;
    svg.append(make("svg:clipPath", {id: clip}, make("svg:rect", {x: box.x0 - 1, y: box.y0 - 6, width: box.x1 - box.x0 + 8, height: box.y1 - box.y0 + 7})));
    this.axes(svg);
    const inside = make("svg:g", {"clip-path": `url(#${clip})`});
    for (const mark of view.marks || []) if (mark.x >= x0 && mark.x <= x1) inside.append(...this.mark(mark));
    view.lines.forEach((line, k) => inside.append(this.line(line, k)));
    inside.append(...this.names(view.lines.filter((line) => line.beside && line.points.length)));
    this.focus = make("svg:circle", {r: 8, class: "focus", visibility: "hidden"});
    this.band = make("svg:rect", {class: "band", visibility: "hidden"});
    svg.append(inside, ...(this.endNames ? this.ends(view.lines.filter((line) => line.name && line.points.length)) : []), this.focus, this.band);
    if (view.empty && !view.lines.some((line) => line.points.length)) {
      svg.append(make("svg:text", {x: (box.x0 + box.x1) / 2, y: (box.y0 + box.y1) / 2, "text-anchor": "middle", class: "empty"}, view.empty));
    }
    this.canvas.replaceChildren(svg);
    this.light(this.lit ?? null);
  }

  axes(svg) {
    const {view, box, width, height} = this, [x0, x1, y0, y1] = this.shown, wideOf = (text) => 7.4 * text.length;
    const text = (string, at, attributes = {}) => svg.append(make("svg:text", {x: at[0], y: at[1], ...attributes}, string));
    const inside = (ticks, low, high) => ticks.filter((t) => (typeof t === "number" ? t : t[0]) >= low && (typeof t === "number" ? t : t[0]) <= high);
    const xs = inside(view.x.ticks || ticksOf([x0, x1], width / 90, view.x.log), x0, x1);
    for (const [value, name, at] of placed(xs, this.x.at, wideOf, 8)) {
      svg.append(make("svg:path", {d: `M${at} ${box.y0}V${box.y1}`, class: value === 0 && view.rows ? "zero" : "grid"}));
      const half = wideOf(name) / 2;
      text(name, [Math.min(at, width - half), box.y1 + 17], {"text-anchor": "middle"});
    }
    if (view.rows) {
      view.rows.forEach((row, k) => this.stacked ? text(row, [box.x0, this.y.at(k) - 17], {class: "small"})
        : text(row, [box.x0 - 8, this.y.at(k) + 4], {"text-anchor": "end"}));
    } else {
      for (const [value, name, at] of placed(inside(view.y.ticks || ticksOf([y0, y1], height / 60, view.y.log), y0, y1), this.y.at, () => 14, 4)) {
        svg.append(make("svg:path", {d: `M${box.x0} ${at}H${box.x1}`, class: value === view.level ? "zero" : "grid"}));
        text(name, [box.x0 - 7, at + 4], {"text-anchor": "end"});
      }
      text(view.y.label, [14, (box.y0 + box.y1) / 2], {"text-anchor": "middle", transform: `rotate(-90 14 ${(box.y0 + box.y1) / 2})`});
    }
    const wide = 6.8 * view.x.label.length > box.x1 - box.x0;  // then it is centred under the whole plot
    text(view.x.label, [wide ? width / 2 : (box.x0 + box.x1) / 2, height - 8], {"text-anchor": "middle"});
  }

  mark({x, text}) {
    const at = this.x.at(x), {box} = this, low = box.y1 - 6;
    return [make("svg:path", {d: `M${at} ${box.y0}V${box.y1}`, class: "mark"}),
      make("svg:text", {x: at - 4, y: low, transform: `rotate(-90 ${at - 4} ${low})`, class: "small"}, text)];
  }

  line(line, k) {
    const at = line.points.map((p) => `${this.x.at(p.x).toFixed(1)} ${this.y.at(p.y).toFixed(1)}`);
    const group = make("svg:g", {class: "line", ...(line.name && {"data-name": line.name})});
    if (!at.length) return group;
    if (line.dots) group.append(make("svg:path", {d: at.map((p) => `M${p}h0`).join(""), class: "dots", style: `stroke:${line.colour}`}));
    else if (line.bar) group.append(make("svg:path", {d: `M${at.join("L")}`, class: "bar", style: `stroke:${line.colour}`}));
    else {
      const id = `m-${this.host.id}-${k}`, path = make("svg:path", {d: `M${at.join("L")}`, class: line.faint ? "curve faint" : "curve",
        style: `stroke:${line.colour};stroke-dasharray:${line.dash}`});
      if (line.marker) {
        group.append(make("svg:marker", {id, markerUnits: "userSpaceOnUse", markerWidth: 12, markerHeight: 12, viewBox: "-6 -6 12 12",
          overflow: "visible"}, make("svg:path", {d: line.marker, style: line.faint || line.hollow ? `fill:var(--card);stroke:${line.colour}` : `fill:${line.colour}`})));
        for (const end of line.sparse ? [] : ["start", "mid", "end"]) path.setAttribute(`marker-${end}`, `url(#${id})`);
      }
      group.append(path);
      for (const p of line.sparse ? line.points.filter((one) => one.facts && one.measured) : []) {
        group.append(make("svg:path", {d: line.marker, transform: `translate(${this.x.at(p.x).toFixed(1)} ${this.y.at(p.y).toFixed(1)})`, style: `fill:${line.colour}`}));
      }
    }
    return group;
  }

  names(lines) {  // next to points, on the first free side of four; where none is free, the legend and the tip name it
    const taken = lines.map((line) => [this.x.at(line.points[0].x) - 6, this.y.at(line.points[0].y) - 6, 12, 12]), found = [];
    lines.forEach((line) => {
      const x = this.x.at(line.points[0].x), y = this.y.at(line.points[0].y), width = 7.2 * line.beside.length;
      const place = [[x + 9, y - 7], [x - 9 - width, y - 7], [x - width / 2, y - 24], [x - width / 2, y + 9]]
        .find(([a, b]) => a >= this.box.x0 && a + width <= this.box.x1 && b >= this.box.y0 && b + 15 <= this.box.y1 && taken.every((t) => apart(t, [a, b, width, 15])));
      if (!place) return;
      taken.push([...place, width, 15]);
      found.push(make("svg:text", {x: place[0] + width / 2, y: place[1] + 11, "text-anchor": "middle", class: "small"}, line.beside));
    });
    return found;
  }

  ends(lines) {  // names in the margin, joined to the curves' last points inside the box, where they are not too many
    const {box} = this, last = (line) => [...line.points].reverse().map((p) => [this.x.at(p.x), this.y.at(p.y)]).find(([x, y]) => x <= box.x1 + 1 && y >= box.y0 - 1 && y <= box.y1 + 1);
    const wanted = lines.map((line) => ({line, at: last(line)})).filter(({at}) => at).sort((a, b) => a.at[1] - b.at[1]);
    const step = 14.5;
    if (!wanted.length || wanted.length > MOST_NAMED || wanted.length * step > box.y1 - box.y0) return [];
    const ys = wanted.map(({at}) => Math.max(at[1], box.y0 + 2));
    for (let k = 1; k < ys.length; k++) ys[k] = Math.max(ys[k], ys[k - 1] + step);  // apart, downwards
    ys[ys.length - 1] = Math.min(ys[ys.length - 1], box.y1);
    for (let k = ys.length - 2; k >= 0; k--) ys[k] = Math.min(ys[k], ys[k + 1] - step);  // and up again from the axis
    const room = Math.floor((this.width - box.x1 - 22) / NAME);
    return wanted.map(({line, at}, k) => make("svg:g", {class: "line end", "data-name": line.name},
      make("svg:path", {d: `M${at[0] + 7} ${at[1]}L${box.x1 + 8} ${ys[k]}h6`, class: "leader", style: `stroke:${line.colour}`}),
      make("svg:text", {x: box.x1 + 17, y: ys[k] + 4, class: "small", style: `fill:${line.colour}`}, line.name.length > room ? `${line.name.slice(0, room - 1)}\u2026` : line.name)));
  }

  light(name) {  // dims all lines but one; null: none
    this.lit = name;
    this.svg?.classList.toggle("dimmed", name !== null && this.view.lines.some((line) => line.name === name));
    for (const group of this.svg?.querySelectorAll("g.line") ?? []) group.classList.toggle("lit", group.dataset.name === name);
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
    if (this.on.light) this.on.light(point ? this.view.lines[cursor.k].name ?? null : null);
    if (!point) return;
    const px = this.x.at(point.x), py = this.y.at(point.y);
    this.focus.setAttribute("cx", px);
    this.focus.setAttribute("cy", py);
    this.tip.replaceChildren(...(point.small ? [make("img", {src: point.small, alt: ""})] : []), ...point.facts.map((text, k) => make(k ? "span" : "b", {}, text)));
    const right = px > this.width / 2;
    this.tip.style.left = `${Math.max(0, right ? px - 12 - this.tip.offsetWidth : Math.min(px + 12, this.width - this.tip.offsetWidth))}px`;
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
}

const apart = (a, b) => a[0] + a[2] < b[0] || b[0] + b[2] < a[0] || a[1] + a[3] < b[1] || b[1] + b[3] < a[1];

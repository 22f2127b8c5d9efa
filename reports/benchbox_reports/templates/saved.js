// Bits saved against the anchor at equal quality, from curves drawn through operating points by PCHIP: log10(bpp) as a
// monotone cubic of the metric (Fritsch and Butland 1984, as in SciPy and in benchbox.curves).

function envelope(points) {  // [[quality, log10 bpp]] rising in both: points that cost more and score no better are dropped
  const kept = [];
  for (const point of [...points].sort((a, b) => a[1] - b[1] || b[0] - a[0])) if (!kept.length || point[0] > kept[kept.length - 1][0]) kept.push(point);
  return kept;
}

function pchip(points) {  // {low, high, at(x)} through points of rising x; null for fewer than four
  const n = points.length;
  if (n < 4) return null;
  const x = points.map((p) => p[0]), y = points.map((p) => p[1]), h = x.slice(1).map((v, k) => v - x[k]), d = h.map((v, k) => (y[k + 1] - y[k]) / v);
  const end = (h0, h1, d0, d1) => {
    const slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1);
    if (Math.sign(slope) !== Math.sign(d0)) return 0;
    return Math.sign(d0) !== Math.sign(d1) && Math.abs(slope) > 3 * Math.abs(d0) ? 3 * d0 : slope;
  };
  const m = x.map((_, k) => {
    if (k === 0) return end(h[0], h[1], d[0], d[1]);
    if (k === n - 1) return end(h[n - 2], h[n - 3], d[n - 2], d[n - 3]);
    if (d[k - 1] * d[k] <= 0) return 0;
    const a = 2 * h[k] + h[k - 1], b = h[k] + 2 * h[k - 1];
    return (a + b) / (a / d[k - 1] + b / d[k]);
  });
  return {low: x[0], high: x[n - 1], at: (v) => {
    let k = 0;
    while (k < n - 2 && v > x[k + 1]) k++;
    const t = (v - x[k]) / h[k], u = 1 - t;
    return u * u * (1 + 2 * t) * y[k] + t * u * u * h[k] * m[k] + t * t * (3 - 2 * t) * y[k + 1] - t * t * u * h[k] * m[k + 1];
  }};
}

const GRID = 48;  // points of a line besides those at operating points
const MOST_BITS = 100;  // percent more bits than the anchor at which the axis ends: more would flatten all other lines

function savedLines(lines, anchor, metric, better) {  // lines of bpp (x) and quality (y) -> of quality (x) and percent of bits (y)
  const sign = better === "lower" ? -1 : 1, fit = (line) => line && pchip(envelope(line.points.map((p) => [sign * p.y, Math.log10(p.x)])));
  const base = fit(lines.find((line) => line.name === anchor));
  if (!base) return [];
  return lines.filter((line) => line.name !== anchor).flatMap((line) => {
    const own = fit(line), low = own && Math.max(own.low, base.low), high = own && Math.min(own.high, base.high);
    if (!own || low >= high) return [];
    const places = [...Array(GRID + 1).keys()].map((k) => [low + (high - low) * k / GRID, false]);
    const measured = line.points.map((p) => sign * p.y).filter((q) => q >= low && q <= high).map((q) => [q, true]);
    const points = [...places, ...measured].sort((a, b) => a[0] - b[0]).map(([q, is]) => {
      const y = percent(own.at(q) - base.at(q)), x = sign * q;
      return {x, y, measured: is, facts: [line.name, `${printed(y, 1, true)} % bits against ${anchor}`, `at ${metric.title} ${printed(x, metric.decimals)}${metric.db ? " dB" : metric.unit && ` ${metric.unit}`}`]};
    });
    return [{...line, points: sign < 0 ? points.reverse() : points, sparse: true}];
  });
}

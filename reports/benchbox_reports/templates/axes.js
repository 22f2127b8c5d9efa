// Scales and ticks of an axis, linear or logarithmic.

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

function placed(ticks, at, sizeOf, gap) {  // the ticks whose texts do not touch: [value, text, pixel]
  const found = [];
  let end = -Infinity;
  const rising = ticks.map((t) => typeof t === "number" ? [t, String(t).replace("-", MINUS)] : t).map(([v, text]) => [v, text, at(v)]).sort((a, b) => a[2] - b[2]);
  for (const tick of rising) {
    const half = sizeOf(tick[1]) / 2;
    if (tick[2] - half < end + gap) continue;
    end = tick[2] + half;
    found.push(tick);
  }
  return found;
}

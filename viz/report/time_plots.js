// Plots over time. The data block holds every series at one interval; for the span shown they are brought to as many
// points as the width can carry, so a year and a day are the same code. All plots share one span of time.
(() => {
'use strict';

const { data, day, days, months, wall, clock, date, shift, offset, toLocal, fromLocal, startOfDay, addDays, decode, css, figure, escape, look } = page;
if (!data.plots.length) return;

// ---- series ----

for (const plot of data.plots) {
  for (const s of plot.series) {
    for (const key of ['up', 'down', 'mean', 'min', 'max', 'rest']) {
      if (!s[key]) continue;
      s[key] = decode(s[key]);
      for (let i = 0; i < s[key].length; ++i) s[key][i] *= plot.factor;
    }
    if (s.rest) { s.mean = s.mean.map((v, i) => v + s.rest[i]); delete s.rest; }
  }
}

const nice = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200].filter((w) => w > data.interval && w % data.interval < 1e-6);
const intervals = [data.interval, ...nice, ...[1, 2, 7, 14, 28].map((n) => n * day).filter((w) => w > data.interval)];
const chooseInterval = (span, points) => intervals.find((w) => span / w <= points) ?? intervals[intervals.length - 1];

// The edges of intervals of w seconds that cover [a, b]; days are those of the zone.
function edgesOver(a, b, w) {
  const edges = [];
  if (w >= day) {
    const n = Math.round(w / day), first = startOfDay(data.first);
    const skip = Math.max(0, Math.floor((a - first) / w) - 1) * n;
    for (let k = skip, t = addDays(first, k); ; k += n, t = addDays(first, k)) {
      edges.push(Math.min(Math.max(t, data.first), data.end));
      if (t >= b || t >= data.end) break;
    }
  } else {
    const anchor = w > data.interval ? startOfDay(data.first) : data.first;
    for (let t = anchor + Math.floor((a - anchor) / w) * w; ; t += w) {
      edges.push(Math.min(Math.max(t, data.first), data.end));
      if (t >= b || t >= data.end) break;
    }
  }
  return edges.filter((t, i) => i === 0 || t > edges[i - 1]);
}

// One value for each interval between the edges: the mean, or what `pick` makes of the values.
function reduce(values, edges, pick) {
  const out = new Array(edges.length - 1);
  const at = (t) => Math.min(values.length, Math.max(0, Math.ceil((t - data.first) / data.interval - 1e-6)));
  for (let k = 0; k + 1 < edges.length; ++k) {
    const from = at(edges[k]), to = Math.max(at(edges[k + 1]), from);
    let sum = 0, n = 0, low = Infinity, high = -Infinity, last = NaN;
    for (let i = from; i < to; ++i) {
      const v = values[i];
      if (v !== v) continue;
      sum += v; ++n; last = v;
      if (v < low) low = v;
      if (v > high) high = v;
    }
    out[k] = n === 0 ? null : pick === 'min' ? low : pick === 'max' ? high : pick === 'last' ? last : sum / n;
  }
  return out;
}

// Values that hold over their interval, drawn as steps: each at its start, the last once more at the end.
function steps(values, edges) {
  const points = values.map((v, k) => [edges[k], v]);
  points.push([edges[edges.length - 1], values[values.length - 1]]);
  return points;
}
const atEnds = (values, edges) => values.map((v, k) => [edges[k + 1], v]);
const atMiddles = (values, edges) => values.map((v, k) => [(edges[k] + edges[k + 1]) / 2, v]);

// ---- drawing ----

// Ticks at round wall times of the zone; a label names what is new at its tick.
function ticks(a, b, width) {
  const room = Math.max(2, Math.floor(width / 68)), span = b - a, found = [];
  const step = [60, 300, 900, 1800, 3600, 7200, 10800, 21600, 43200].find((s) => span / s <= room);
  if (step && span <= 3.2 * day) {
    const first = Math.ceil(toLocal(a) / step) * step;
    for (let l = first; ; l += step) {
      const t = fromLocal(l);
      if (t > b) break;
      if (t >= a && toLocal(t) === l) found.push(t);
    }
    return { at: found, label: (t) => { const d = wall(t); return toLocal(t) % day === 0 ? `{d|${days[d.getUTCDay()]} ${d.getUTCDate()} ${months[d.getUTCMonth()]}}` : clock(d); } };
  }
  const each = [1, 2, 7, 14].find((n) => span / day / n <= room);
  if (each) {
    for (let t = startOfDay(a); t <= b; t = addDays(t, each)) if (t >= a) found.push(t);
    return { at: found, label: (t) => { const d = wall(t); return each === 1 && width > 500 ? `${days[d.getUTCDay()]} ${d.getUTCDate()} ${months[d.getUTCMonth()]}` : `${d.getUTCDate()} ${months[d.getUTCMonth()]}`; } };
  }
  const every = [1, 2, 3, 6, 12, 24, 60, 120].find((n) => span / (30.4 * day) / n <= room + 0.4) ?? 240;
  const d0 = wall(a);
  const origin = d0.getUTCFullYear() * 12 + d0.getUTCMonth();
  for (let m = Math.floor(origin / every) * every; ; m += every) {
    const t = fromLocal(Date.UTC(Math.floor(m / 12), m % 12, 1) / 1000);
    if (t > b) break;
    if (t >= a) found.push(t);
  }
  return { at: found, label: (t) => { const d = wall(t); return d.getUTCMonth() === 0 || t === found[0] ? `{d|${months[d.getUTCMonth()]} ${d.getUTCFullYear()}}` : months[d.getUTCMonth()]; } };
}

// ---- plots ----

let view = [data.first, data.end];
const fine = matchMedia('(hover: hover) and (pointer: fine)').matches;
const plots = data.plots.map((plot, i) => {
  const box = document.querySelector(`.chart[data-plot="${i}"]`);
  return { ...plot, box, legend: box.parentElement.querySelector('.legend'), hidden: new Set(), chart: null };
});
const heightOnPaper = { stack: 270, line: 190 };


// The series as ECharts wants them; p.rows keeps what the tooltip shows.
function lines(p, edges, w) {
  const out = [];
  p.rows = [];
  // a single value makes no line
  const base = { type: 'line', symbol: p.form !== 'stack' && edges.length === 2 ? 'circle' : 'none', symbolSize: 7, animation: false, emphasis: { disabled: true }, connectNulls: false };
  p.series.forEach((s, i) => {
    if (p.hidden.has(i)) return;
    const color = p.colours[i];
    const curve = (extra) => out.push({ ...base, id: `${i}${extra.part ?? ''}`, name: s.label, color, ...extra });
    if (p.form === 'stack') {
      for (const part of ['up', 'down']) {
        if (!s[part]) continue;
        const values = reduce(s[part], edges);
        // a stack adds values up, so a gap counts as nothing
        curve({ part, stack: part, step: 'end', data: steps(values.map((v) => v ?? 0), edges), lineStyle: { width: 0 }, areaStyle: { color, opacity: 0.88 } });
        p.rows.push({ label: s.label, color, values, part });
      }
    } else if (p.form === 'total') {
      const values = reduce(s.mean, edges, 'last');
      curve({ data: atEnds(values, edges), lineStyle: { width: 1.8 } });
      p.rows.push({ label: s.label, color, values });
    } else {
      const step = p.form === 'step', place = step ? steps : w > data.record ? atMiddles : atEnds;
      const hold = step ? { step: 'end' } : {};
      const values = reduce(s.mean, edges);
      const low = s.min ?? s.mean, high = s.max ?? s.mean;
      let range = null;
      if (s.min || w > data.interval) {
        range = [reduce(low, edges, 'min'), reduce(high, edges, 'max')];
        const shadow = { symbol: 'none', stack: `band${i}`, stackStrategy: 'all', silent: true, lineStyle: { width: 0 }, ...hold };
        curve({ part: 'low', ...shadow, data: place(range[0], edges) });
        curve({ part: 'high', ...shadow, data: place(range[1].map((v, k) => (v === null ? null : v - range[0][k])), edges), areaStyle: { color, opacity: p.series.length > 3 ? 0.1 : 0.18 } });
      }
      curve({ part: 'mean', ...hold, data: place(values, edges), lineStyle: { width: 1.6 } });
      p.rows.push({ label: s.label, color, values, range });
    }
  });
  if (p.form === 'stack' && out.length) out[0].markLine = { silent: true, symbol: 'none', animation: false, label: { show: false }, lineStyle: { color: css('--muted'), type: 'solid', width: 1 }, data: [{ yAxis: 0 }] };
  const spans = (data.faults ?? []).flatMap((f) => f.spans).filter(([a, b]) => b > edges[0] && a < edges[edges.length - 1]);
  if (spans.length && out.length) out[0].markArea = { silent: true, animation: false, itemStyle: { color: '#c0392b', opacity: 0.13 }, data: spans.map(([a, b]) => [{ xAxis: a }, { xAxis: b }]) };
  return out;
}

function intervalText(w) {
  return w % day === 0 ? (w === day ? '1 day' : `${w / day} days`) : w % 3600 === 0 ? `${w / 3600} h` : w % 60 === 0 ? `${w / 60} min` : `${w} s`;
}

function tip(p, params) {
  const list = Array.isArray(params) ? params : [params];
  const x = list.length ? list[0].axisValue : NaN;
  // axisValue is a point of the data: the interval that starts, is centred or ends there
  const edges = p.edges, last = edges.length - 2;
  let k = edges.findIndex((e, i) => i <= last && (p.ends ? x > e && x <= edges[i + 1] : x >= e && x < edges[i + 1]));
  if (k < 0) k = x >= edges[last + 1] ? last : 0;
  const from = wall(edges[k]), to = wall(edges[k + 1]);
  const whole = edges[k + 1] - edges[k] >= day - 3601;
  const until = wall(edges[k + 1] - 1);
  let head = whole ? (edges[k + 1] - edges[k] < 1.5 * day ? `${days[from.getUTCDay()]} ${date(from)}` : `${date(from)} – ${date(until)}`)
    : `${days[from.getUTCDay()]} ${date(from)} ${clock(from)}–${clock(to)}`;
  if (!whole && offset(edges[k]) !== offset(edges[k] + 43200) | offset(edges[k]) !== offset(edges[k] - 43200)) head += ` ${shift(edges[k])}`;
  const rows = p.rows.flatMap((r) => {
    const v = r.values[k];
    if (r.part && (v === null || Math.abs(v) < 1e-9)) return [];
    const range = r.range && r.range[0][k] !== null && r.range[1][k] > r.range[0][k] ? ` <small>(${figure(r.range[0][k])} … ${figure(r.range[1][k])})</small>` : '';
    return [[r.color, r.label, figure(v) + range]];
  });
  return page.tipBox(head, rows, p.unit);
}

function draw(p, width) {
  const [a, b] = view;
  const w = chooseInterval(b - a, Math.min(720, Math.max(380, width / 1.6)));
  const margin = 0.02 * (b - a);
  const edges = edgesOver(Math.max(data.first, a - margin), Math.min(data.end, b + margin), w);
  p.edges = edges;
  p.ends = p.form === 'total' || (p.form === 'line' && w <= data.record);
  const left = width < 500 ? 50 : 56, marks = ticks(a, b, width - left - 14);
  const percent = p.unit === '%';
  const series = lines(p, edges, w);
  p.chart.setOption({
    animation: false,
    textStyle: look.font(),
    grid: { left, right: 14, top: 10, bottom: 30, outerBoundsMode: 'none' },
    xAxis: {
      type: 'value', min: data.first, max: data.end,
      axisLine: { onZero: false, lineStyle: { color: css('--line') } },
      axisTick: { show: true, customValues: marks.at, lineStyle: { color: css('--muted') } },
      axisLabel: { ...look.text(), margin: 10, customValues: marks.at, hideOverlap: true,
        formatter: (t) => ((b - t) / (b - a) * (width - left - 14) < 20 ? '' : marks.label(t)), rich: { d: { color: css('--ink'), fontWeight: 600, fontSize: 12 } } },
      splitLine: { show: false },
      axisPointer: { type: 'line', lineStyle: { color: css('--muted'), type: 'solid' }, label: { show: false }, snap: true },
    },
    yAxis: {
      ...look.valueAxis(), scale: p.form === 'line' && !percent, ...(percent ? { min: 0, max: 100, interval: 25 } : {}),
      splitNumber: p.form === 'stack' ? 6 : 4,
    },
    dataZoom: [{ type: 'inside', startValue: a, endValue: b, filterMode: 'none', minValueSpan: 4 * data.interval, disabled: !fine, zoomOnMouseWheel: 'ctrl', moveOnMouseMove: true, moveOnMouseWheel: false, throttle: 30 }],
    tooltip: { trigger: 'axis', ...look.tooltip(), formatter: (params) => tip(p, params) },
    series,
  }, { replaceMerge: ['series'] });
  return w;
}

// ---- one span of time for all ----

const overviewBox = document.getElementById('overview'), shown = document.getElementById('shown');
const width = (p) => p.box.clientWidth || 600;
let overview = null, waiting = false;

function drawOverview() {
  const p = plots[0], s = [...p.series].sort((x, y) => size(y) - size(x))[0];
  const edges = edgesOver(data.first, data.end, chooseInterval(data.end - data.first, 400));
  const values = reduce(s.up ?? s.mean ?? s.down, edges);
  overview.setOption({
    animation: false,
    grid: { left: 0, right: 0, top: 60, height: 1 },
    xAxis: { type: 'value', min: data.first, max: data.end, show: false },
    yAxis: { type: 'value', show: false },
    series: [{ type: 'line', data: steps(values.map((v) => v ?? 0), edges), step: 'end', symbol: 'none', silent: true, lineStyle: { opacity: 0 } }],
    dataZoom: [{
      type: 'slider', left: 10, right: 10, top: 8, height: 28, startValue: view[0], endValue: view[1], filterMode: 'none', minValueSpan: 4 * data.interval, brushSelect: false,
      showDetail: false, throttle: 30, borderColor: css('--line'), backgroundColor: 'transparent', fillerColor: css('--accent') + '26',
      dataBackground: { lineStyle: { opacity: 0 }, areaStyle: { color: css('--muted'), opacity: 0.3 } },
      selectedDataBackground: { lineStyle: { opacity: 0 }, areaStyle: { color: css('--accent'), opacity: 0.55 } },
      handleStyle: { color: css('--panel'), borderColor: css('--accent') }, moveHandleSize: 0, handleSize: '90%',
    }],
  });
}
function size(s) {
  let x = 0;
  for (const v of s.up ?? s.down ?? s.mean ?? []) if (v === v) x += Math.abs(v);
  return x;
}

function drawSpan(w) {
  const from = wall(view[0]), to = wall(view[1]), last = wall(view[1] - 1);
  const hour = (d) => (view[1] - view[0] > 7200 ? clock(d).slice(0, 5) : clock(d));
  const midnights = toLocal(view[0]) % day === 0 && toLocal(view[1]) % day === 0;
  const text = midnights ? (date(from) === date(last) ? `${days[from.getUTCDay()]} ${date(from)}` : `${date(from)} – ${date(last)}`)
    : `${date(from)} ${hour(from)} – ${date(to)} ${hour(to)}`;
  const bold = document.createElement('b');
  bold.textContent = text;
  shown.replaceChildren(bold, w > data.record ? `means over ${intervalText(w)} · recorded: ${intervalText(data.record)}` : `as recorded: ${intervalText(data.record)}`);
  const span = view[1] - view[0], length = Math.round(span / day);
  document.querySelectorAll('[data-span]').forEach((b) => {
    const n = +b.dataset.span;
    const chosen = n ? length === n && Math.abs(span - n * day) < 3700 : span >= data.end - data.first - 1;
    b.setAttribute('aria-pressed', String(chosen));
    b.disabled = n > 0 && n * day > data.end - data.first + 3700;
  });
  document.querySelectorAll('[data-move]').forEach((b) => { b.disabled = +b.dataset.move < 0 ? view[0] <= data.first : view[1] >= data.end; });
}

// Shows [a, b], kept inside the data. `source` is the chart that asked, whose zoom is already there.
function show(a, b, source) {
  const span = Math.min(b - a, data.end - data.first);
  a = Math.min(Math.max(a, data.first), data.end - span);
  view = [a, a + span];
  if (source !== overview) overview.dispatchAction({ type: 'dataZoom', startValue: view[0], endValue: view[1] }, { silent: true });
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    let w = data.interval;
    plots.forEach((p) => { w = draw(p, width(p)); });
    drawSpan(w);
  });
}

function zoomed(chart) {
  const z = chart.getOption().dataZoom[0];
  if (Math.abs(z.startValue - view[0]) < 1 && Math.abs(z.endValue - view[1]) < 1) return;
  show(z.startValue, z.endValue, chart);
}

document.querySelectorAll('[data-span]').forEach((b) => b.addEventListener('click', () => {
  const n = +b.dataset.span;
  if (!n) return show(data.first, data.end);
  // around the middle of what is shown, from a midnight on
  const from = startOfDay(view[0] <= data.first && view[1] >= data.end ? (data.first + data.end) / 2 : Math.max(data.first, (view[0] + view[1]) / 2 - (n - 1) * day / 2));
  show(from, addDays(from, n));
}));
document.querySelectorAll('[data-move]').forEach((b) => b.addEventListener('click', () => {
  const n = Math.round((view[1] - view[0]) / day), by = +b.dataset.move;
  const wholeDays = toLocal(view[0]) % day === 0 && Math.abs(view[1] - addDays(view[0], n)) < 1;
  if (!wholeDays || n === 0) return show(view[0] + by * (view[1] - view[0]), view[1] + by * (view[1] - view[0]));
  let from = addDays(view[0], by * n);
  if (from < data.first) from = startOfDay(data.first) < data.first ? data.first : startOfDay(data.first);
  show(from, addDays(from, n));
}));

// ---- into the page ----

let drawnInterval = data.interval;
for (const p of plots) {
  p.paper = heightOnPaper[p.form] ?? 150;
  p.begin = (chart) => {
    p.colours = page.colours(p.series);
    page.legend(p.legend, p.series.map((s, i) => ({ ...s, color: p.colours[i] })), p.hidden, () => draw(p, width(p)));
    chart.on('datazoom', () => zoomed(chart));
  };
  p.draw = (chart, w) => { drawnInterval = draw(p, w); };
  page.add(p);
}
page.add({
  box: overviewBox,
  begin(chart) { overview = chart; chart.on('datazoom', () => zoomed(chart)); },
  draw() { drawOverview(); drawSpan(drawnInterval); },
});
})();

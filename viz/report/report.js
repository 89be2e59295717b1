// Draws the plots of a report. The data block holds every series at one interval; for the span shown they are brought
// to as many points as the width can carry, so a year and a day are the same code. All plots share one span of time.
(() => {
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const root = document.documentElement;

// ---- time in the scenario's zone, whatever the reader's is ----

let zone = data.zone;
try { new Intl.DateTimeFormat('en-GB', { timeZone: zone }); } catch { zone = 'UTC'; }
document.querySelectorAll('.zone').forEach((e) => { if (zone !== data.zone) e.textContent = `${data.zone} is unknown here: UTC`; });

const partsFormat = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
const offsets = new Map();   // by quarter of an hour: no zone changes within one

// Seconds to add to UTC at time t.
function offset(t) {
  const key = Math.floor(t / 900);
  let o = offsets.get(key);
  if (o === undefined) {
    const p = Object.fromEntries(partsFormat.formatToParts(key * 900e3).map((x) => [x.type, +x.value]));
    o = Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) / 1000 - key * 900;
    offsets.set(key, o);
  }
  return o;
}
const toLocal = (t) => t + offset(t);
// A wall time that a jump of the clock skips is the moment of the jump.
function fromLocal(l) {
  const a = l - offset(l - offset(l));
  return toLocal(a) === l ? a : Math.max(a, l - offset(a));
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const two = (n) => String(n).padStart(2, '0');
// The wall clock at t, as a Date whose UTC parts are to be read.
const wall = (t) => new Date(Math.round(toLocal(t) * 1000));
const clock = (d) => `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}` + (d.getUTCSeconds() ? `:${two(d.getUTCSeconds())}` : '');
const date = (d) => `${d.getUTCDate()} ${months[d.getUTCMonth()]} ${d.getUTCFullYear()}`;
function shift(t) {
  const m = Math.round(offset(t) / 60), a = Math.abs(m);
  return `UTC${m < 0 ? '−' : '+'}${Math.floor(a / 60)}${a % 60 ? ':' + two(a % 60) : ''}`;
}
const startOfDay = (t) => fromLocal(Math.floor(toLocal(t) / 86400) * 86400);
const addDays = (t, n) => fromLocal(Math.floor(toLocal(t) / 86400) * 86400 + n * 86400);

document.querySelectorAll('time[data-utc]').forEach((e) => {
  const t = +e.dataset.utc, d = wall(t);
  e.title = e.textContent;
  e.textContent = `${date(d)} ${clock(d)}`;
  e.dateTime = new Date(t * 1000).toISOString();
});
if (!data.plots.length) return;

// ---- series ----

function decode({ zero, scale, q }) {
  const bytes = Uint8Array.from(atob(q), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer), out = new Float64Array(bytes.length >> 1);
  for (let i = 0; i < out.length; ++i) {
    const v = view.getInt16(2 * i, true);
    out[i] = v === -32768 ? NaN : zero + scale * v;
  }
  return out;
}
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

const day = 86400;
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

// ---- look ----

const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
const familyColour = (family) => css(family === 'grid' ? '--grid-power' : `--${family}`) || css('--other');

// Assets of one family share its hue and differ in lightness.
function shade(hex, i) {
  if (i === 0) return hex;
  const c = [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
  const towards = i % 2 ? 255 : 0, share = Math.min(0.62, 0.26 * Math.ceil(i / 2));
  return '#' + c.map((v) => two(Math.round(v + (towards - v) * share).toString(16))).join('');
}
function colours(plot) {
  const seen = {};
  return plot.series.map((s) => shade(familyColour(s.family), (seen[s.family] = (seen[s.family] ?? -1) + 1)));
}

const digits = new Map();
function figure(v) {
  if (v === null || v !== v) return '–';
  const a = Math.abs(v), n = a >= 1000 ? 0 : a >= 100 ? 1 : a >= 1 || a === 0 ? 2 : 3;
  if (!digits.has(n)) digits.set(n, new Intl.NumberFormat('en-GB', { minimumFractionDigits: n, maximumFractionDigits: n }));
  return digits.get(n).format(v).replace('-', '−');
}
const escape = (s) => s.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

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

function makeLegend(p) {
  p.legend.replaceChildren(...p.series.map((s, i) => {
    const b = document.createElement('button'), swatch = document.createElement('i');
    b.type = 'button';
    b.style.setProperty('--c', p.colours[i]);
    b.append(swatch, s.label);
    if (s.description) b.title = s.description;
    b.setAttribute('aria-pressed', String(!p.hidden.has(i)));
    b.addEventListener('click', () => {
      p.hidden.has(i) ? p.hidden.delete(i) : p.hidden.add(i);
      b.setAttribute('aria-pressed', String(!p.hidden.has(i)));
      draw(p);
    });
    return b;
  }));
}

// The series as ECharts wants them; p.rows keeps what the tooltip shows.
function lines(p, edges, w) {
  const out = [];
  p.rows = [];
  const base = { type: 'line', symbol: 'none', animation: false, emphasis: { disabled: true }, connectNulls: false };
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
        const shadow = { stack: `band${i}`, stackStrategy: 'all', silent: true, lineStyle: { width: 0 }, ...hold };
        curve({ part: 'low', ...shadow, data: place(range[0], edges) });
        curve({ part: 'high', ...shadow, data: place(range[1].map((v, k) => (v === null ? null : v - range[0][k])), edges), areaStyle: { color, opacity: p.series.length > 3 ? 0.1 : 0.18 } });
      }
      curve({ part: 'mean', ...hold, data: place(values, edges), lineStyle: { width: 1.6 } });
      p.rows.push({ label: s.label, color, values, range });
    }
  });
  if (p.form === 'stack' && out.length) out[0].markLine = { silent: true, symbol: 'none', animation: false, label: { show: false }, lineStyle: { color: css('--muted'), type: 'solid', width: 1 }, data: [{ yAxis: 0 }] };
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
  const rows = p.rows.map((r) => {
    const v = r.values[k];
    if (r.part && (v === null || Math.abs(v) < 1e-9)) return '';
    const range = r.range && r.range[0][k] !== null && r.range[1][k] > r.range[0][k] ? ` <small>(${figure(r.range[0][k])} … ${figure(r.range[1][k])})</small>` : '';
    return `<div style="--c:${r.color}"><i></i><span>${escape(r.label)}</span><em>${figure(v)}${range}</em></div>`;
  });
  return `<div class="tip"><b>${head}</b>${rows.join('')}<small>${escape(p.unit)}</small></div>`;
}

function draw(p) {
  const [a, b] = view, width = p.box.clientWidth || 600;
  const w = chooseInterval(b - a, Math.min(720, Math.max(380, width / 1.6)));
  const margin = 0.02 * (b - a);
  const edges = edgesOver(Math.max(data.first, a - margin), Math.min(data.end, b + margin), w);
  p.edges = edges;
  p.ends = p.form === 'total' || (p.form === 'line' && w <= data.record);
  const left = width < 500 ? 44 : 56, marks = ticks(a, b, width - left - 14);
  const percent = p.unit === '%';
  const series = lines(p, edges, w);
  const text = { color: css('--muted'), fontSize: 12 };
  p.chart.setOption({
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left, right: 14, top: 10, bottom: 30, outerBoundsMode: 'none' },
    xAxis: {
      type: 'value', min: data.first, max: data.end,
      axisLine: { onZero: false, lineStyle: { color: css('--line') } },
      axisTick: { show: true, customValues: marks.at, lineStyle: { color: css('--muted') } },
      axisLabel: { ...text, margin: 10, customValues: marks.at, hideOverlap: true,
        formatter: (t) => ((b - t) / (b - a) * (width - left - 14) < 20 ? '' : marks.label(t)), rich: { d: { color: css('--ink'), fontWeight: 600, fontSize: 12 } } },
      splitLine: { show: false },
      axisPointer: { type: 'line', lineStyle: { color: css('--muted'), type: 'solid' }, label: { show: false }, snap: true },
    },
    yAxis: {
      type: 'value', scale: p.form === 'line' && !percent, ...(percent ? { min: 0, max: 100, interval: 25 } : {}),
      splitNumber: p.form === 'stack' ? 6 : 4,
      axisLine: { show: false }, axisTick: { show: false },
      axisLabel: { ...text, formatter: (v) => v.toLocaleString('en-GB', { maximumFractionDigits: 3, notation: Math.abs(v) >= 1e6 ? 'compact' : 'standard' }).replace('-', '−') },
      splitLine: { lineStyle: { color: css('--grid') } },
    },
    dataZoom: [{ type: 'inside', startValue: a, endValue: b, filterMode: 'none', minValueSpan: 4 * data.interval, disabled: !fine, zoomOnMouseWheel: 'ctrl', moveOnMouseMove: true, moveOnMouseWheel: false, throttle: 30 }],
    tooltip: {
      trigger: 'axis', confine: true, transitionDuration: 0, padding: [6, 10], backgroundColor: css('--panel'), borderColor: css('--line'), borderWidth: 1,
      textStyle: { color: css('--ink') }, extraCssText: 'box-shadow:0 2px 10px rgba(0,0,0,.18)', formatter: (params) => tip(p, params),
    },
    series,
  }, { replaceMerge: ['series'] });
  return w;
}

// ---- one span of time for all ----

const overviewBox = document.getElementById('overview'), shown = document.getElementById('shown');
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

function drawAll() {
  let w = data.interval;
  plots.forEach((p) => { w = draw(p); });
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
  requestAnimationFrame(() => { waiting = false; drawAll(); });
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

// ---- life of the page ----

function build() {
  for (const p of plots) {
    p.chart?.dispose();
    p.colours = colours(p);
    makeLegend(p);
    p.chart = echarts.init(p.box, null, { renderer: 'svg' });
    p.chart.on('datazoom', () => zoomed(p.chart));
  }
  overview?.dispose();
  overview = echarts.init(overviewBox, null, { renderer: 'svg' });
  drawOverview();
  overview.on('datazoom', () => zoomed(overview));
  drawAll();
}
build();

let width = innerWidth;
addEventListener('resize', () => {
  if (innerWidth === width) return;   // a phone's address bar moves the height only
  width = innerWidth;
  for (const p of plots) p.chart.resize();
  overview.resize();
  drawAll();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', build);

// Paper is light and as wide as A4 between its margins; every table and the scenario are on it.
let closed = [];
addEventListener('beforeprint', () => {
  root.dataset.theme = 'light';
  closed = [...document.querySelectorAll('main details:not([open])')];
  closed.forEach((e) => { e.open = true; });
  build();
  for (const p of plots) {
    p.box.style.width = '680px';
    p.chart.resize({ width: 680, height: p.form === 'stack' ? 270 : p.form === 'line' ? 190 : 150 });
    draw(p);
  }
});
addEventListener('afterprint', () => {
  delete root.dataset.theme;
  closed.forEach((e) => { e.open = false; });
  for (const p of plots) p.box.style.width = '';
  build();
});
})();

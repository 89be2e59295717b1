// What the scripts of all reports share: the data block, time in the scenario's zone, look, and the life of the plots.
const page = (() => {
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const root = document.documentElement;

// ---- time in the scenario's zone, whatever the reader's is ----

let zone = data.zone ?? 'UTC';
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

const day = 86400;

document.querySelectorAll('time[data-utc]').forEach((e) => {
  const t = +e.dataset.utc, d = wall(t);
  e.title = e.textContent;
  e.textContent = `${date(d)} ${clock(d)}`;
  e.dateTime = new Date(t * 1000).toISOString();
});
function decode({ zero, scale, q }) {
  const bytes = Uint8Array.from(atob(q), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer), out = new Float64Array(bytes.length >> 1);
  for (let i = 0; i < out.length; ++i) {
    const v = view.getInt16(2 * i, true);
    out[i] = v === -32768 ? NaN : zero + scale * v;
  }
  return out;
}

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
// The colours of things that have a family, in their order.
function colours(things) {
  const seen = {};
  return things.map((s) => shade(familyColour(s.family), (seen[s.family] = (seen[s.family] ?? -1) + 1)));
}

const digits = new Map();
function figure(v) {
  if (v === null || v !== v) return '–';
  const a = Math.abs(v), n = a >= 1000 ? 0 : a >= 100 ? 1 : a >= 1 || a === 0 ? 2 : 3;
  if (!digits.has(n)) digits.set(n, new Intl.NumberFormat('en-GB', { minimumFractionDigits: n, maximumFractionDigits: n }));
  return digits.get(n).format(v).replace('-', '−');
}
const escape = (s) => s.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const axisNumber = (v) => v.toLocaleString('en-US', Math.abs(v) >= 1e5 ? { maximumSignificantDigits: 4, notation: 'compact' } : { maximumFractionDigits: 3 }).replace('-', '−');

// Parts of ECharts options that all plots have; functions, for the colours follow the reader's theme.
const look = {
  text: () => ({ color: css('--muted'), fontSize: 12 }),
  font: () => ({ fontFamily: getComputedStyle(document.body).fontFamily }),
  tooltip: () => ({
    confine: true, transitionDuration: 0, padding: [6, 10], backgroundColor: css('--panel'), borderColor: css('--line'), borderWidth: 1,
    textStyle: { color: css('--ink') }, extraCssText: 'box-shadow:0 2px 10px rgba(0,0,0,.18)',
  }),
  valueAxis: () => ({
    type: 'value', axisLine: { show: false }, axisTick: { show: false }, axisLabel: { ...look.text(), formatter: axisNumber },
    splitLine: { lineStyle: { color: css('--grid') } },
  }),
};
// A tooltip's box: rows of [colour, label, value as HTML].
const tipBox = (head, rows, foot) => `<div class="tip"><b>${head}</b>${rows.map(([c, label, value]) => `<div style="--c:${c}"><i></i><span>${escape(label)}</span><em>${value}</em></div>`).join('')}<small>${escape(foot)}</small></div>`;

// Buttons that are also the plot's legend: one for each thing with a label and a colour; `hidden` holds those switched off.
function legend(box, things, hidden, changed) {
  box.replaceChildren(...things.map((s, i) => {
    const b = document.createElement('button'), swatch = document.createElement('i');
    b.type = 'button';
    b.style.setProperty('--c', s.color);
    b.append(swatch, s.label);
    if (s.description) b.title = s.description;
    b.setAttribute('aria-pressed', String(!hidden.has(i)));
    b.addEventListener('click', () => {
      hidden.has(i) ? hidden.delete(i) : hidden.add(i);
      b.setAttribute('aria-pressed', String(!hidden.has(i)));
      changed();
    });
    return b;
  }));
}

// Buttons of which one is chosen.
function choice(box, labels, chosen, changed) {
  box.replaceChildren(...labels.map((label, i) => {
    const b = document.createElement('button');
    b.type = 'button';
    b.textContent = label;
    b.setAttribute('aria-pressed', String(i === chosen));
    b.addEventListener('click', () => {
      [...box.children].forEach((other) => other.setAttribute('aria-pressed', String(other === b)));
      changed(i);
    });
    return b;
  }));
}

// ---- life of the plots ----
// A plot has: box; draw(chart, width in px); if it wants, begin(chart) after each new start, paper (its height on paper).

const plots = [];
const drawAll = () => plots.forEach((p) => p.draw(p.chart, p.box.clientWidth || 600));

function build() {
  for (const p of plots) {
    p.chart?.dispose();
    p.chart = echarts.init(p.box, null, { renderer: 'svg' });
    p.begin?.(p.chart);
  }
  drawAll();
}

function start() {
  if (!plots.length) return;
  build();
  let width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth === width) return;   // a phone's address bar moves the height only
    width = innerWidth;
    for (const p of plots) p.chart.resize();
    drawAll();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', build);
  // Paper is light and as wide as A4 between its margins; every table and text is on it.
  let closed = [];
  addEventListener('beforeprint', () => {
    root.dataset.theme = 'light';
    closed = [...document.querySelectorAll('main details:not([open])')];
    closed.forEach((e) => { e.open = true; });
    for (const p of plots) {
      p.box.style.width = '680px';
      if (p.paper) p.box.style.height = `${p.paper}px`;
    }
    build();
  });
  addEventListener('afterprint', () => {
    delete root.dataset.theme;
    closed.forEach((e) => { e.open = false; });
    for (const p of plots) p.box.style.width = p.box.style.height = '';
    build();
  });
}
document.addEventListener('DOMContentLoaded', start);

return {
  data, day, days, months, two, wall, clock, date, shift, offset, toLocal, fromLocal, startOfDay, addDays, zone,
  decode, css, familyColour, shade, colours, figure, escape, axisNumber, look, tipBox, legend, choice,
  add: (p) => { plots.push(p); return p; },
  redraw: drawAll,
};
})();

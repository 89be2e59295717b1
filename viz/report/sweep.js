// Compares the variants of a sweep by the figures that the reader chooses.
(() => {
'use strict';

const { data, css, figure, escape, look } = page;
const { keys, kpis } = data;
if (!kpis.length) return;
const rows = data.index.map((_, i) => i);
const element = (id) => document.getElementById(id);
const named = (c) => c.label.replace(/^assets\./, '') + (c.unit ? `, ${c.unit}` : '');
const known = (v) => v !== null && v === v;
const plain = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 5 });   // of what was set: no noughts added
const textOf = (c, i) => { const v = c.values[i]; return !known(v) ? '–' : c.levels ? c.levels[v] : keys.includes(c) ? plain.format(v).replace('-', '−') : figure(v); };
const variant = (i) => `${data.index[i]}${data.name[i] ? ` (${data.name[i]})` : ''}`;
const judged = (kpi, i) => (kpi.higher ? -kpi.values[i] : kpi.values[i]);   // lower is better
const varies = (c) => { const v = c.values.filter(known); return v.some((x) => x !== v[0]); };
const span = (c) => c.values.reduce(([a, b], v) => (known(v) ? [Math.min(a, v), Math.max(b, v)] : [a, b]), [Infinity, -Infinity]);
let chosen = data.kpi;
const columnsOfKeys = keys.filter(varies).length ? keys.filter(varies) : keys;

// What tells a reader most, besides the figure chosen: a few that money, supply and climate are judged by, and vary.
function others(not, most) {
  const usual = [data.kpi, data.x, data.y, ...kpis.keys()];
  return [...new Set(usual)].filter((k) => !not.includes(k) && varies(kpis[k])).slice(0, most);
}

// ---- the best ----

const step = 25;
let sorted = { by: null, down: false }, shown = step;

function table() {
  const kpi = kpis[chosen];
  const figureColumn = (k) => ({ head: named(kpis[k]), values: kpis[k].values, cell: (i) => textOf(kpis[k], i), n: true, c: kpis[k] });
  const columns = [
    { head: 'Variant', values: data.index, cell: variant, row: true },
    ...[chosen].map(figureColumn),
    ...columnsOfKeys.map((k) => ({ head: named(k), values: k.values, cell: (i) => textOf(k, i), n: !k.levels, c: k })),
    ...others([chosen], 5).map(figureColumn),
  ];
  const by = columns.find((c) => c.head === sorted.by) ?? columns[1];
  const down = by.head === sorted.by ? sorted.down : kpi.higher;
  // words by the alphabet; what is not known last, whatever the direction
  const key = (i) => (by.c?.levels && known(by.values[i]) ? by.c.levels[by.values[i]] : by.values[i]);
  const compare = (a, b) => (typeof a === 'string' ? a.localeCompare(b) : a - b);
  const order = rows.filter((i) => known(kpi.values[i])).sort((a, b) => (!known(key(a)) - !known(key(b))) || (known(key(a)) ? (down ? -1 : 1) * compare(key(a), key(b)) : 0) || a - b);
  const head = document.createElement('tr');
  head.append(...columns.map((c) => {
    const th = document.createElement('th'), button = document.createElement('button');
    th.scope = 'col';
    if (c.n) th.className = 'n';
    if (c === by) th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    button.textContent = c.head + (c === by ? (down ? ' ▾' : ' ▴') : '');
    button.addEventListener('click', () => { sorted = { by: c.head, down: c === by ? !down : c.c?.higher ?? false }; table(); });
    th.append(button);
    return th;
  }));
  const body = order.slice(0, shown).map((i) => {
    const tr = document.createElement('tr');
    tr.append(...columns.map((c) => {
      const cell = document.createElement(c.row ? 'th' : 'td');
      if (c.row) cell.scope = 'row';
      if (c.n) cell.className = 'n';
      cell.textContent = c.cell(i);
      return cell;
    }));
    return tr;
  });
  element('best').tHead.replaceChildren(head);
  element('best').tBodies[0].replaceChildren(...body);
  element('more').hidden = shown >= order.length;
}
element('more').addEventListener('click', () => { shown += step * 2; table(); });

// ---- what each key does ----

function effects() {
  const kpi = kpis[chosen], all = kpi.effects;
  element('effects-unit').textContent = `on ${named(kpi)}`;
  if (!all.length) { element('effects').textContent = 'No key has two values among the variants that ran.'; return; }
  const low = Math.min(...all.map((e) => e[1])), high = Math.max(...all.map((e) => e[3])), range = high - low || 1;
  element('effects').innerHTML = all.map(([k, a, at, b, bt, thirds]) => {
    const where = (v) => `${((v - low) / range * 100).toFixed(2)}%`;
    return `<div class="effect"><span class="name">${escape(keys[k].label)}</span><span>${figure(b - a)}${kpi.unit ? ' ' + escape(kpi.unit) : ''}</span>`
      + `<span class="bar"><i style="left:${where(a)};right:calc(100% - ${where(b)});min-width:2px"></i></span>`
      + `<span class="ends"><span><b>${figure(a)}</b> ${escape(at)}${thirds ? ' (a third)' : ''}</span><span><b>${figure(b)}</b> ${escape(bt)}${thirds ? ' (a third)' : ''}</span></span></div>`;
  }).join('');
  const good = css('--battery'), bad = css('--load');
  element('effects').style.setProperty('--low', kpi.higher ? bad : good);
  element('effects').style.setProperty('--high', kpi.higher ? good : bad);
}

function tipOf(i, figures) {
  const set = columnsOfKeys.slice(0, 10).map((k) => ['transparent', k.label, escape(textOf(k, i)) + (known(k.values[i]) && k.unit ? ' ' + escape(k.unit) : '')]);
  return page.tipBox(`Variant ${escape(variant(i))}`, [...set, ...[...new Set(figures)].map((k) => [css('--accent'), kpis[k].label, `${figure(kpis[k].values[i])} ${escape(kpis[k].unit)}`])], '');
}

// ---- trade-off ----

// A plot for which there is too little to compare is left out.
const add = (plot, enough) => { enough ? page.add(plot) : plot.box.closest('section').remove(); return plot; };

const trade = add({
  box: document.querySelector('.chart.trade'), paper: 330, across: data.x, up: data.y,
  draw(chart, width) {
    const x = kpis[this.across], y = kpis[this.up];
    const whole = rows.filter((i) => known(x.values[i]) && known(y.values[i]));
    const front = [];
    for (const i of [...whole].sort((a, b) => judged(x, a) - judged(x, b) || judged(y, a) - judged(y, b) || a - b))
      if (!front.length || judged(y, i) < judged(y, front[front.length - 1])) front.push(i);
    const best = new Set(front), point = (i) => [x.values[i], y.values[i], i];
    // padded by hand, so that no dot is cut at the edge
    const axis = (k) => {
      const [a, b] = span(k), pad = (b - a) * 0.05 || Math.abs(a) * 0.05 || 1;
      return { ...look.valueAxis(), scale: true, nameTruncate: { maxWidth: width - 90 }, min: a - pad, max: b + pad, axisLabel: { ...look.text(), formatter: page.axisNumber, showMinLabel: false, showMaxLabel: false, hideOverlap: true } };
    };
    const left = width < 500 ? 54 : 66;
    chart.setOption({
      animation: false, textStyle: look.font(),
      grid: { left, right: 16, top: 34, bottom: 52, outerBoundsMode: 'none' },
      xAxis: { ...axis(x), name: named(x) + (x.higher ? ' (higher is better)' : ''), nameLocation: 'middle', nameGap: 30, nameTextStyle: { color: css('--ink'), fontSize: 12 }, axisLine: { show: true, onZero: false, lineStyle: { color: css('--line') } }, splitNumber: width < 500 ? 3 : 6 },
      yAxis: { ...axis(y), name: named(y) + (y.higher ? ' (higher is better)' : ''), nameLocation: 'end', nameGap: 14, nameTextStyle: { color: css('--ink'), fontSize: 12, align: 'left', padding: [0, 0, 0, -left + 4] } },
      tooltip: { trigger: 'item', ...look.tooltip(), formatter: (p) => tipOf(p.value[2], [this.across, this.up, chosen]) },
      series: [
        { type: 'scatter', data: whole.filter((i) => !best.has(i)).map(point), symbolSize: whole.length > 500 ? 5 : 8, itemStyle: { color: css('--muted'), opacity: whole.length > 500 ? 0.35 : 0.55 }, emphasis: { disabled: true } },
        { type: 'line', data: front.map(point), symbol: 'circle', symbolSize: 9, lineStyle: { color: css('--accent'), width: 1.5 }, itemStyle: { color: css('--accent') }, emphasis: { disabled: true }, z: 5 },
      ],
    }, true);
  },
}, kpis.length > 1);

// ---- all variants ----

add({
  box: document.querySelector('.chart.all'), paper: 330,
  draw(chart, width) {
    const narrow = width < 640, kpi = kpis[chosen];
    const set = keys.filter(varies).slice(0, narrow ? 6 : 7), judgedBy = [...others([chosen], narrow ? 2 : 3), chosen].map((k) => kpis[k]);
    const axes = [...set, ...judgedBy], n = axes.length;
    const hidden = keys.filter(varies).length - set.length;
    element('all-unit').textContent = `coloured by ${named(kpi)}`;
    element('all-note').textContent = 'Each line is a variant, coloured by the figure chosen above; drag along an axis to pick lines out.'
      + (hidden > 0 ? ` The first ${set.length} of ${set.length + hidden} keys are drawn.` : '') + (set.some((k) => k.values.some((v) => !known(v))) ? ' A line leaves out the axes of keys that its variant does not set.' : '');
    if (!document.documentElement.dataset.theme) {   // on paper the height is set
      this.box.style.height = narrow ? `${n * 68 + 90}px` : '';
      chart.resize();
    }
    const [low, high] = span(kpi), ramp = [css('--battery'), css('--pv'), css('--load')];
    // a key's last two words, or its last
    const nameFor = (c, room) => fit(keys.includes(c) ? [-2, -1].map((k) => c.label.split('.').slice(k).join('.')).find((t, i) => i || t.length <= room) : c.label, room);
    const fit = (text, room) => (text.length > room ? text.slice(0, room - 1) + '…' : text);
    const room = narrow ? Math.floor(width / 7.5) : Math.min(15, Math.floor((width - 140) / Math.max(1, n - 1) / 7));   // 15: what the margins hold
    const levelRoom = (c) => Math.max(3, narrow ? Math.min(14, Math.floor((width - 32) / Math.min(c.levels.length, 5) / 7)) : Math.min(18, room - 3));
    // the best are drawn last, on top
    const order = rows.filter((i) => known(kpi.values[i])).sort((a, b) => judged(kpi, b) - judged(kpi, a));
    chart.setOption({
      animation: false, textStyle: look.font(),
      parallel: narrow ? { layout: 'vertical', left: 16, right: 16, top: 34, bottom: 76 } : { left: 66, right: 72, top: 44, bottom: 62 },
      parallelAxis: axes.map((c, dim) => ({
        dim, name: narrow ? fit(named(c), room) : nameFor(c, room) + (c.unit ? `\n${fit(c.unit, room)}` : ''),
        nameLocation: narrow ? 'middle' : 'end', nameGap: narrow ? -20 : 10, nameTextStyle: { color: css('--ink'), fontSize: 12, lineHeight: 14, fontWeight: 600, textBorderColor: css('--paper'), textBorderWidth: 3 },
        axisLine: { lineStyle: { color: css('--muted') } }, axisTick: { show: false }, splitNumber: 4,
        z: 100, axisLabel: { ...look.text(), color: css('--ink'), fontSize: 11, hideOverlap: true, textBorderColor: css('--paper'), textBorderWidth: 3, ...(narrow && c.levels?.length > 6 ? { alignMinLabel: 'left', alignMaxLabel: 'right' } : {}), ...(c.levels ? {} : { formatter: page.axisNumber }) },
        ...(c.levels ? { type: 'category', data: c.levels.map((l) => fit(l, levelRoom(c))) } : { type: 'value', scale: true }),
        areaSelectStyle: { width: 18, borderColor: css('--accent'), color: css('--accent'), opacity: 0.2 },
      })),
      visualMap: {
        type: 'continuous', show: high > low, min: low, max: high > low ? high : low + 1, dimension: n - 1, calculable: false, hoverLink: false, orient: 'horizontal', left: 'center', bottom: 0, itemWidth: 10, itemHeight: Math.min(180, width * 0.35),
        inRange: { color: kpi.higher ? [...ramp].reverse() : ramp }, text: [page.axisNumber(+high.toPrecision(4)), page.axisNumber(+low.toPrecision(4))], textStyle: look.text(),
      },
      tooltip: { trigger: 'item', ...look.tooltip(), formatter: (p) => tipOf(p.value[n], [chosen]) },
      series: [{
        type: 'parallel', smooth: false, progressive: 0, lineStyle: { width: order.length > 300 ? 1 : 1.6, opacity: order.length > 1000 ? 0.22 : order.length > 200 ? 0.4 : 0.75 }, inactiveOpacity: 0.03, emphasis: { disabled: order.length > 300, lineStyle: { width: 3, opacity: 1 } },
        data: order.map((i) => [...axes.map((c) => (known(c.values[i]) ? c.values[i] : '-')), i]),
      }],
    }, true);
  },
}, keys.some(varies) || kpis.filter(varies).length > 1);

// ---- the reader's choice ----

function judge() {
  const kpi = kpis[chosen];
  element('better').textContent = kpi.higher ? 'higher is better' : 'lower is better';
  shown = step;
  sorted = { by: null, down: false };
  table();
  effects();
}
element('kpi').addEventListener('change', (e) => { chosen = +e.target.value; judge(); page.redraw(); });
for (const id of ['across', 'up']) element(id)?.addEventListener('change', (e) => { trade[id] = +e.target.value; page.redraw(); });
judge();
})();

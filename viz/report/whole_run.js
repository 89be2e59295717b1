// The run as a whole: energy flow, duration curves, power by day and hour.
(() => {
'use strict';

const { data, day, days, date, fromLocal, decode, css, figure, escape, look } = page;
const boxOf = (id) => document.querySelector(`.chart[data-plot="${id}"]`);
const legendOf = (box) => box.parentElement.querySelector('.legend');

// ---- energy flow: sources, bus, sinks ----

function flow({ unit, sources, sinks }) {
  const box = boxOf('flow'), rows = Math.max(sources.length, sinks.length), sum = sources.reduce((s, f) => s + f.value, 0);
  const height = (row) => Math.max(200, rows * row + 40);
  const setHeight = (px) => { box.style.height = `${px}px`; };
  const share = (v) => `${figure(v / sum * 100)} %`;
  page.add({
    box, paper: height(42),
    draw(chart, width) {
      const narrow = width < 620;
      if (!document.documentElement.dataset.theme) { setHeight(height(48)); chart.resize(); }
      const side = narrow ? 4 : Math.min(250, width * 0.27);
      // an asset that stands on both sides has one colour
      const seen = new Map(), perFamily = {};
      const colourOf = ({ name, family }) => {
        const asset = name.split(': ')[0];
        if (!seen.has(asset)) seen.set(asset, page.shade(page.familyColour(family), (perFamily[family] = (perFamily[family] ?? -1) + 1)));
        return seen.get(asset);
      };
      const node = (f, i, depth) => {
        return { name: `${depth}|${i}`, depth, label: { position: (depth === 0) === narrow ? 'right' : 'left' }, itemStyle: { color: colourOf(f), borderWidth: 0 }, flow: f };
      };
      const left = sources.map((f, i) => node(f, i, 0)), right = sinks.map((f, i) => node(f, i, 2));
      const bus = { name: 'bus', depth: 1, label: { show: false }, itemStyle: { color: css('--muted'), borderWidth: 0 }, flow: { name: 'Bus', value: sum } };
      chart.setOption({
        animation: false, textStyle: look.font(),
        tooltip: {
          trigger: 'item', ...look.tooltip(),
          formatter: ({ data: d, color }) => {
            const f = d.flow;
            return page.tipBox(escape(f.name), [[color, 'Energy', figure(f.value)], ...(f.family ? [[color, 'Share of the bus', share(f.value)]] : [])], unit);
          },
        },
        series: [{
          type: 'sankey', left: side, right: side, top: 14, bottom: 18, nodeWidth: 12, nodeGap: 30, layoutIterations: 32, draggable: false,
          nodeAlign: 'left', emphasis: { disabled: true },
          label: {
            color: css('--ink'), fontSize: 13, lineHeight: 16, distance: 7, width: narrow ? width / 2 - 40 : side - 16, overflow: 'truncate',
            formatter: ({ data: d }) => `${d.flow.name.replace(/[{}|]/g, ' ')}\n{v|${figure(d.flow.value)} ${unit}}`, rich: { v: { color: css('--muted'), fontSize: 12 } },
          },
          data: [...left, bus, ...right],
          links: [
            ...left.map((n) => ({ source: n.name, target: 'bus', value: n.flow.value, flow: n.flow, lineStyle: { color: n.itemStyle.color, opacity: 0.35 } })),
            ...right.map((n) => ({ source: 'bus', target: n.name, value: n.flow.value, flow: n.flow, lineStyle: { color: n.itemStyle.color, opacity: 0.35 } })),
          ],
        }],
      }, true);
    },
  });
}

// ---- duration curves ----

function duration({ unit, factor, seconds, curves }) {
  const box = boxOf('duration'), hidden = new Set();
  for (const c of curves) c.values = decode(c.values).map((v) => v * factor);
  const n = curves[0].values.length - 1, share = (i) => 50 * (1 - Math.cos(Math.PI * i / n));
  const hours = (percent) => { const s = seconds * percent / 100; return s >= 36000 ? `${figure(s / 3600)} h` : s >= 600 ? `${figure(s / 60)} min` : `${figure(s)} s`; };
  const plot = {
    box, paper: 220,
    begin() {
      page.colours(curves).forEach((color, i) => { curves[i].color = color; });
      page.legend(legendOf(box), curves, hidden, () => plot.draw(plot.chart, box.clientWidth));
    },
    draw(chart, width) {
      const shown = curves.filter((c, i) => !hidden.has(i));
      chart.setOption({
        animation: false, textStyle: look.font(),
        grid: { left: width < 500 ? 50 : 56, right: 22, top: 10, bottom: 30, outerBoundsMode: 'none' },
        xAxis: { ...look.valueAxis(), min: 0, max: 100, interval: width < 500 ? 25 : 10, axisLine: { show: true, onZero: false, lineStyle: { color: css('--line') } }, splitLine: { show: false }, axisTick: { show: true, lineStyle: { color: css('--muted') } }, axisLabel: { ...look.text(), formatter: (v) => `${v} %` }, axisPointer: { type: 'line', lineStyle: { color: css('--muted'), type: 'solid' }, label: { show: false }, snap: true } },
        yAxis: { ...look.valueAxis(), splitNumber: 5 },
        tooltip: {
          trigger: 'axis', ...look.tooltip(),
          formatter: (list) => {
            const i = list[0].dataIndex, x = share(i);
            return page.tipBox(`at least this high for ${figure(x)} % (${hours(x)})`, shown.map((c) => [c.color, c.label, figure(c.values[i])]), unit);
          },
        },
        series: shown.map((c, k) => ({
          id: c.label, name: c.label, type: 'line', color: c.color, symbol: 'none', animation: false, emphasis: { disabled: true }, lineStyle: { width: 1.8 },
          data: Array.from(c.values, (v, i) => [share(i), v]),
          ...(k === 0 ? { markLine: { silent: true, symbol: 'none', animation: false, label: { show: false }, lineStyle: { color: css('--muted'), type: 'solid', width: 1 }, data: [{ yAxis: 0 }] } } : {}),
        })),
      }, { replaceMerge: ['series'] });
    },
  };
  page.add(plot);
}

// ---- power by day and hour ----

// A mix of two colours, each #rrggbb.
function mix(a, b, share) {
  const part = (c, k) => parseInt(c.slice(k, k + 2), 16);
  return '#' + [1, 3, 5].map((k) => Math.round(part(a, k) + (part(b, k) - part(a, k)) * share).toString(16).padStart(2, '0')).join('');
}

function heat({ unit, factor, first_day: firstDay, days: perColumn, columns, maps, odd }) {
  const box = boxOf('heat'), bar = legendOf(box), covered = new Map(odd);
  for (const m of maps) m.cells = decode(m.cells).map((v) => v * factor);
  bar.className = 'choices';
  bar.setAttribute('role', 'group');
  bar.setAttribute('aria-label', 'Power shown');
  let chosen = 0;
  const dayAt = (column) => new Date((firstDay + column * perColumn) * day * 1000);   // its UTC parts are those of the wall clock
  const secondsOf = (cell) => covered.get(cell) ?? 3600 * perColumn;
  const plot = {
    box, paper: 230,
    begin() {
      page.choice(bar, maps.map((m) => m.label), chosen, (i) => { chosen = i; plot.draw(plot.chart, box.clientWidth); });
    },
    draw(chart, width) {
      const m = maps[chosen], left = width < 500 ? 50 : 56, right = 14;
      // at least a pixel and a half for a column: narrow screens show the mean of neighbouring days
      const group = Math.max(1, Math.ceil(columns * 1.5 / (width - left - right)));
      const cells = [];
      let top = 0;
      for (let x = 0; x * group < columns; ++x) {
        for (let hour = 0; hour < 24; ++hour) {
          let sum = 0, s = 0;
          for (let column = x * group; column < Math.min(columns, (x + 1) * group); ++column) {
            const v = m.cells[column * 24 + hour];
            if (v !== v) continue;
            sum += v * secondsOf(column * 24 + hour);
            s += secondsOf(column * 24 + hour);
          }
          if (s === 0) continue;
          top = Math.max(top, sum / s);
          cells.push([x, hour, sum / s, s]);
        }
      }
      const n = Math.ceil(columns / group), label = (x) => { const d = dayAt(x * group); return `${d.getUTCDate()} ${page.months[d.getUTCMonth()]}${perColumn > 1 ? ' ' + d.getUTCFullYear() : ''}`; };
      const firstOfMonth = (x) => (x === 0 ? dayAt(0).getUTCDate() === 1 : dayAt(x * group).getUTCMonth() !== dayAt((x - 1) * group).getUTCMonth());
      const totalDays = columns * perColumn, room = (width - left - right) / 64;
      const everyMonth = Math.max(1, Math.ceil(totalDays / 30.4 / room)), everyColumn = Math.max(1, Math.ceil(n / room));
      const monthly = totalDays > 60;
      const named = (x) => (monthly ? firstOfMonth(x) && (dayAt(x * group).getUTCFullYear() * 12 + dayAt(x * group).getUTCMonth()) % everyMonth === 0 : x % everyColumn === 0);
      const monthName = (x) => { const d = dayAt(x * group); return d.getUTCMonth() === 0 || everyMonth >= 12 ? `{d|${d.getUTCFullYear()}}` : page.months[d.getUTCMonth()]; };
      const paper = css('--paper'), own = page.familyColour(m.family), far = mix(own, css('--ink'), 0.55);
      chart.setOption({
        animation: false, textStyle: look.font(),
        grid: { left, right, top: 6, bottom: 78, outerBoundsMode: 'none' },
        xAxis: {
          type: 'category', data: Array.from({ length: n }, (_, x) => label(x)), splitArea: { show: false },
          axisLine: { lineStyle: { color: css('--line') } }, axisTick: { show: true, alignWithLabel: true, interval: (x) => named(x), lineStyle: { color: css('--muted') } },
          axisLabel: { ...look.text(), interval: (x) => named(x), formatter: (text, x) => (monthly ? monthName(x) : text), rich: { d: { color: css('--ink'), fontWeight: 600, fontSize: 12 } } },
        },
        yAxis: {
          type: 'category', inverse: true, data: Array.from({ length: 24 }, (_, h) => `${page.two(h)}:00`),
          axisLine: { show: false }, axisTick: { show: false }, axisLabel: { ...look.text(), interval: (h) => h % 6 === 0 },
        },
        visualMap: {
          type: 'continuous', min: 0, max: top || 1, dimension: 2, calculable: false, orient: 'horizontal', left, bottom: 0, itemWidth: 10, itemHeight: Math.min(200, width * 0.4), hoverLink: false,
          inRange: { color: [mix(paper, own, 0.06), mix(paper, own, 0.6), own, far] }, text: [`${page.axisNumber(+(top || 1).toPrecision(3))} ${unit}`, '0'], textStyle: look.text(),
        },
        tooltip: {
          trigger: 'item', ...look.tooltip(),
          formatter: ({ value: [x, hour, v, s], color }) => {
            const from = dayAt(x * group), until = dayAt(Math.min(columns, (x + 1) * group) - 1 / perColumn);
            const oneDay = group * perColumn === 1;
            const head = `${oneDay ? days[from.getUTCDay()] + ' ' + date(from) : `${date(from)} – ${date(until)}`}, ${page.two(hour)}:00–${page.two((hour + 1) % 24)}:00`;
            const twice = oneDay && s > 3601 ? ', which came twice' : oneDay && s < 3599 ? `, ${figure(s / 60)} min of it` : '';
            return page.tipBox(head + twice, [[color, 'Mean power', `${figure(v)} ${escape(unit)}`], [color, 'Energy', `${figure(v * s / 3600)} ${escape(unit)}h`]], '');
          },
        },
        series: [{ type: 'heatmap', data: cells, emphasis: { disabled: true }, itemStyle: { borderWidth: 0 } }],
      }, true);
    },
  };
  page.add(plot);
}

if (data.flow) flow(data.flow);
if (data.duration) duration(data.duration);
if (data.heat) heat(data.heat);
})();

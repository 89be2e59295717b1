// npm ci && npm run build: writes vendor/echarts.min.js and the licences of what is in it.
import { build } from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const parts = [
  ['echarts', 'Apache-2.0', ['NOTICE', 'LICENSE', 'licenses/LICENSE-d3']],
  ['zrender', 'BSD-3-Clause', ['LICENSE']],
  ['tslib', '0BSD', ['LICENSE.txt']],
];
const names = parts.map(([name, licence]) => `${name} ${version(name)} (${licence})`).join(', ');
const js = `/*! ${names}; licences: viz/report/vendor/LICENSES.txt */`;

await build({
  entryPoints: ['plots.mjs'],
  outfile: 'vendor/echarts.min.js',
  bundle: true,
  minify: true,
  format: 'iife',
  globalName: 'echarts',
  target: 'es2020',
  charset: 'utf8',
  legalComments: 'none',
  banner: { js },
  define: { 'process.env.NODE_ENV': '"production"' },
});

writeFileSync('vendor/LICENSES.txt', parts.map(([name, licence, files]) =>
  `==== ${name} ${version(name)}, ${licence} ====\n\n`
  + files.map((f) => readFileSync(`node_modules/${name}/${f}`, 'utf8').replaceAll('\r\n', '\n').trim()).join('\n\n')).join('\n\n\n') + '\n');
console.log(names);

#!/usr/bin/env node
import { statSync } from 'node:fs';
import module from 'node:module';

// Node 22 and later keep compiled code between runs.
module.enableCompileCache?.();

const time = (path) =>
  statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
const layers = ['grammar', 'compiler', 'runtime'];
const compiled = Math.max(...layers.map((layer) => time(`../dist/${layer}/tsconfig.tsbuildinfo`)));
const bundled = time('../dist/bundle/mmdc.js');

// While working on the compiler, `tsc -b` alone is enough: its output is then newer than the bundle, and is what runs.
if (bundled > compiled) await import('../dist/bundle/mmdc.js');
else await import('../dist/runtime/cli/main.js');

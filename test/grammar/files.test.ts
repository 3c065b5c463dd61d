/**
 * Files as tests: those in `good` read without a problem, those in `bad` give exactly the problems that the comments
 * inside them say. `//~ COLUMN KIND: MESSAGE` speaks of the line above; UPDATE_EXPECTED=1 writes the comments anew.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LineMap, parse } from '../../grammar/index.js';

const directory = (name: string): URL => new URL(`../${name}/syntax/`, import.meta.url);
const filesOf = (name: string): string[] =>
  readdirSync(directory(name)).filter((file) => file.endsWith('.mmd'));
const read = (name: string, file: string): string => readFileSync(new URL(file, directory(name)), 'utf8');

describe('good files', () => {
  it.each(filesOf('good'))('%s reads without a problem', (file) => {
    expect(parse(read('good', file)).problems).toEqual([]);
  });
});

/** The problems of a text as comments below the lines they are in. */
function annotated(text: string): string {
  const bare = text.replaceAll(/^\/\/~.*\n/gm, '');
  const map = new LineMap(bare);
  const notes = new Map<number, string[]>();
  for (const { kind, message, range } of parse(bare).problems) {
    const { line, column } = map.position(range.start);
    notes.set(line, [...(notes.get(line) ?? []), `//~ ${column} ${kind}: ${message}\n`]);
  }
  const lines = bare.split('\n').slice(0, -1);
  return lines.map((line, i) => `${line}\n${(notes.get(i + 1) ?? []).join('')}`).join('');
}

describe('bad files', () => {
  it.each(filesOf('bad'))('%s gives the problems it announces', (file) => {
    const text = read('bad', file);
    const actual = annotated(text);
    if (process.env['UPDATE_EXPECTED']) writeFileSync(new URL(file, directory('bad')), actual);
    else expect(actual).toBe(text);
    // With the comments inside, nothing else changes.
    expect(parse(text).problems.map(({ kind }) => kind)).toEqual(
      parse(text.replaceAll(/^\/\/~.*\n/gm, '')).problems.map(({ kind }) => kind),
    );
  });
});

/** SARIF logs against the schema of SARIF 2.1.0 (Errata 01, rtm.5), as it is published with `@microsoft/jest-sarif`. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv, type ErrorObject } from 'ajv';
import { describe, expect, it } from 'vitest';
import { renderSarif } from '../../compiler/diagnostics/render.js';
import { analyzeText } from '../model/support.js';

type Json = Record<string, unknown>;
const schema = createRequire(import.meta.url)(
  '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json',
) as Json;
// Draft 04 differs from what ajv reads in the names of these two, and in keywords that the schema does not use.
const { $schema: _draft, id: _id, ...rules } = schema;
const validate = new Ajv({
  strict: false,
  allErrors: true,
  validateFormats: false,
  unicodeRegExp: false,
}).compile(rules);
const problems = (log: unknown): string[] =>
  validate(log) ? [] : (validate.errors as ErrorObject[]).map((e) => `${e.instancePath} ${e.message}`);

const folder = new URL('../bad/model/', import.meta.url);
const specs = readdirSync(folder)
  .filter((name) => statSync(new URL(name, folder)).isFile())
  .map((name) => readFileSync(new URL(name, folder), 'utf8'));

const logOf = (text: string): Json => {
  const { diagnostics, sources } = analyzeText(text);
  return JSON.parse(renderSarif(diagnostics, (file) => sources.get(file), '1.0.0')) as Json;
};

describe('the schema of SARIF', () => {
  it('is written in words that draft 04 and the checker share', () => {
    expect(schema['$schema']).toBe('http://json-schema.org/draft-04/schema#');
    expect(JSON.stringify(schema)).not.toMatch(/"exclusiveM(in|ax)imum":(true|false)/);
  });

  it('holds for every bad program, syntax errors and fixes included', () => {
    expect(specs.length).toBeGreaterThan(100);
    let results = 0;
    for (const text of [...specs, '', 'model M {', 'model 7 { ) }']) {
      const log = logOf(text);
      expect(problems(log)).toEqual([]);
      results += (log['runs'] as { results: unknown[] }[])[0]!.results.length;
    }
    expect(results).toBeGreaterThan(100);
  });

  it('is not held by a log that is damaged', () => {
    const damages: ((run: Json & { results: Json[] }, log: Json) => void)[] = [
      (_, log) => delete log['version'],
      (_, log) => (log['version'] = '2.0.0'),
      (run) => delete run['tool'],
      (run) => (run.results[0]!['level'] = 'fatal'),
      (run) => (run.results[0]!['message'] = 'text'),
      (run) => (run.results[0]!['mesage'] = {}),
    ];
    for (const damage of damages) {
      const log = logOf(specs[0]!);
      damage((log['runs'] as never[])[0]!, log);
      expect(problems(log), damage.toString()).not.toEqual([]);
    }
  });
});

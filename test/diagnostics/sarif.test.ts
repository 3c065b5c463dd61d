import { describe, expect, it } from 'vitest';
import { renderSarif } from '../../compiler/diagnostics/render.js';
import { label, placeOf, problem } from './helpers.js';

const files = {
  'specs/ä b.mmd': 'model A {\n  stepz: 1\n}\n',
  '/lib/b.mmd': 'network B\n',
  'C:\\x\\c.mmd': 'c',
};
const source = (file: string): string | undefined => (files as Record<string, string>)[file];

const place = placeOf(files, 'specs/ä b.mmd', 'stepz');
const region = { startLine: 2, startColumn: 3, endLine: 2, endColumn: 8, charOffset: 12, charLength: 5 };
const list = [
  problem(place, {
    code: 'MMD0302',
    message: '`process` has no setting `stepz`',
    help: 'did you mean `steps`?',
    labels: [label(placeOf(files, '/lib/b.mmd', 'B'), 'declared here')],
    fixes: [
      {
        title: 'rename',
        safe: true,
        edits: [
          { ...place, text: 'steps' },
          { ...place, text: 'step' },
        ],
      },
    ],
  }),
  problem({ file: 'C:\\x\\c.mmd', range: { start: 0, end: 1 } }, { code: 'MMD0321', severity: 'warning' }),
  problem({ file: 'data.gz', range: { start: 0, end: 0 } }, { code: 'MMD0302', severity: 'info' }),
  problem({ file: '', range: { start: 0, end: 0 } }, { code: 'MMD0961' }),
];

describe('the SARIF form', () => {
  const log = JSON.parse(renderSarif(list, source, '1.2.3')) as {
    version: string;
    runs: [
      { tool: { driver: Record<string, unknown> }; columnKind: string; results: Record<string, unknown>[] },
    ];
  };
  const [run] = log.runs;

  it('is a log of one run whose rules are the codes that occur', () => {
    expect(log.version).toBe('2.1.0');
    expect(run.columnKind).toBe('utf16CodeUnits');
    expect(run.tool.driver).toMatchObject({
      name: 'mmdc',
      version: '1.2.3',
      rules: [
        {
          id: 'MMD0302',
          shortDescription: { text: 'Unknown key' },
          defaultConfiguration: { level: 'error' },
        },
        { id: 'MMD0321', defaultConfiguration: { level: 'warning' } },
        { id: 'MMD0961' },
      ],
    });
    expect(run.results.map((r) => r.ruleIndex)).toEqual([0, 1, 0, 2]);
    expect(run.results.map((r) => r.level)).toEqual(['error', 'warning', 'note', 'error']);
  });

  it('places results, related locations and fixes', () => {
    const artifactLocation = { uri: 'specs/%C3%A4%20b.mmd' };
    expect(run.results[0]).toEqual({
      ruleId: 'MMD0302',
      ruleIndex: 0,
      level: 'error',
      message: { text: '`process` has no setting `stepz`\ndid you mean `steps`?' },
      locations: [{ physicalLocation: { artifactLocation, region } }],
      relatedLocations: [
        {
          id: 0,
          message: { text: 'declared here' },
          physicalLocation: {
            artifactLocation: { uri: 'file:///lib/b.mmd' },
            region: { startLine: 1, startColumn: 9, endLine: 1, endColumn: 10, charOffset: 8, charLength: 1 },
          },
        },
      ],
      fixes: [
        {
          description: { text: 'rename' },
          artifactChanges: [
            {
              artifactLocation,
              replacements: [
                { deletedRegion: region, insertedContent: { text: 'steps' } },
                { deletedRegion: region, insertedContent: { text: 'step' } },
              ],
            },
          ],
        },
      ],
    });
  });

  it('says only what is known of places without text', () => {
    expect(run.results[1].locations).toMatchObject([
      { physicalLocation: { artifactLocation: { uri: 'file:///C:/x/c.mmd' } } },
    ]);
    expect(run.results[2].locations).toEqual([
      { physicalLocation: { artifactLocation: { uri: 'data.gz' } } },
    ]);
    expect(run.results[3].locations).toEqual([]);
  });
});

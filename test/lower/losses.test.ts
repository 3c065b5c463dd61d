/**
 * The terms of the bound against plain TypeScript. Decoders here give parameters that do not depend on the state, so
 * that predictions are known exactly; what the state is made of is tested in state.test.ts.
 */
import { describe, expect, it } from 'vitest';
import type { CompiledModel } from '../../compiler/driver.js';
import { logBesselI, logGamma } from '../../compiler/lower/bessel.js';
import { logNormaliser } from '../../compiler/lower/losses.js';
import { compile, losses, randomBatch, randomParameters, type Batch, type Values } from './support.js';

// ---- plain vectors

type Vector = readonly number[];
const zip = (a: Vector, b: Vector, f: (x: number, y: number) => number): number[] =>
  a.map((x, i) => f(x, b[i]!));
const add = (a: Vector, b: Vector) => zip(a, b, (x, y) => x + y);
const sub = (a: Vector, b: Vector) => zip(a, b, (x, y) => x - y);
const scale = (a: Vector, k: number) => a.map((x) => k * x);
const dot = (a: Vector, b: Vector) => zip(a, b, (x, y) => x * y).reduce((s, x) => s + x, 0);
const square = (a: Vector) => dot(a, a);
const mean = (a: Vector) => a.reduce((s, x) => s + x, 0) / a.length;
const average = (rows: readonly Vector[]) => scale(rows.reduce(add), 1 / rows.length);
const oneHot = (index: number, n: number) => Array.from({ length: n }, (_, i) => Number(i === index));
const unit = (a: Vector) => scale(a, 1 / Math.sqrt(square(a)));
function softmax(a: Vector): number[] {
  const e = a.map((x) => Math.exp(x));
  return scale(e, 1 / e.reduce((s, x) => s + x, 0));
}
/** W x + b with W row by row. */
const affine = (W: Vector, x: Vector, b?: Vector) =>
  Array.from(
    { length: W.length / x.length },
    (_, i) => dot(W.slice(i * x.length, (i + 1) * x.length), x) + (b?.[i] ?? 0),
  );
const at = (values: Values, name: string): number[] => [...values.get(name)!];

// ---- the origin form: an image, which is z_0, and a label

const originSpec = `
model Origin {
  modality image: image[2, 2, 1]
  modality label: category[3]
  space z: f32[2, 2, 1]
  encoder image = image
  encoder label = label |> project(shape(z))
  process { steps: 20, retention: 0.9, origin: image }
  backbone h = (concat(z, given) |> pool |> linear(1)) * 0
  decoder z = param([2, 2, 1]) + (h |> reshape([1, 1, 1]))
  decoder label = param([3]) + h
  task generate: image, label
  task draw: label -> image
}
`;

const originRows = [
  { t: 1, roles: ['produced', 'produced'] },
  { t: 2, roles: ['produced', 'given'] },
  { t: 9, roles: ['produced', 'produced'] },
  { t: 20, roles: ['given', 'produced'] },
  { t: 1, roles: ['produced', 'absent'] },
  { t: 13, roles: ['absent', 'produced'] },
] as const;

/** Encodings of the classes: affine, centred, of unit root mean square over the table. */
function labelTable(values: Values): number[][] {
  const raw = [0, 1, 2].map((k) =>
    affine(
      at(values, 'encoder.label.project_1.linear_1.weight'),
      oneHot(k, 3),
      at(values, 'encoder.label.project_1.linear_1.bias'),
    ),
  );
  const centre = average(raw);
  const centred = raw.map((row) => sub(row, centre));
  const rms = Math.sqrt(mean(centred.flatMap((row) => scale(row, 1).map((x) => x * x))) + 1e-6);
  return centred.map((row) => scale(row, 1 / rms));
}

/** Tables of the process by its definition: a_t = 0.9. */
function process() {
  const T = 20;
  const a = Array.from({ length: T + 1 }, () => 0.9);
  const A = a.map((_, t) => 0.9 ** t);
  const variance = a.map((_, t) => (t === 0 ? 0 : ((1 - a[t]!) * (1 - A[t - 1]!)) / (1 - A[t]!)));
  return { T, a, A, variance };
}

function originLosses(batch: Batch, values: Values, snr?: (x: number) => number): Record<string, number> {
  const { T, a, A, variance } = process();
  const table = labelTable(values);
  const imageHat = at(values, 'decoder.z.param_1.weight');
  const logits = at(values, 'decoder.label.param_1.weight');
  const labelHat = softmax(logits)
    .map((p, k) => scale(table[k]!, p))
    .reduce(add);
  const D = 4;
  const rows = batch.rows.map(({ t, roles, data }, i) => {
    const produced = (name: string) => Number(roles[name] === 'produced');
    const image = data.image!;
    const label = table[data.label![0]!]!;
    const errors = {
      image: scale(sub(image, imageHat), produced('image')),
      label: scale(sub(label, labelHat), produced('label')),
    };
    const last = scale(
      add(scale(image, produced('image')), scale(label, produced('label'))),
      Math.sqrt(A[T]!),
    );
    const L0 = 0.5 * (square(last) + D * (1 - A[T]!) - D - D * Math.log(1 - A[T]!));
    // Posterior means by the definition: the same z_t and z_0 + m terms on both sides, so they differ in Y alone.
    // Nested: v_t = sqrt(A_t) and w_t = 0 past t = 1, so both components have the origin's coefficient.
    const k = ((1 - a[t]!) * Math.sqrt(A[t - 1]!)) / (1 - A[t]!);
    const difference = scale(add(errors.image, errors.label), k);
    const L1 = t >= 2 ? (square(difference) / (2 * variance[t]!)) * batch.inverseProbability[i]! : 0;
    const L2 = -Math.log(softmax(logits)[data.label![0]!]!) * produced('label');
    const sigma2 = 1 - A[1]!;
    const gauss =
      square(errors.image) / (2 * sigma2) + (D / 2) * Math.log(2 * Math.PI * sigma2) * produced('image');
    const L3 = t === 1 ? gauss * batch.inverseProbability[i]! : 0;
    const weight = snr ? snr(A[t]! / (1 - A[t]!)) : 1;
    const simplified = (weight * (square(errors.image) + square(errors.label))) / D;
    return { L0, L1, L2, L3, simplified };
  });
  const over = (key: keyof (typeof rows)[number]) => mean(rows.map((row) => row[key]));
  return {
    L0: over('L0'),
    L1: over('L1'),
    'L2.label': over('L2'),
    L3: over('L3'),
    simplified: over('simplified'),
  };
}

function expectLosses(
  model: CompiledModel,
  values: Values,
  batch: Batch,
  wanted: Record<string, number>,
): void {
  const found = losses(model, batch, values);
  for (const [name, value] of Object.entries(wanted)) {
    expect(Math.abs(found[name]! - value), name).toBeLessThan(1e-9 * Math.max(Math.abs(value), 1e-3));
  }
}

describe('an image as origin, a label aggregated', () => {
  const model = compile(originSpec);
  const values = randomParameters(model);
  const batch = randomBatch(model, originRows);
  const expected = originLosses(batch, values);
  const { simplified: plain, ...terms } = expected;

  it('has L0, L1, L2 and L3 in nats, of the rows and components that are produced', () => {
    expect(Object.values(terms).every((x) => Math.abs(x) > 1e-4)).toBe(true);
    expectLosses(model, values, batch, { ...terms, loss: Object.values(terms).reduce((s, x) => s + x, 0) });
  });

  it('has each row at its own time', () => {
    for (let t = 1; t <= 20; t++) {
      const one = randomBatch(model, [{ t, roles: ['produced', 'produced'] }], t);
      const { simplified: _, ...own } = originLosses(one, values);
      expectLosses(model, values, one, own);
    }
  });

  it.each([
    ['L0', 'loss.L0=0.25'],
    ['L1', 'loss.L1=0.25'],
    ['L1', 'loss.L1=bound(weight: 0.25)'],
    ['L2.label', 'loss.L2=0.25'],
    ['L2.label', 'loss.L2.label=nats(weight: 0.25)'],
    // A category has one element.
    ['L2.label', 'loss.L2.label=mean(0.25)'],
    ['L3', 'loss.L3=0.25'],
  ])('weights %s by %s', (name, set) => {
    const total = Object.values(terms).reduce((s, x) => s + x, 0);
    expectLosses(compile(originSpec, [set]), values, batch, {
      ...terms,
      loss: total - 0.75 * expected[name]!,
    });
  });

  it('takes the simplified form in place of L1, and reports both', () => {
    const L3 = 0;
    const loss = expected.L0! + 0.5 * plain! + expected['L2.label']! + L3;
    const simple = compile(originSpec, ['loss.L1=simplified(weight: 0.5)']);
    expectLosses(simple, values, batch, { ...terms, 'L1.simplified': plain!, loss });
    const withL3 = compile(originSpec, ['loss.L1=simplified(weight: 0.5)', 'loss.L3=1']);
    expectLosses(withL3, values, batch, { loss: loss + expected.L3! });
  });

  it.each([
    ['min(5)', (x: number) => Math.min(x, 5)],
    ['min(1)', (x: number) => Math.min(x, 1)],
    ['clamp(0.5, 2)', (x: number) => Math.max(0.5, Math.min(x, 2))],
    ['p2', (x: number) => x / (1 + x)],
    ['p2(k: 0.5, gamma: 2)', (x: number) => x / (0.5 + x) ** 2],
  ] as const)('weights the simplified form by %s of the SNR', (form, weight) => {
    const clipped = originLosses(batch, values, weight).simplified!;
    expect(Math.abs(clipped - plain!)).toBeGreaterThan(0.01);
    expectLosses(compile(originSpec, [`loss.L1=simplified(snr: ${form})`]), values, batch, {
      'L1.simplified': clipped,
    });
  });

  it('takes the decoder variance of L3 from `sigma`', () => {
    const sigma = 0.3;
    const first = batch.rows.flatMap((row, i) =>
      row.t === 1 ? [{ row, p: batch.inverseProbability[i]! }] : [],
    );
    const L3 =
      first
        .map(({ row, p }) => {
          const error = sub(row.data.image!, at(values, 'decoder.z.param_1.weight'));
          return p * (square(error) / (2 * sigma ** 2) + 2 * Math.log(2 * Math.PI * sigma ** 2));
        })
        .reduce((s, x) => s + x, 0) / batch.rows.length;
    expectLosses(compile(originSpec, ['loss.L3=bound(sigma: 0.3)']), values, batch, { L3 });
  });
});

// ---- the zero form: everything aggregated, each in channels of its own

const zeroSpec = `
model Zero {
  modality x: vector[2] { likelihood: gaussian(sigma: 0.5) }
  modality pose: vector[3] { likelihood: cosine(kappa: 7) }
  modality bits: binary[2]
  modality text: tokens[2, 3]
  modality label: category[4]
  space z: f32[8]
  encoder x = x |> into(z, channels: 0..2)
  encoder pose = pose |> linear(2) |> into(z, channels: 2..4)
  encoder bits = bits |> into(z, channels: 4..6)
  encoder text = text |> reshape([6]) |> linear(1) |> into(z, channels: 6..7)
  encoder label = label |> linear(1) |> into(z, channels: 7..8)
  process { steps: 20, alpha: cosine, origin: zero, weights { x: nested(scale: 0.7), pose: marginal(cosine), bits: step(0.3), text: nested, label: marginal(linear(from: 1, to: 0)) } }
  backbone h = (concat(z, given) |> linear(1)) * 0
  decoder x = param([2]) + h
  decoder pose = param([3]) + h
  decoder bits = param([2]) + h
  decoder text = param([2, 3]) + h
  decoder label = param([4]) + h
  task generate: x, pose, bits, text, label
}
`;

const zeroRows = [
  { t: 1, roles: ['produced', 'produced', 'produced', 'produced', 'produced'] },
  { t: 2, roles: ['given', 'produced', 'produced', 'absent', 'produced'] },
  { t: 11, roles: ['produced', 'given', 'absent', 'produced', 'given'] },
  { t: 20, roles: ['produced', 'produced', 'given', 'produced', 'produced'] },
  { t: 5, roles: ['absent', 'produced', 'produced', 'given', 'absent'] },
] as const;

describe('five modalities in one state, z_0 = 0', () => {
  const model = compile(zeroSpec);
  const values = randomParameters(model, 5);
  const batch = randomBatch(model, zeroRows, 6);
  const { tables } = model.info;
  const names = ['x', 'pose', 'bits', 'text', 'label'];
  const [from, to] = [
    { x: 0, pose: 2, bits: 4, text: 6, label: 7 } as Record<string, number>,
    { x: 2, pose: 4, bits: 6, text: 7, label: 8 } as Record<string, number>,
  ];
  const present = (i: number, name: string) => batch.rows[i]!.roles[name] !== 'absent';
  const weight = (name: string) => at(values, `encoder.${name}.linear_1.weight`);
  const bias = (name: string) => at(values, `encoder.${name}.linear_1.bias`);
  const decoder = (name: string) => at(values, `decoder.${name}.param_1.weight`);
  const words = (data: Vector) => data.flatMap((k) => oneHot(k, 3));

  /** Centred per channel and scaled to unit root mean square over the rows that take part. */
  function normaliser(name: string, raw: (data: Vector) => number[]) {
    const rows = batch.rows.flatMap((row, i) => (present(i, name) ? [raw(row.data[name]!)] : []));
    const centre = average(rows);
    const rms = Math.sqrt(mean(rows.flatMap((row) => sub(row, centre).map((x) => x * x))) + 1e-6);
    return (y: Vector) => scale(sub(y, centre), 1 / rms);
  }
  const pose = (data: Vector) => affine(weight('pose'), data, bias('pose'));
  const text = (p: Vector) => affine(weight('text'), p, bias('text'));
  const poseNorm = normaliser('pose', pose);
  const textNorm = normaliser('text', (data) => text(words(data)));
  const rawLabels = [0, 1, 2, 3].map((k) => affine(weight('label'), oneHot(k, 4), bias('label')));
  const centre = average(rawLabels);
  const rms = Math.sqrt(mean(rawLabels.flatMap((y) => sub(y, centre).map((x) => x * x))) + 1e-6);
  const labels = rawLabels.map((y) => scale(sub(y, centre), 1 / rms));

  const encode: Record<string, (data: Vector) => number[]> = {
    x: (data) => [...data],
    pose: (data) => poseNorm(pose(data)),
    bits: (data) => [...data],
    text: (data) => textNorm(text(words(data))),
    label: (data) => labels[data[0]!]!,
  };
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const textMeans = [softmax(decoder('text').slice(0, 3)), softmax(decoder('text').slice(3))];
  const estimates: Record<string, number[]> = {
    x: decoder('x'),
    pose: poseNorm(pose(unit(decoder('pose')))),
    bits: decoder('bits').map(sigmoid),
    text: textNorm(text(textMeans.flat())),
    label: softmax(decoder('label'))
      .map((p, k) => scale(labels[k]!, p))
      .reduce(add),
  };
  const spread = (name: string, y: Vector) =>
    Array.from({ length: 8 }, (_, c) => (c >= from[name]! && c < to[name]! ? y[c - from[name]!]! : 0));

  /** k_j = d mu_t / d Y_j from the posterior's definition, with a_t, A_t, v_t, w_t alone. */
  function k(name: string, t: number): number {
    const { v, w } = tables.components.find((c) => c.name === name)!;
    const [a, before, now] = [tables.a[t]!, tables.A[t - 1]!, tables.A[t]!];
    return (-Math.sqrt(a) * (1 - before) * Math.sqrt(a) * w[t]! + (1 - a) * v[t - 1]!) / (1 - now);
  }

  const logC: Record<string, number> = {
    // C_3(kappa) = kappa / (4 pi sinh kappa).
    pose: Math.log(7 / (4 * Math.PI * Math.sinh(7))),
  };
  const nll: Record<string, (data: Vector) => number> = {
    x: (data) => square(sub(data, decoder('x'))) / (2 * 0.25) + Math.log(2 * Math.PI) + 2 * Math.log(0.5),
    pose: (data) => -logC.pose! - 7 * dot(unit(data), unit(decoder('pose'))),
    bits: (data) =>
      data.reduce(
        (s, bit, i) =>
          s - Math.log(bit === 1 ? sigmoid(decoder('bits')[i]!) : 1 - sigmoid(decoder('bits')[i]!)),
        0,
      ),
    text: (data) => data.reduce((s, word, i) => s - Math.log(textMeans[i]![word]!), 0),
    label: (data) => -Math.log(softmax(decoder('label'))[data[0]!]!),
  };

  it('has L2 by each likelihood, of produced modalities alone', () => {
    const L2 = Object.fromEntries(
      names.map((name) => [
        `L2.${name}`,
        mean(batch.rows.map((row) => (row.roles[name] === 'produced' ? nll[name]!(row.data[name]!) : 0))),
      ]),
    );
    expectLosses(model, values, batch, L2);
    const sizes: Record<string, number> = { x: 2, pose: 3, bits: 2, text: 2, label: 1 };
    const halved = losses(compile(zeroSpec, ['loss.L2=mean(0.5)']), batch, values);
    const rest = halved.L0! + halved.L1!;
    const total = names.reduce((s, name) => s + (0.5 * L2[`L2.${name}`]!) / sizes[name]!, 0);
    expect(halved.loss! - rest).toBeCloseTo(total, 9);
  });

  it('has L0 of all components together, and L1 of their errors', () => {
    const T = 20;
    const rows = batch.rows.map((row, i) => {
      const sum = (of: (name: string) => number[]) =>
        names
          .map((name) => scale(spread(name, of(name)), Number(row.roles[name] === 'produced')))
          .reduce(add);
      const last = sum((name) =>
        scale(encode[name]!(row.data[name]!), tables.components.find((c) => c.name === name)!.c[T]!),
      );
      const L0 = 0.5 * (square(last) + 8 * (1 - tables.A[T]!) - 8 - 8 * Math.log(1 - tables.A[T]!));
      const difference = sum((name) =>
        scale(sub(encode[name]!(row.data[name]!), estimates[name]!), k(name, row.t)),
      );
      const variance = ((1 - tables.a[row.t]!) * (1 - tables.A[row.t - 1]!)) / (1 - tables.A[row.t]!);
      const L1 = row.t >= 2 ? (square(difference) / (2 * variance)) * batch.inverseProbability[i]! : 0;
      const simplified = names.reduce((s, name) => {
        const error = sub(encode[name]!(row.data[name]!), estimates[name]!);
        return s + Number(row.roles[name] === 'produced') * mean(error.map((x) => x * x));
      }, 0);
      return { L0, L1, simplified };
    });
    expectLosses(model, values, batch, {
      L0: mean(rows.map((r) => r.L0)),
      L1: mean(rows.map((r) => r.L1)),
      L3: 0,
    });
    expectLosses(compile(zeroSpec, ['loss.L1=simplified']), values, batch, {
      'L1.simplified': mean(rows.map((r) => r.simplified)),
    });
  });

  it('gives the encoders no gradient through L1, and none of a loss to what nothing is produced from', () => {
    // Encodings scaled by any factor are normalised back, so only L1 without stop could change them; see gradients.test.ts.
    const nothing = randomBatch(model, [{ t: 3, roles: ['given', 'given', 'absent', 'given', 'given'] }]);
    const found = losses(model, nothing, values);
    for (const name of names) expect(found[`L2.${name}`]).toBeCloseTo(0, 12);
    expect(found.L1).toBe(0);
    const constant = 0.5 * 8 * (-tables.A[20]! - Math.log(1 - tables.A[20]!));
    expect(found.L0).toBeCloseTo(constant, 9);
  });
});

describe('the von Mises-Fisher normaliser', () => {
  it('has the Bessel functions of tables', () => {
    // Abramowitz & Stegun, table 9.8; I_1/2 and I_3/2 in closed form.
    expect(Math.exp(logBesselI(0, 1))).toBeCloseTo(1.2660658777520084, 12);
    expect(Math.exp(logBesselI(1, 1))).toBeCloseTo(0.5651591039924851, 12);
    expect(Math.exp(logBesselI(0, 5))).toBeCloseTo(27.239871823604442, 9);
    for (const x of [0.1, 1, 7, 40, 300]) {
      const half = Math.log(Math.sqrt(2 / (Math.PI * x))) + x + Math.log1p(-Math.exp(-2 * x)) - Math.LN2;
      expect(logBesselI(0.5, x)).toBeCloseTo(half, 9);
      const ratio = Math.exp(logBesselI(1.5, x) - logBesselI(0.5, x));
      expect(ratio).toBeCloseTo(1 / Math.tanh(x) - 1 / x, 9);
    }
    for (const v of [0.5, 1, 2.5, 7, 31]) {
      for (const x of [0.3, 3, 30]) {
        // I_{v-1} - I_{v+1} = (2 v / x) I_v.
        const [below, here, above] = [v - 1, v, v + 1].map((u) =>
          Math.exp(logBesselI(u, x) - logBesselI(v, x)),
        );
        expect((below! - above!) / here!).toBeCloseTo((2 * v) / x, 8);
      }
    }
  });

  it('has the gamma function', () => {
    let factorial = 0;
    for (let n = 1; n < 30; n++) {
      expect(logGamma(n)).toBeCloseTo(factorial, 10);
      factorial += Math.log(n);
    }
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 12);
  });

  it('makes a density: it integrates to one over the sphere', () => {
    // Over the angle to the mean, with the area of the sphere one dimension down: S_{D-2} sin^{D-2}.
    for (const [D, kappa] of [
      [2, 3],
      [3, 7],
      [5, 10],
      [16, 10],
    ] as const) {
      const area = Math.exp(Math.log(2) + ((D - 1) / 2) * Math.log(Math.PI) - logGamma((D - 1) / 2));
      const n = 4000;
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const angle = (Math.PI * (i + 0.5)) / n;
        sum += Math.exp(logNormaliser(D, kappa) + kappa * Math.cos(angle)) * Math.sin(angle) ** (D - 2);
      }
      expect((sum * area * Math.PI) / n).toBeCloseTo(1, 6);
    }
  });
});

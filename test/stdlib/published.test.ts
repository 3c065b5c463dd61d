/**
 * The networks of the standard library have the shapes and the number of parameters of the published architectures
 * that they follow. The figures are those of the authors' code; where a comment adds them up, it does so from the
 * layers that the paper and the code name, and not from ours.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { library } from '../model/support.js';
import { elaborate } from './support.js';

const millions = (count: number): number => Math.round(count / 1e6);

describe('DiT (Peebles & Xie, 2023)', () => {
  /** The class-conditional model on 32 x 32 x 4 latents, with its variance: 8 channels. */
  const dit = (width: number, depth: number, heads: number, patch: number) => `
    import { ConditionedDiT } from "std/backbones"
    import { LabelEmbedding, TimeEmbedding } from "std/embeddings"
    import { PatchHead } from "std/heads"
    network Published(x: f32[32, 32, 4], t: f32[], label: f32[1001]) -> f32[32, 32, 8] {
      let e = (t |> TimeEmbedding(${width}, 256)) + (label |> LabelEmbedding(${width}))
      x |> ConditionedDiT(e, ${depth}, ${heads}, ${patch}) |> PatchHead(${patch}, 8)
    }`;

  it('S/2 has 33 M parameters', () => {
    const made = elaborate(dit(384, 12, 6, 2), [32, 32, 4], [], [1001]);
    // Patches 2*2*4 -> 384:                                        6,528
    // Time 256 -> 384 -> 384: 98,688 + 147,840 =                 246,528
    // Label, 1000 classes and none:                              384,384
    // Block: attention 443,520 + 147,840, perceptron 591,360 + 590,208, modulation 384 -> 2304: 887,040;
    //        2,659,968 twelve times:                          31,919,616
    // Last modulation 384 -> 768, linear 384 -> 2*2*8: 295,680 + 12,320 = 308,000
    expect(made.count).toBe(6_528 + 246_528 + 384_384 + 31_919_616 + 308_000);
    // The authors' count includes the fixed positions, 256 of them: 32,963,360, published as 33 M.
    expect(made.count + 256 * 384).toBe(32_963_360);
    expect(millions(made.count)).toBe(33);
    expect(made.shape).toEqual([32, 32, 8]);
  });

  it.each([
    ['B/4', 768, 12, 12, 4, 130],
    ['L/2', 1024, 24, 16, 2, 458],
    ['XL/2', 1152, 28, 16, 2, 675],
  ])(
    '%s of width %i, depth %i, %i heads, patch %i has %i M',
    (name, width, depth, heads, patch, published) => {
      const { count } = elaborate(dit(width, depth, heads, patch), [32, 32, 4], [], [1001]);
      expect(Math.abs(count / 1e6 - published)).toBeLessThan(1);
      if (name === 'XL/2') expect(count + 256 * 1152).toBe(675_129_632);
    },
  );

  it('starts as the identity: every modulation and the head are zero', () => {
    const { parameters } = elaborate(dit(64, 2, 4, 2), [32, 32, 4], [], [1001]);
    const zero = parameters.filter((p) => p.init.form === 'zeros' && p.name.endsWith('.weight'));
    expect(zero.map((p) => p.shape.join()).sort()).toEqual(['128,64', '32,64', '384,64', '384,64']);
  });
});

describe('ADM (Dhariwal & Nichol, 2021)', () => {
  it('has 296 M parameters for ImageNet at 64 x 64', () => {
    const made = elaborate(
      `
      import { ConditionedADM } from "std/adm"
      import { LabelEmbedding, TimeEmbedding } from "std/embeddings"
      import { ImageHead } from "std/heads"
      network Published(x: f32[64, 64, 3], t: f32[], label: f32[1000]) -> f32[64, 64, 6] {
        let e = (t |> TimeEmbedding(768, 192)) + (label |> LabelEmbedding(768))
        x
          |> ConditionedADM(e, widths: [192, 384, 576, 768], blocks: 3, attention: [32, 16, 8])
          |> ImageHead(6)
      }`,
      [64, 64, 3],
      [],
      [1000],
    );
    // Added up from the layers of the authors' U-Net: embedding of the time, of the label, the way down, the middle,
    // the way up, and the head. Published as 296 M.
    expect(made.count).toBe(738_816 + 768_000 + 90_298_560 + 25_969_152 + 178_119_168 + 10_758);
    expect(millions(made.count)).toBe(296);
    expect(made.shape).toEqual([64, 64, 6]);
    expect(made.nodes).toBeLessThan(20_000);
  });
});

describe('encoders and decoders', () => {
  // The first stage of latent diffusion, 8 times smaller along each side; 83,653,863 with its two 1 x 1 convolutions.
  it('ConvEncoder is that of Rombach et al. (2022)', () => {
    const made = elaborate(
      `import { ConvEncoder } from "std/encoders"
       network E(x: f32[256, 256, 3]) -> f32[32, 32, 8] { x |> ConvEncoder(8, widths: [128, 256, 512, 512]) }`,
      [256, 256, 3],
    );
    expect(made.count).toBe(34_163_592);
  });

  it('ConvDecoder is that of Rombach et al. (2022)', () => {
    const made = elaborate(
      `import { ConvDecoder } from "std/encoders"
       network D(z: f32[32, 32, 4]) -> f32[256, 256, 3] { z |> ConvDecoder(3, widths: [128, 256, 512, 512]) }`,
      [32, 32, 4],
    );
    expect(made.count).toBe(49_490_179);
  });

  it('PatchEncoder is ViT-B/16 (Dosovitskiy et al., 2021) without the class token', () => {
    const made = elaborate(
      `import { PatchEncoder } from "std/encoders"
       network V(x: f32[224, 224, 3]) -> f32[196, 768] {
         x |> PatchEncoder(patch: 16, width: 768, depth: 12, heads: 12)
       }`,
      [224, 224, 3],
    );
    // 85,798,656 without its classifier; the class token and its position are 768 each.
    expect(made.count).toBe(85_798_656 - 2 * 768);
  });

  it('PatchEmbedding has the 16 x 16 projection and the positions of ViT-B/16', () => {
    const { count } = elaborate(
      `import { PatchEmbedding } from "std/encoders"
       network P(x: f32[224, 224, 3]) -> f32[196, 768] { x |> PatchEmbedding(16, 768) }`,
      [224, 224, 3],
    );
    expect(count).toBe(590_592 + 196 * 768);
  });
});

describe('MLP', () => {
  it('is the denoiser of Li et al. (2024), of width 1024 and depth 3', () => {
    const { count, shape } = elaborate(
      `import { MLP } from "std/backbones"
       network M(x: f32[16], t: f32[]) -> f32[32] { x |> MLP(t, width: 1024, depth: 3) |> linear(32, init: zeros) }`,
      [16],
      [],
    );
    // Time 256 -> 1024 -> 1024: 1,312,768; input 16 -> 1024: 17,408; each of three blocks: normalisation 2,048, two
    // linear layers 2,099,200, modulation 1024 -> 3072: 3,148,800; last modulation 2,099,200; output 32,800.
    expect(count).toBe(1_312_768 + 17_408 + 3 * (2_048 + 2_099_200 + 3_148_800) + 2_099_200 + 32_800);
    expect(shape).toEqual([32]);
  });
});

describe('UNet', () => {
  it('halves the image once per level and takes as many parameters as its blocks add up to', () => {
    const { count, shape } = elaborate(
      `import { UNet } from "std/backbones"
       network U(x: f32[32, 32, 3], t: f32[]) -> f32[32, 32, 32] { x |> UNet(t, widths: [32, 64]) }`,
      [32, 32, 3],
      [],
    );
    const conv = (i: number, o: number, k = 3) => i * o * k * k + o;
    const linear = (i: number, o: number) => i * o + o;
    const block = (i: number, o: number) =>
      2 * i + conv(i, o) + linear(128, 2 * o) + 2 * o + conv(o, o) + (i === o ? 0 : conv(i, o, 1));
    const attention = 2 * 64 + linear(64, 192) + linear(64, 64);
    const time = 2 * linear(128, 128);
    const levels = block(32, 32) + block(32, 64) + attention + block(64, 64) + block(96, 32);
    expect(count).toBe(time + conv(3, 32) + levels + 2 * 32);
    expect(shape).toEqual([32, 32, 32]);
  });
});

describe('embeddings', () => {
  const one = (call: string, type: string, result: string, ...inputs: number[][]) =>
    elaborate(
      `import { ${/\w+/.exec(call)![0]} } from "std/embeddings"
       network N(x: f32[${type}]) -> f32[${result}] { x |> ${call} }`,
      ...inputs,
    );

  it('TimeEmbedding is that of ADM at 192 channels', () => {
    expect(one('TimeEmbedding(768, 192)', '', '768', []).count).toBe(738_816);
  });

  it('LabelEmbedding is that of DiT-S: 1000 classes and none', () => {
    expect(one('LabelEmbedding(384)', '1001', '384', [1001]).count).toBe(384_384);
  });

  it('TokenEmbedding is that of GPT-2 (Radford et al., 2019): 50,257 tokens, 1,024 positions, width 768', () => {
    expect(one('TokenEmbedding(768)', '1024, 50257', '1024, 768', [1024, 50257]).count).toBe(
      38_597_376 + 786_432,
    );
  });

  it('VectorEmbedding is that of the pooled conditions of SDXL (Podell et al., 2023): 2816 -> 1280', () => {
    expect(one('VectorEmbedding(1280)', '2816', '1280', [2816]).count).toBe(3_605_760 + 1_639_680);
  });

  it('Fourier and GridPositions have no parameters', () => {
    expect(one('Fourier(64)', '', '64', []).count).toBe(0);
    const { count, shape } = elaborate(
      `import { GridPositions } from "std/embeddings"
       network N(x: f32[256, 384]) -> f32[256, 384] { x + GridPositions(16, 16, 384) }`,
      [256, 384],
    );
    expect(count).toBe(0);
    expect(shape).toEqual([256, 384]);
  });
});

describe('heads', () => {
  it.each([
    ['ImageHead(6)', 'the head of ADM', '64, 64, 192', '64, 64, 6', 10_758],
    ['PatchHead(2, 8)', 'the last linear layer of DiT-S/2', '256, 384', '32, 32, 8', 12_320],
    ['MaskHead(2)', 'the last convolution of U-Net: 64 -> 2', '388, 388, 64', '388, 388, 2', 130],
    ['LabelHead(1000)', 'the head of ConvNeXt-T', '7, 7, 768', '1000', 1_536 + 769_000],
    ['VectorHead(512)', 'normalisation and projection of CLIP ViT-B', '50, 768', '512', 1_536 + 393_216],
    [
      'TokenHead(50257)',
      'the last normalisation and untied table of GPT-2',
      '8, 768',
      '8, 50257',
      1_536 + 38_597_376,
    ],
  ])('%s is %s', (call, _, type, result, count) => {
    const made = elaborate(
      `import { ${/\w+/.exec(call)![0]} } from "std/heads"
       network N(h: f32[${type}]) -> f32[${result}] { h |> ${call} }`,
      type.split(', ').map(Number),
    );
    expect(made.count).toBe(count);
  });
});

describe('the library', () => {
  it.each(Object.keys(library))('documents every network of std/%s', (name) => {
    const networks = [...library[name]!.matchAll(/^((?:\/\/\/.*\n)*)network (\w+)/gm)];
    expect(networks.length).toBeGreaterThan(0);
    for (const [, doc, network] of networks) expect(doc!.length, network).toBeGreaterThan(20);
  });

  it('is all there', () => {
    const folder = new URL('../../stdlib/', import.meta.url);
    expect(readdirSync(folder).sort()).toEqual(
      ['adm', 'backbones', 'embeddings', 'encoders', 'heads', 'prelude'].map((name) => `${name}.mmd`),
    );
  });
});

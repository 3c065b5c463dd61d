import { describe, expect, test } from 'vitest';
import { philox } from '../../runtime/random/philox.js';

describe('Philox4x32-10', () => {
  // The known-answer vectors of the Random123 distribution.
  const cases = [
    {
      name: 'zeros',
      counter: [0, 0, 0, 0],
      key: [0, 0],
      out: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    },
    {
      name: 'ones',
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      out: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      name: 'digits of pi',
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      out: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ];

  test.each(cases)('known answer: $name', ({ counter, key, out }) => {
    const got = new Uint32Array(6);
    philox(got, 1, counter[0]!, counter[1]!, counter[2]!, counter[3]!, key[0]!, key[1]!);
    expect([...got]).toEqual([0, ...out, 0]);
  });
});

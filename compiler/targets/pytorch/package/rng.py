"""Random numbers as pure functions of a seed and a path: ``Stream(seed, "noise", step)``.

Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11) is a keyed
bijection of 128-bit counters. It has no state, so every worker computes exactly its own part of a batch, and a run
that was interrupted goes on with the numbers that it would have had. The numbers are those of ``mmdc``, bit for bit:
only integer operations and the arithmetic that IEEE 754 defines exactly (+, -, *, /, square root) are used.
"""

import math

import torch
from torch import Tensor

ROUNDS = 10
MASK = 0xFFFFFFFF

# Multipliers and key increments (Weyl constants) of the paper, section 4.3.
M0, M1 = 0xD2511F53, 0xCD9E8D57
W0, W1 = 0x9E3779B9, 0xBB67AE85

# Digits of pi: the state in which every stream begins.
START = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
NUMBER, STRING = 1, 2

State = tuple[int, int, int, int]


def philox(counter: State, key: tuple[int, int]) -> State:
    """The four words of one counter."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        p0, p1 = M0 * c0, M1 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK, (p0 >> 32) ^ c3 ^ k1, p0 & MASK
        k0, k1 = (k0 + W0) & MASK, (k1 + W1) & MASK
    return c0, c1, c2, c3


def absorb(state: State, part: int | str) -> State:
    """Mixes one part of a path into a state: the part is the key of a Philox call on it."""
    if isinstance(part, int):
        return _mix(state, part & MASK, (part >> 32) & MASK, NUMBER)
    data = part.encode("utf-16-le", "surrogatepass")
    units = [int.from_bytes(data[i : i + 2], "little") for i in range(0, len(data), 2)]
    for i in range(0, len(units), 4):
        a, b, c, d = (*units[i : i + 4], 0, 0, 0)[:4]
        state = _mix(state, a | (b << 16), c | (d << 16), STRING)
    return _mix(state, len(units), 0, STRING)


def _mix(state: State, low: int, high: int, kind: int) -> State:
    return philox((state[0], state[1], state[2], state[3] ^ kind), (low, high))


class Stream:
    """One stream of numbers. ``uniform`` and ``normal`` start at a fresh block of four words; ``word``, ``next`` and
    ``below`` go on within one."""

    def __init__(self, seed: int, *path: int | str) -> None:
        state = absorb(START, seed)
        for part in path:
            state = absorb(state, part)
        self.key = (state[0], state[1])
        self.high = (state[2], state[3])
        self.position = 0
        self._words: list[int] = []
        self._used = 0

    def word(self) -> int:
        """The next 32 random bits."""
        if self._used == len(self._words):
            # Blocks are made a few at a time, more where more were used; `position` counts those that were begun.
            count = min(self.position, 64)
            self._words = self.blocks(self.position, count).tolist() if count > 2 else self._few(max(count, 1))
            self._used = 0
        if self._used % 4 == 0:
            self.position += 1
        self._used += 1
        return self._words[self._used - 1]

    def _few(self, count: int) -> list[int]:
        blocks = range(self.position, self.position + count)
        return [w for at in blocks for w in philox((at & MASK, at >> 32, *self.high), self.key)]

    def next(self) -> float:
        """A uniform number in [0, 1) with 53 random bits."""
        high = self.word() >> 5
        low = self.word() >> 6
        return (high * 0x4000000 + low) / 0x20000000000000

    def below(self, bound: int) -> int:
        """A uniform integer in 0 .. bound - 1, by rejection."""
        limit = 0x100000000 - 0x100000000 % bound
        x = self.word()
        while x >= limit:
            x = self.word()
        return x % bound

    def permutation(self, n: int) -> list[int]:
        """A uniform permutation of 0 .. n - 1 (Fisher and Yates)."""
        self._fresh()
        order = [0] * n
        for i in range(n):
            j = self.below(i + 1)
            order[i] = order[j]
            order[j] = i
        return order

    def uniform(self, n: int) -> Tensor:
        """``n`` numbers in [0, 1) of 24 random bits, f32."""
        words = self._take(n, torch.device("cpu"))
        return ((words[:n] >> 8).double() / 0x1000000).float()

    def normal(self, n: int, device: torch.device | None = None) -> Tensor:
        """``n`` standard normal numbers, f32 [n], and the stream moves on past them."""
        return box_muller(self._take(n, device or torch.device("cpu")))[:n]

    def normal_at(self, first: int, n: int, device: torch.device | None = None) -> Tensor:
        """Numbers ``first .. first + n`` of what ``normal`` gives on a new stream; the stream does not move."""
        start = first // 4
        count = (first + n + 3) // 4 - start
        words = self.blocks(start, count, device or torch.device("cpu"))
        return box_muller(words)[first - 4 * start : first - 4 * start + n]

    def blocks(self, first: int, count: int, device: torch.device | None = None) -> Tensor:
        """Words of the blocks ``first .. first + count``, i64 [4 count]."""
        at = torch.arange(first, first + count, dtype=torch.int64, device=device)
        c0, c1 = at & MASK, at >> 32
        c2, c3 = torch.full_like(at, self.high[0]), torch.full_like(at, self.high[1])
        k0, k1 = self.key
        for _ in range(ROUNDS):
            # 64-bit products wrap, and their bits are those of the unsigned ones.
            p0, p1 = c0 * M0, c2 * M1
            c0, c2 = ((p1 >> 32) & MASK) ^ c1 ^ k0, ((p0 >> 32) & MASK) ^ c3 ^ k1
            c1, c3 = p1 & MASK, p0 & MASK
            k0, k1 = (k0 + W0) & MASK, (k1 + W1) & MASK
        return torch.stack([c0, c1, c2, c3], dim=1).reshape(-1)

    def _take(self, n: int, device: torch.device) -> Tensor:
        self._fresh()
        count = (n + 3) // 4
        words = self.blocks(self.position, count, device)
        self.position += count
        return words

    def _fresh(self) -> None:
        self._words, self._used = [], 0


QUARTER = math.pi / 4
ANGLE = math.pi / 2 / 0x40000000
LN2 = 0.6931471805599453
SQRT2 = 1.4142135623730951


def box_muller(words: Tensor) -> Tensor:
    """Box and Muller's transform of pairs of words (a radius and an angle each), in f64, rounded to f32."""
    a, b = words[0::2], words[1::2]
    radius = torch.sqrt(_minus_log(a))
    x = ((b & 0x3FFFFFFF).double() + 0.5) * ANGLE - QUARTER
    x2 = x * x
    series = 1 - x2 / 20 * (1 - x2 / 42 * (1 - x2 / 72 * (1 - x2 / 110 * (1 - x2 / 156))))
    sin = x * (1 - x2 / 6 * series)
    series = 1 - x2 / 12 * (1 - x2 / 30 * (1 - x2 / 56 * (1 - x2 / 90 * (1 - x2 / 132))))
    cos = 1 - x2 / 2 * series
    first = (1 - 2 * (b >> 31)).double() * radius * (cos - sin)
    second = (1 - 2 * ((b >> 30) & 1)).double() * radius * (cos + sin)
    return torch.stack([first, second], dim=1).reshape(-1).float()


def _minus_log(word: Tensor) -> Tensor:
    """-ln((word + 1) / 2^32): the argument is 2^-e f, and ln f = 2 artanh((f - 1) / (f + 1))."""
    mantissa, exponent = torch.frexp((word + 1).double())
    f = 2 * mantissa
    e = (33 - exponent).double()
    large = f > SQRT2
    f = torch.where(large, f * 0.5, f)
    e = torch.where(large, e - 1, e)
    s = (f - 1) / (f + 1)
    s2 = s * s
    series = 2 / 7 + s2 * (2 / 9 + s2 * (2 / 11 + s2 * (2 / 13)))
    series = s * (2 + s2 * (2 / 3 + s2 * (2 / 5 + s2 * series)))
    result = e * LN2 - series
    return torch.where(word == MASK, torch.zeros_like(result), result)


class Shuffle:
    """One epoch's order of n rows: a Feistel network over the smallest power of two that holds n, walked until it
    lands below n (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002)."""

    ROUNDS = 12

    def __init__(self, n: int, seed: int, epoch: int) -> None:
        self.n = n
        bits = (n - 1).bit_length()
        self.low = bits >> 1
        self.high = bits - self.low
        state: State = (0, 0, 0, 0)
        for part in ("shuffle", seed, epoch):
            state = absorb(state, part)
        self.keys: list[int] = []
        for i in range(0, self.ROUNDS, 4):
            self.keys += philox((i, 0, state[2], state[3]), (state[0], state[1]))

    def at(self, index: Tensor) -> Tensor:
        """Rows at the positions ``index``, i64 [k]."""
        x = self._step(index)
        while bool((outside := x >= self.n).any()):
            x = torch.where(outside, self._step(x), x)
        return x

    def _step(self, index: Tensor) -> Tensor:
        low_mask, high_mask = (1 << self.low) - 1, (1 << self.high) - 1
        low, high = index & low_mask, index >> self.low
        for r in range(0, self.ROUNDS, 2):
            low = (low ^ _scramble(high, self.keys[r])) & low_mask
            high = (high ^ _scramble(low, self.keys[r + 1])) & high_mask
        return (high << self.low) | low


def _scramble(value: Tensor, key: int) -> Tensor:
    x = ((value ^ key) * 0x9E3779B1) & MASK
    x = ((x ^ (x >> 15) ^ key) * 0x85EBCA77) & MASK
    x = ((x ^ (x >> 13)) * 0xC2B2AE3D) & MASK
    return x ^ (x >> 16)


def batch_rows(rows: int, seed: int, step: int, batch: int) -> Tensor:
    """Rows of the batch of step 0, 1, ...: the epochs' orders are read one after the other, i64 [batch]."""
    position = torch.arange(step * batch, (step + 1) * batch, dtype=torch.int64)
    epochs = position // rows
    out = torch.empty_like(position)
    for epoch in range(int(epochs[0]), int(epochs[-1]) + 1):
        chosen = epochs == epoch
        out[chosen] = Shuffle(rows, seed, epoch).at(position[chosen] % rows)
    return out

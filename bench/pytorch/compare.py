"""Emitted against hand-written PyTorch of the digits model's networks: forward and backward of a batch, interleaved.

    mmdc compile examples/digits.mmd --target pytorch -o .cache/bench
    PYTHONPATH=.cache/bench python bench/pytorch/compare.py [--compile] [--device cuda] [--bf16]

Prints the ratio of times (emitted over hand-written, round by round) and the lines of code of both.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

import digits
from digits.layers import initialise


# ---- hand-written, as one writes it: channels first


class ResBlock(nn.Module):
    def __init__(self, cin, cout, emb):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(4 if cin % 8 else 8, cin), nn.Conv2d(cin, cout, 3, padding=1)
        self.emb = nn.Linear(emb, 2 * cout)
        self.norm2, self.conv2 = nn.GroupNorm(8, cout), nn.Conv2d(cout, cout, 3, padding=1)
        self.skip = nn.Identity() if cin == cout else nn.Conv2d(cin, cout, 1)

    def forward(self, x, t):
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.emb(F.silu(t))[:, :, None, None].chunk(2, 1)
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        return h + self.skip(x)


class Attention(nn.Module):
    def __init__(self, c, heads):
        super().__init__()
        self.norm, self.qkv, self.out, self.heads = nn.GroupNorm(8, c), nn.Linear(c, 3 * c), nn.Linear(c, c), heads

    def forward(self, x):
        b, c, h, w = x.shape
        y = self.norm(x).flatten(2).transpose(1, 2)
        q, k, v = self.qkv(y).reshape(b, h * w, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, h * w, c)
        return x + self.out(y).transpose(1, 2).reshape(b, c, h, w)


class HandWritten(nn.Module):
    def __init__(self, channels=28, a=48, b=96, emb=192):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(emb, emb), nn.SiLU(), nn.Linear(emb, emb))
        self.stem = nn.Conv2d(channels, a, 3, padding=1)
        self.down, self.mid1 = ResBlock(a, a, emb), ResBlock(a, b, emb)
        self.attention, self.mid2 = Attention(b, 4), ResBlock(b, b, emb)
        self.up, self.norm = ResBlock(a + b, a, emb), nn.GroupNorm(8, a)
        self.image = nn.Conv2d(a, 4, 3, padding=1)
        self.label_conv = nn.Conv2d(a, 16, 3, stride=2, padding=1)
        self.label = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.SiLU(), nn.Linear(128, 10))
        self.register_buffer("freqs", torch.exp(torch.arange(emb // 2) * (-2 * torch.log(torch.tensor(1e4)) / emb)))

    def forward(self, z, t, given):
        x = F.pixel_unshuffle(torch.cat([z, given], 1), 2)
        angles = t[:, None] * 1000 * self.freqs
        e = self.time(torch.cat([angles.sin(), angles.cos()], -1))
        h = self.down(self.stem(x), e)
        y = self.mid2(self.attention(self.mid1(F.avg_pool2d(h, 2), e)), e)
        y = self.up(torch.cat([h, F.interpolate(y, scale_factor=2.0)], 1), e)
        y = F.silu(self.norm(y))
        return F.pixel_shuffle(self.image(y), 2), self.label(F.silu(self.label_conv(y)))


# ---- emitted


class Emitted(nn.Module):
    def __init__(self):
        super().__init__()
        model = digits.Model()
        initialise(model, 0, digits.SPEC.renamed)
        self.backbone, self.decoder = model.backbone, model.decoder

    def forward(self, z, t, given):
        h = self.backbone(z, t, given)
        return self.decoder.origin(h, t), self.decoder.label(h, t)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(0)
    device = torch.device(options.device)
    torch.set_num_threads(options.threads)
    # As one writes it first, and as one writes it who has read about memory formats.
    models = {
        "hand-written": HandWritten().to(device),
        "hand-written, channels last": HandWritten().to(device),
        "emitted": Emitted().to(device),
    }
    models["hand-written, channels last"].to(memory_format=torch.channels_last)
    counts = {name: sum(p.numel() for p in model.parameters()) for name, model in models.items()}
    assert len(set(counts.values())) == 1, counts
    z, given = (
        torch.randn(options.batch, 28, 28, 1, device=device),
        torch.randn(options.batch, 28, 28, 6, device=device),
    )
    t = torch.rand(options.batch, device=device)
    inputs = {
        "emitted": (z, t, given),
        "hand-written": (z.permute(0, 3, 1, 2).contiguous(), t, given.permute(0, 3, 1, 2).contiguous()),
        "hand-written, channels last": (z.permute(0, 3, 1, 2), t, given.permute(0, 3, 1, 2)),
    }
    models["emitted"].to(memory_format=torch.channels_last)
    if options.compile:
        models = {name: torch.compile(model) for name, model in models.items()}

    def step(name):
        with torch.autocast(device.type, torch.bfloat16, enabled=options.bf16):
            image, label = models[name](*inputs[name])
        (image.float().square().mean() + label.float().logsumexp(-1).mean()).backward()
        if device.type == "cuda":
            torch.cuda.synchronize()

    # On a processor its own time, to which other work on the machine adds least.
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    times = {name: [] for name in models}
    for i in range(options.rounds + 3):
        # In turn, and in another order every time: other work on the machine falls on all alike.
        for name in sorted(models, key=lambda name: (list(models).index(name) + i) % len(models)):
            began = clock()
            step(name)
            if i >= 3:
                times[name].append(clock() - began)
    median = {name: statistics.median(values) for name, values in times.items()}
    fastest = {name: min(values) for name, values in times.items()}
    ratios = {}
    for name in models:
        if name != "emitted":
            each = sorted(e / h for e, h in zip(times["emitted"], times[name], strict=True))
            quarter = len(each) // 4
            middle = [round(statistics.median(each), 3), round(each[quarter], 3), round(each[-1 - quarter], 3)]
            ratios[name] = {"median, quartiles": middle, "of the fastest": round(fastest["emitted"] / fastest[name], 3)}
    package = Path(digits.__file__).parent
    own = Path(__file__).read_text()
    lines = {
        "spec": sum(
            1 for line in (package.parent / "spec/examples/digits.mmd").read_text().splitlines() if line.strip()
        ),
        "emitted (networks, model, spec)": sum(
            len((package / f"{name}.py").read_text().splitlines()) for name in ("networks", "model", "spec")
        ),
        "hand-written (networks alone)": own[own.index("class ResBlock") : own.index("# ---- emitted")].count("\n"),
    }
    result = {"seconds": median, "fastest": fastest, "emitted / ...": ratios}
    print(json.dumps({**result, "parameters": counts["emitted"], "lines": lines}, indent=2))


if __name__ == "__main__":
    main()

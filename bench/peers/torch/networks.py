"""The networks of the benchmarks as one would write them in PyTorch, on the parameters that the specs name."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Parameters:
    """Values by name; makes layers of them and remembers which parameters have weight decay."""

    def __init__(self, arrays, decay):
        self.arrays, self.decay = arrays, decay
        self.made = {}

    def _give(self, parameter, name):
        with torch.no_grad():
            parameter.copy_(self.arrays[name])
        self.made[name] = parameter

    def _fill(self, layer, name):
        self._give(layer.weight, f"{name}.weight")
        self._give(layer.bias, f"{name}.bias")
        return layer

    def linear(self, name):
        out, inputs = self.arrays[f"{name}.weight"].shape
        return self._fill(nn.Linear(inputs, out), name)

    def conv(self, name):
        out, inputs, kernel, _ = self.arrays[f"{name}.weight"].shape
        return self._fill(nn.Conv2d(inputs, out, kernel, padding=kernel // 2), name)

    def group_norm(self, name):
        (channels,) = self.arrays[f"{name}.weight"].shape
        return self._fill(nn.GroupNorm(math.gcd(8, channels), channels, eps=1e-5), name)

    def layer_norm(self, name):
        (channels,) = self.arrays[f"{name}.weight"].shape
        return self._fill(nn.LayerNorm(channels, eps=1e-6), name)

    def param(self, name):
        made = nn.Parameter(torch.empty(self.arrays[f"{name}.weight"].shape))
        self._give(made, f"{name}.weight")
        return made

    def groups(self, decay):
        """Parameter groups for AdamW: those with weight decay and those without."""
        return [
            {"params": [p for n, p in self.made.items() if n in self.decay], "weight_decay": decay},
            {"params": [p for n, p in self.made.items() if n not in self.decay], "weight_decay": 0.0},
        ]


class TimeEmbedding(nn.Module):
    def __init__(self, p, name):
        super().__init__()
        self.first, self.second = p.linear(f"{name}.linear_1"), p.linear(f"{name}.linear_2")
        width = self.first.in_features
        self.register_buffer("frequencies", torch.exp(torch.arange(width // 2) * (-2 * math.log(10000.0) / width)))

    def forward(self, t):
        angles = t[:, None] * 1000 * self.frequencies
        return self.second(F.silu(self.first(torch.cat([angles.sin(), angles.cos()], -1))))


class Attention(nn.Module):
    def __init__(self, p, name, heads=4):
        super().__init__()
        self.inner, self.outer, self.heads = p.linear(f"{name}.linear_1"), p.linear(f"{name}.linear_2"), heads

    def forward(self, x):
        batch, n, width = x.shape
        q, k, v = self.inner(x).view(batch, n, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.outer(y.transpose(1, 2).reshape(batch, n, width))


def patchify(x, side):
    """[B, C, H, W] -> [B, N, side^2 C], channels innermost."""
    batch, c, h, w = x.shape
    x = x.view(batch, c, h // side, side, w // side, side).permute(0, 2, 4, 3, 5, 1)
    return x.reshape(batch, (h // side) * (w // side), side * side * c)


def unpatchify(x, side):
    batch, n, d = x.shape
    rows, c = math.isqrt(n), d // side**2
    x = x.view(batch, rows, n // rows, side, side, c).permute(0, 5, 1, 3, 2, 4)
    return x.reshape(batch, c, rows * side, n // rows * side)


class Block(nn.Module):
    def __init__(self, p, name):
        super().__init__()
        self.norm1, self.norm2 = p.layer_norm(f"{name}.layer_norm_1"), p.layer_norm(f"{name}.layer_norm_2")
        self.attention = Attention(p, f"{name}.attention_1")
        self.up, self.down = p.linear(f"{name}.linear_1"), p.linear(f"{name}.linear_2")

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Transformer(nn.Module):
    def __init__(self, p, depth=4):
        super().__init__()
        root = "backbone.Patches_1"
        self.time = TimeEmbedding(p, f"{root}.TimeEmbedding_1")
        self.embed, self.position = p.linear(f"{root}.linear_1"), p.param(f"{root}.param_1")
        self.blocks = nn.ModuleList(Block(p, f"{root}.repeat_1.{i}.Block_1") for i in range(depth))
        self.norm, self.head = p.layer_norm(f"{root}.layer_norm_1"), p.linear("decoder.z.linear_1")

    def forward(self, x, t):
        h = self.embed(patchify(x, 4)) + self.position + self.time(t)[:, None]
        for block in self.blocks:
            h = block(h)
        return unpatchify(self.head(self.norm(h)), 4)


def normalised(x):
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


class DiTBlock(nn.Module):
    def __init__(self, p, name):
        super().__init__()
        self.modulation = p.linear(f"{name}.linear_1")
        self.attention = Attention(p, f"{name}.attention_1")
        self.up, self.down = p.linear(f"{name}.linear_2"), p.linear(f"{name}.linear_3")

    def forward(self, x, e):
        a, b, c, d, f, g = self.modulation(e)[:, None].chunk(6, -1)
        x = x + self.attention(normalised(x) * (a + 1) + b) * c
        return x + self.down(F.gelu(self.up(normalised(x) * (d + 1) + f))) * g


def grid_positions(rows, columns, width):
    """Fixed sines and cosines, [rows * columns, width]: half of the channels tell the row, half the column."""
    frequencies = torch.exp(torch.arange(width // 4) * (-4 * math.log(10000.0) / width))
    r = torch.arange(rows)[:, None, None] * frequencies
    c = torch.arange(columns)[None, :, None] * frequencies
    parts = [torch.cat([a.sin(), a.cos()], -1).expand(rows, columns, width // 2) for a in (r, c)]
    return torch.cat(parts, -1).reshape(rows * columns, width)


class DiT(nn.Module):
    def __init__(self, p, depth=4):
        super().__init__()
        root = "backbone.DiT_1"
        self.time = TimeEmbedding(p, f"{root}.TimeEmbedding_1")
        root = f"{root}.ConditionedDiT_1"
        self.embed = p.linear(f"{root}.linear_1")
        self.register_buffer("position", grid_positions(8, 8, self.embed.out_features))
        self.blocks = nn.ModuleList(DiTBlock(p, f"{root}.repeat_1.{i}.DiTBlock_1") for i in range(depth))
        self.last, self.head = p.linear(f"{root}.linear_2"), p.linear("decoder.z.linear_1")

    def forward(self, x, t):
        e = F.silu(self.time(t))
        h = self.embed(patchify(x, 4)) + self.position
        for block in self.blocks:
            h = block(h, e)
        scale, shift = self.last(e)[:, None].chunk(2, -1)
        return unpatchify(self.head(normalised(h) * (scale + 1) + shift), 4)


class ResBlock(nn.Module):
    def __init__(self, p, name):
        super().__init__()
        self.norm1, self.conv1 = p.group_norm(f"{name}.group_norm_1"), p.conv(f"{name}.conv_1")
        self.norm2, self.conv2 = p.group_norm(f"{name}.group_norm_2"), p.conv(f"{name}.conv_2")
        self.modulation = p.linear(f"{name}.linear_1")
        shortcut = f"{name}.match_channels_1.conv_1"
        self.shortcut = p.conv(shortcut) if f"{shortcut}.weight" in p.arrays else nn.Identity()

    def forward(self, x, e):
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.modulation(e)[:, :, None, None].chunk(2, 1)
        return self.conv2(F.silu(self.norm2(h) * (scale + 1) + shift)) + self.shortcut(x)


class ImageAttention(nn.Module):
    def __init__(self, p, name):
        super().__init__()
        self.norm, self.attention = p.group_norm(f"{name}.group_norm_1"), Attention(p, f"{name}.attention_1")

    def forward(self, x):
        y = self.attention(self.norm(x).flatten(2).transpose(1, 2))
        return x + y.transpose(1, 2).reshape(x.shape)


class Levels(nn.Module):
    def __init__(self, p, name, depth):
        super().__init__()
        self.first = ResBlock(p, f"{name}.ResBlock_1")
        if depth > 1:
            self.inner = Levels(p, f"{name}.Levels_1", depth - 1)
            self.second = ResBlock(p, f"{name}.ResBlock_2")
        else:
            self.inner = None
            self.attention = ImageAttention(p, f"{name}.AttentionBlock_1")
            self.second = ResBlock(p, f"{name}.repeat_2.0.ResBlock_1")

    def forward(self, x, e):
        h = self.first(x, e)
        if self.inner is None:
            return self.second(self.attention(h), e)
        inner = F.interpolate(self.inner(F.avg_pool2d(h, 2), e), scale_factor=2, mode="nearest")
        return self.second(torch.cat([h, inner], 1), e)


class UNet(nn.Module):
    """The backbone without a head."""

    def __init__(self, p, depth):
        super().__init__()
        root = "backbone.UNet_1"
        self.time, self.conv = TimeEmbedding(p, f"{root}.TimeEmbedding_1"), p.conv(f"{root}.conv_1")
        self.levels, self.norm = Levels(p, f"{root}.Levels_1", depth), p.group_norm(f"{root}.group_norm_1")

    def forward(self, x, t):
        return F.silu(self.norm(self.levels(self.conv(x), F.silu(self.time(t)))))


class Convolutional(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.backbone, self.head = UNet(p, 3), p.conv("decoder.z.conv_1")

    def forward(self, x, t):
        return self.head(self.backbone(x, t))


def fold(x):
    """[B, C, H, W] -> [B, 4 C, H/2, W/2], channels innermost."""
    batch, c, h, w = x.shape
    x = x.view(batch, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4)
    return x.reshape(batch, 4 * c, h // 2, w // 2)


def unfold(x):
    batch, c, h, w = x.shape
    x = x.view(batch, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2)
    return x.reshape(batch, c // 4, 2 * h, 2 * w)


class Digits(nn.Module):
    """examples/digits.mmd as far as drawing pictures goes: their head, and the table of the labels' encodings."""

    def __init__(self, p):
        super().__init__()
        self.backbone, self.head = UNet(p, 2), p.conv("decoder.z.conv_1")
        self.code, self.project = p.linear("encoder.label.linear_1"), p.linear("encoder.label.project_1.linear_1")

    def table(self):
        """Encodings of the ten labels, centred and scaled, [10, 1, 28, 28]."""
        raw = self.project(self.code(torch.eye(10)))
        centred = raw - raw.mean(0, keepdim=True)
        return (centred / (centred.square().mean() + 1e-6).sqrt()).view(10, 1, 28, 28)

    def forward(self, x, t):
        return unfold(self.head(self.backbone(fold(x), t)))


MODELS = {"Transformer": Transformer, "DiffusionTransformer": DiT, "Convolutional": Convolutional, "Digits": Digits}

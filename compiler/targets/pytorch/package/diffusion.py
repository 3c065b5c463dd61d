"""The multimodal process around a model's networks: encodings, the state z_t, what the backbone sees, predictions.

    z_t = sum_j c_j(t) Y_j + sigma_t eps,  Y_j = E_j(x_j)
    u_t = z_t - sum_{i given} c_i(t) Y_i, over the root mean square that it has by the process, goes into the backbone

Roles are f32 0/1 tensors [B, modalities] in the order of the spec; the rest is absent.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.func import functional_call

from .layers import Normalise
from .process import process_tables
from .schema import Bernoulli, Categorical, Cosine, Encoder, Modality, Spec


class Rows(NamedTuple):
    """What every row of a batch contains, and at which t it is looked at."""

    given: Tensor
    produced: Tensor
    #: i64 [B], 1 .. T.
    t: Tensor


class Batch(NamedTuple):
    """Inputs of a training step."""

    #: f32 [B, ...], or i64 classes where a modality is discrete.
    data: dict[str, Tensor]
    given: Tensor
    produced: Tensor
    t: Tensor
    #: 1 / P(t), f32 [B].
    inverse_probability: Tensor
    #: Standard normal, f32 [B, ...space].
    noise: Tensor


class Statistics(NamedTuple):
    """Mean per channel [C] and root mean square [1] of a learned encoding."""

    mean: Tensor
    scale: Tensor


class Encoding(NamedTuple):
    """Y = E(x) [B, ...space], and what the encoding of a prediction needs."""

    modality: Modality
    encoder: Encoder
    value: Tensor
    #: Codes of the classes, [K, size of the space], where the modality is a category.
    table: Tensor | None
    statistics: Statistics | None


class Prediction(NamedTuple):
    """What backbone and decoders say about z_t, before any clipping."""

    #: Decoder outputs: logits where a modality is discrete.
    outputs: dict[str, Tensor]
    #: Means of the likelihoods: probabilities, unit vectors, values.
    means: dict[str, Tensor]
    #: z_0 where a modality is the origin, [B, ...space].
    origin: Tensor | None


class DiffusionModel(nn.Module):
    """The process of a spec around its encoders, backbone and decoders."""

    marginal: Tensor
    sigma: Tensor

    def __init__(self, spec: Spec, encoder: nn.Module, backbone: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.spec = spec
        self.tables = process_tables(spec.process)
        self.encoder = encoder
        self.backbone = backbone
        self.decoder = decoder
        for path in spec.frozen:
            self.get_submodule(path).requires_grad_(False)
        self.names = [m.name for m in spec.modalities]
        self.component_names = [c.name for c in self.tables.components]
        #: Networks compute in bf16 while everything else stays f32.
        self.autocast = False
        coefficients = torch.tensor([c.c for c in self.tables.components], dtype=torch.float64)
        sigma = torch.tensor(self.tables.sigma, dtype=torch.float64)
        self.register_buffer("marginal", coefficients.float(), persistent=False)
        self.register_buffer("sigma", sigma.float(), persistent=False)

    # ---- networks

    def raw_encoding(self, modality: Modality, x: Tensor, frozen: bool = False) -> Tensor:
        """The encoder's expression; ``frozen``: its parameters receive no gradient."""
        module: nn.Module = getattr(self.encoder, modality.attribute)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.autocast):
            if frozen:
                fixed = {name: p.detach() for name, p in module.named_parameters()}
                y: Tensor = functional_call(module, fixed, (x,)) if fixed else module(x)
            else:
                y = module(x)
        return y.float()

    def features(self, z: Tensor, t: Tensor, given: Tensor) -> Tensor:
        """The backbone's result."""
        with torch.autocast(z.device.type, torch.bfloat16, enabled=self.autocast):
            h: Tensor = self.backbone(z, t, given)
        return h

    def decode(self, attribute: str, h: Tensor, t: Tensor) -> Tensor:
        """Parameters of a likelihood, or the prediction of the origin."""
        module: nn.Module = getattr(self.decoder, attribute)
        with torch.autocast(h.device.type, torch.bfloat16, enabled=self.autocast):
            y: Tensor = module(h, t)
        return y.float()

    # ---- data and encodings

    def represent(self, data: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Data as networks see them: one-hot where discrete; an index outside the classes is a row of zeros."""
        seen = {}
        for modality in self.spec.modalities:
            x = data[modality.name]
            if modality.discrete:
                classes = torch.arange(modality.classes, device=x.device)
                seen[modality.name] = (x.unsqueeze(-1) == classes).float()
            else:
                seen[modality.name] = x
        return seen

    def encodings(self, x: Mapping[str, Tensor], rows: Rows, training: bool) -> dict[str, Encoding]:
        """Y by modality; learned encoders are centred and scaled by the batch's statistics in training."""
        result = {}
        for modality in self.spec.modalities:
            encoder = modality.encoder
            if encoder is None:
                continue
            value = x[modality.name]
            if encoder.table:
                table = self._table(modality, encoder, value.device)
                y = (value @ table).reshape(-1, *self.spec.space)
                result[modality.name] = Encoding(modality, encoder, y, table, None)
                continue
            y = self.raw_encoding(modality, value)
            statistics = None
            if encoder.learned:
                if training:
                    present = self.role(rows.given, modality.name) + self.role(rows.produced, modality.name)
                    statistics = batch_statistics(cut(y, encoder.channels), present)
                else:
                    kept: Normalise = getattr(self.encoder, modality.attribute).normalise
                    statistics = Statistics(kept.mean, kept.scale)
                y = self._normalise(y, encoder, statistics)
            result[modality.name] = Encoding(modality, encoder, y, None, statistics)
        return result

    def _table(self, modality: Modality, encoder: Encoder, device: torch.device) -> Tensor:
        """A category's codes, centred and scaled exactly where they are learned, [K, size of the space]."""
        classes = torch.eye(modality.classes, device=device)
        table = self.raw_encoding(modality, classes)
        if encoder.learned:
            part = cut(table, encoder.channels)
            centred = part - part.mean(0, keepdim=True)
            scale = torch.sqrt((centred * centred).mean() + 1e-6)
            table = self._place(centred / scale, encoder.channels)
        return table.flatten(1)

    def _normalise(self, y: Tensor, encoder: Encoder, by: Statistics) -> Tensor:
        return self._place((cut(y, encoder.channels) - by.mean) / by.scale, encoder.channels)

    def _place(self, y: Tensor, channels: tuple[int, int]) -> Tensor:
        return nn.functional.pad(y, (channels[0], self.spec.space[-1] - channels[1]))

    def encode(self, encoding: Encoding, mean: Tensor, frozen: bool) -> Tensor:
        """Yh of a prediction, the mean of the modality's likelihood; ``frozen``: no gradient into E."""
        if encoding.table is not None:
            table = encoding.table.detach() if frozen else encoding.table
            return (mean @ table).reshape(-1, *self.spec.space)
        y = self.raw_encoding(encoding.modality, mean, frozen)
        by = encoding.statistics
        if by is None:
            return y
        if frozen:
            by = Statistics(by.mean.detach(), by.scale.detach())
        return self._normalise(y, encoding.encoder, by)

    # ---- the state

    def role(self, flags: Tensor, modality: str) -> Tensor:
        """One column of the roles, [B]."""
        return flags[:, self.names.index(modality)]

    def coefficient(self, modality: str, t: Tensor) -> Tensor:
        """c_j(t), [B]."""
        return self.marginal[self.component_names.index(modality)][t]

    def state(self, encodings: Mapping[str, Encoding], rows: Rows, noise: Tensor) -> Tensor:
        """z_t = sum_j c_j(t) Y_j + sigma_t eps over what is given or produced, [B, ...space]."""
        z = per_row(self.sigma[rows.t], noise) * noise
        for name, encoding in encodings.items():
            present = self.role(rows.given, name) + self.role(rows.produced, name)
            z = z + per_row(self.coefficient(name, rows.t) * present, z) * encoding.value
        return z

    def unresolved(self, z: Tensor, encodings: Mapping[str, Encoding], rows: Rows) -> Tensor:
        """u_t over its root mean square, per channel: what the backbone sees of the state."""
        square = (self.sigma[rows.t] ** 2).unsqueeze(1).expand(-1, z.shape[-1])
        u = z
        for name, encoding in encodings.items():
            c = self.coefficient(name, rows.t)
            u = u - per_row(c * self.role(rows.given, name), z) * encoding.value
            start, stop = encoding.encoder.channels
            produced = (c * self.role(rows.produced, name)) ** 2
            share = produced.unsqueeze(1).expand(-1, stop - start)
            square = square + nn.functional.pad(share, (start, z.shape[-1] - stop))
        shape = (z.shape[0], *(1,) * (z.dim() - 2), z.shape[-1])
        return u / torch.sqrt(square).reshape(shape)

    def given(self, encodings: Mapping[str, Encoding], rows: Rows) -> Tensor:
        """For every modality its encoding where it is given, and two planes of flags: given, produced."""
        shape = (rows.t.shape[0], *self.spec.space[:-1], 1)
        parts = []
        for modality in self.spec.modalities:
            flag = self.role(rows.given, modality.name)
            encoding = encodings.get(modality.name)
            if encoding is not None:
                part = cut(encoding.value, encoding.encoder.channels)
                parts.append(per_row(flag, part) * part)
            for column in (flag, self.role(rows.produced, modality.name)):
                parts.append(column.reshape(-1, *(1,) * (len(shape) - 1)).expand(shape))
        return torch.cat(parts, -1)

    # ---- predictions

    def predict(self, z: Tensor, encodings: Mapping[str, Encoding], rows: Rows) -> Prediction:
        """Runs backbone and decoders on z_t."""
        t = rows.t.float() * (1 / self.tables.steps)
        h = self.features(self.unresolved(z, encodings, rows), t, self.given(encodings, rows))
        origin = None
        process = self.spec.process
        if process.origin in self.names:
            origin = self._origin(z, self.decode("origin", h, t), rows)
        outputs, means = {}, {}
        for modality in self.spec.modalities:
            if modality.decoded:
                output = self.decode(modality.attribute, h, t)
                outputs[modality.name] = output
                means[modality.name] = mean_of(modality, output)
            elif (
                origin is not None
                and modality.name == process.origin
                and modality.encoder is not None
                and modality.encoder.identity
            ):
                means[modality.name] = origin
        return Prediction(outputs, means, origin)

    def _origin(self, z: Tensor, output: Tensor, rows: Rows) -> Tensor:
        """z_0 from what the decoder of the space gives. v = c eps - sigma z_0 (Salimans & Ho, 2022)."""
        predict = self.spec.process.predict
        if predict == "x0":
            return output
        c = per_row(self.marginal[0][rows.t], z)
        sigma = per_row(self.sigma[rows.t], z)
        return c * z - sigma * output if predict == "v" else (z - sigma * output) / c

    def components(
        self,
        encodings: Mapping[str, Encoding],
        means: Mapping[str, Tensor],
        origin: Tensor | None,
        rows: Rows,
        frozen: bool,
    ) -> dict[str, Tensor]:
        """Yh by component: exact where given, the prediction where produced, zero where absent."""
        result = {}
        for name, encoding in encodings.items():
            exact = per_row(self.role(rows.given, name), encoding.value) * encoding.value
            estimate = None
            if name == self.spec.process.origin and origin is not None and not encoding.encoder.identity:
                estimate = origin
            elif name in means:
                estimate = self.encode(encoding, means[name], frozen)
            if estimate is not None:
                exact = exact + per_row(self.role(rows.produced, name), estimate) * estimate
            result[name] = exact
        return result


def cut(y: Tensor, channels: tuple[int, int]) -> Tensor:
    """The channels that an encoder fills."""
    start, stop = channels
    return y if stop - start == y.shape[-1] else y[..., start:stop]


def per_row(value: Tensor, like: Tensor) -> Tensor:
    """[B] as [B, 1, ..., 1] against a tensor with rows."""
    return value.reshape(-1, *(1,) * (like.dim() - 1))


class _SumOverWorkers(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: object, *grads: Tensor) -> Tensor:
        total = grads[0].clone()
        dist.all_reduce(total)
        return total


def sum_over_workers(x: Tensor) -> Tensor:
    """The sum over all workers, with its gradient."""
    if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        return x
    result: Tensor = _SumOverWorkers.apply(x)  # type: ignore[no-untyped-call]
    return result


def batch_statistics(y: Tensor, present: Tensor) -> Statistics:
    """Statistics over the rows that take part, of the whole batch over all workers."""
    weight = per_row(present, y)
    positions = y[0, ..., 0].numel()
    count = sum_over_workers(present.sum()).clamp(min=1) * positions
    outer = tuple(range(y.dim() - 1))
    mean = sum_over_workers((y * weight).sum(outer)) / count
    centred = (y - mean) * weight
    square = sum_over_workers((centred * centred).sum()) / (count * y.shape[-1])
    return Statistics(mean, torch.sqrt(square.reshape(1) + 1e-6))


def mean_of(modality: Modality, output: Tensor) -> Tensor:
    """Mean of a likelihood with the given parameters."""
    likelihood = modality.likelihood
    if isinstance(likelihood, Categorical):
        return output.softmax(-1)
    if isinstance(likelihood, Bernoulli):
        return output.sigmoid()
    return unit_vector(output) if isinstance(likelihood, Cosine) else output


def limited(modality: Modality, mean: Tensor) -> Tensor:
    """A mean, possibly extrapolated by guidance, put back where means of this modality can lie."""
    if isinstance(modality.likelihood, Categorical):
        positive = mean.clamp(min=0)
        return positive / positive.sum(-1, keepdim=True).clamp(min=1e-6)
    if isinstance(modality.likelihood, Cosine):
        return unit_vector(mean)
    return mean if modality.range is None else mean.clamp(*modality.range)


def unit_vector(x: Tensor) -> Tensor:
    """x / |x| over the last axis."""
    return x / torch.sqrt((x * x).sum(-1, keepdim=True) + 1e-12)

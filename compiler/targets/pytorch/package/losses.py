"""The negative variational bound L0 + L1 + L2 + L3, in nats per row (MT-Diffusion, arXiv 2407.17571).

    L0  KL(q(z_T | X), N(0, I))
    L1  sum over t >= 2 of KL(posterior, model): |sum_j k_j(t) (Y_j - Yh_j)|^2 / (2 var_t)
    L2  -log p(x_i | z_t), every produced modality by its likelihood
    L3  -log N(z_0; zh_0, sigma_1^2) at t = 1, where z_0 is a modality itself

``L1.simplified`` is sum_j w_j(t) mean |Y_j - Yh_j|^2, w a function of the component's SNR. Terms that depend on t are
divided by its probability. Given modalities contribute nothing.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from .diffusion import (
    Batch,
    DiffusionModel,
    Encoding,
    Rows,
    Statistics,
    cut,
    per_row,
    unit_vector,
)
from .schema import Bernoulli, Categorical, Gaussian, Modality, Spec


class Losses(NamedTuple):
    """``loss`` is what is minimised; ``terms`` every term under its name, averaged over the batch."""

    loss: Tensor
    terms: dict[str, Tensor]
    #: Of learned encoders, for the moving average.
    statistics: dict[str, Statistics]


class TrainedModel(DiffusionModel):
    """A model whose call is the training objective."""

    bound_scale: Tensor
    posterior: Tensor
    snr_weight: Tensor

    def __init__(self, spec: Spec, encoder: nn.Module, backbone: nn.Module, decoder: nn.Module) -> None:
        super().__init__(spec, encoder, backbone, decoder)
        tables = self.tables
        steps = range(tables.steps + 1)
        scale = [1 / (2 * tables.variance[t]) if t >= 2 else 0.0 for t in steps]
        k = [c.k for c in tables.components]
        l1 = spec.loss.l1
        snr = [[l1.snr_weight(tables.snr(c, t)) if t > 0 else 1.0 for t in steps] for c in tables.components]
        for name, table in (("bound_scale", scale), ("posterior", k), ("snr_weight", snr)):
            values = torch.tensor(table, dtype=torch.float64).float()
            self.register_buffer(name, values, persistent=False)

    def forward(self, batch: Batch) -> Losses:
        """Forward process, networks and losses of one batch."""
        rows = Rows(batch.given, batch.produced, batch.t)
        x = self.represent(batch.data)
        encodings = self.encodings(x, rows, training=True)
        prediction = self.predict(self.state(encodings, rows, batch.noise), encodings, rows)
        predicted = self.components(encodings, prediction.means, prediction.origin, rows, frozen=True)
        #: produced_j (Y_j - Yh_j); no gradient reaches the encoders through it.
        errors = {
            name: (e.value.detach() - predicted[name]) * per_row(self.role(rows.produced, name), e.value)
            for name, e in encodings.items()
        }
        settings = self.spec.loss
        inverse = batch.inverse_probability
        terms = {"L0": self.terminal(encodings, rows).mean()}
        loss = settings.l0 * terms["L0"]
        terms["L1"] = (self.transitions(errors, rows) * inverse).mean()
        if settings.l1.form == "simplified":
            terms["L1.simplified"] = self.simplified(errors, encodings, rows).mean()
            loss = loss + settings.l1.weight * terms["L1.simplified"]
        else:
            loss = loss + settings.l1.weight * terms["L1"]
        for name, l2 in settings.l2.items():
            modality = self.spec.modality(name)
            nats = negative_log_likelihood(modality, x[name], prediction.outputs[name])
            term = (nats * self.role(rows.produced, name)).mean()
            terms[f"L2.{name}"] = term
            loss = loss + (l2.weight / math.prod(modality.data_shape) if l2.mean else l2.weight) * term
        l3 = self.origin_term(errors, rows, inverse)
        terms["L3"] = torch.zeros_like(loss) if l3 is None else l3
        if l3 is not None:
            loss = loss + settings.l3 * l3
        statistics = {name: e.statistics for name, e in encodings.items() if e.statistics is not None}
        return Losses(loss, {name: term.detach() for name, term in terms.items()}, statistics)

    def terminal(self, encodings: Mapping[str, Encoding], rows: Rows) -> Tensor:
        """L0, [B]: what is given is known to the prior too and contributes nothing."""
        last = self.tables.steps
        size = math.prod(self.spec.space)
        constant = 0.5 * size * (-self.tables.A[last] - math.log(self.tables.B[last]))
        mean = torch.zeros(1, device=rows.given.device)
        for name, encoding in encodings.items():
            c = self.tables.component(name).c[last]
            produced = per_row(self.role(rows.produced, name) * c, encoding.value)
            mean = mean + produced * encoding.value
        return 0.5 * sum_rows(mean * mean) + constant

    def transitions(self, errors: Mapping[str, Tensor], rows: Rows) -> Tensor:
        """L1 at each row's t, [B]; zero at t = 1, which is L3's."""
        difference = torch.zeros(1, device=rows.given.device)
        for j, name in enumerate(self.component_names):
            if name in errors:
                difference = difference + per_row(self.posterior[j][rows.t], errors[name]) * errors[name]
        return sum_rows(difference * difference) * self.bound_scale[rows.t]

    def simplified(self, errors: Mapping[str, Tensor], encodings: Mapping[str, Encoding], rows: Rows) -> Tensor:
        """sum_j w_j(t) mean |Y_j - Yh_j|^2 over the channels that j fills, [B]."""
        total = torch.zeros_like(rows.given[:, 0])
        for j, name in enumerate(self.component_names):
            if name in errors:
                part = cut(errors[name], encodings[name].encoder.channels)
                mean = sum_rows(part * part) / part[0].numel()
                total = total + mean * self.snr_weight[j][rows.t]
        return total

    def origin_term(self, errors: Mapping[str, Tensor], rows: Rows, inverse: Tensor) -> Tensor | None:
        """L3, where the origin is a modality itself."""
        origin = self.spec.process.origin
        if origin not in self.names:
            return None
        modality = self.spec.modality(origin)
        if modality.encoder is None or not modality.encoder.identity:
            return None
        variance = self.spec.loss.l3_sigma**2
        error = errors[origin]
        size = error[0].numel()
        produced = self.role(rows.produced, origin)
        nats = sum_rows(error * error) / (2 * variance)
        nats = nats + produced * (size / 2) * math.log(2 * math.pi * variance)
        return (nats * (rows.t == 1) * inverse).mean()


def sum_rows(x: Tensor) -> Tensor:
    """Sum of every row, [B]."""
    return x.flatten(1).sum(1)


def negative_log_likelihood(modality: Modality, x: Tensor, output: Tensor) -> Tensor:
    """-log p(x | output) in nats, [B]."""
    likelihood = modality.likelihood
    size = math.prod(modality.shape)
    if isinstance(likelihood, Categorical):
        return -sum_rows(x * output.log_softmax(-1))
    if isinstance(likelihood, Gaussian):
        constant = size * (0.5 * math.log(2 * math.pi) + math.log(likelihood.sigma))
        return sum_rows((x - output) ** 2) / (2 * likelihood.sigma**2) + constant
    if isinstance(likelihood, Bernoulli):
        return sum_rows(functional.softplus(output) - x * output)
    cosine = sum_rows(unit_vector(x) * unit_vector(output))
    return -likelihood.log_normaliser - likelihood.kappa * cosine

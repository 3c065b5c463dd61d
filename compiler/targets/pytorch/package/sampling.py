"""Sampling: a chain of model calls from t = T to 0, or the averaged prediction at t = T.

Row r draws its noise from a stream of its own, so results do not depend on how rows are put into batches.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from .diffusion import DiffusionModel, Encoding, Prediction, Rows, limited, per_row
from .process import Update, timesteps, updates
from .rng import Stream
from .roles import RoleSampler, roles_of
from .schema import Cosine, Task


@torch.no_grad()
def sample(
    model: DiffusionModel,
    task: Task,
    rows: int,
    seed: int = 0,
    given: Mapping[str, Tensor] | None = None,
    batch: int = 64,
) -> dict[str, Tensor]:
    """Means of what the task produces, [rows, ...]: probabilities where a modality is discrete.

    ``given``: data of the given modalities, ``rows`` rows each. Raises ValueError for roles that were never trained.
    """
    spec = model.spec
    if not RoleSampler(spec).is_trained(roles_of(spec, task.given, task.produced)):
        raise ValueError(f"{', '.join(task.given)} -> {', '.join(task.produced)} was never trained")
    data = given or {}
    parts = []
    for first in range(0, rows, batch):
        n = min(batch, rows - first)
        piece = {name: value[first : first + n] for name, value in data.items()}
        parts.append(_Run(model, task, n, first, seed, piece).result())
    return {name: torch.cat([part[name] for part in parts]) for name in task.produced}


def to_data(model: DiffusionModel, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Means as data: classes from probabilities, unit vectors where the likelihood is cosine."""
    result = {}
    for name, mean in means.items():
        modality = model.spec.modality(name)
        if modality.discrete:
            result[name] = mean.argmax(-1)
        elif isinstance(modality.likelihood, Cosine):
            result[name] = mean / mean.norm(dim=-1, keepdim=True)
        else:
            result[name] = mean
    return result


class _Run:
    """One batch of rows on its way."""

    def __init__(
        self, model: DiffusionModel, task: Task, n: int, first: int, seed: int, data: Mapping[str, Tensor]
    ) -> None:
        spec = model.spec
        self.model = model
        self.task = task
        self.n = n
        self.device = model.sigma.device
        self.streams = [Stream(seed, "sample", first + i) for i in range(n)]
        self.size = torch.Size(spec.space).numel()
        flags = [[float(m.name in names) for m in spec.modalities] for names in (task.given, task.produced)]
        given, produced = (torch.tensor(f, device=self.device).expand(n, -1) for f in flags)
        self.rows = Rows(given, produced, torch.full((n,), model.tables.steps, device=self.device))
        filled = {}
        for m in spec.modalities:
            value = data.get(m.name)
            if value is not None:
                filled[m.name] = value.to(self.device)
            elif m.discrete:
                filled[m.name] = torch.full((n, *m.data_shape), -1, device=self.device)
            else:
                filled[m.name] = torch.zeros(n, *m.shape, device=self.device)
        x = model.represent(filled)
        self.encodings = model.encodings(x, self.rows, training=False)

    def result(self) -> dict[str, Tensor]:
        means = self.terminal() if self.task.calls > 0 else self.chain()
        return {name: means[name] for name in self.task.produced}

    def chain(self) -> dict[str, Tensor]:
        """The reverse chain; what the last call predicts is the result."""
        tables = self.model.tables
        times = timesteps(tables.steps, self.task.steps)
        z = self.start()
        previous: dict[str, Tensor] | None = None
        means: dict[str, Tensor] = {}
        for update in updates(tables, self.task.sampler, self.task.eta, times):
            noise = None if update.noise == 0 else self.noise()
            z, previous, means = self.step(update, z, noise, previous)
        return means

    def terminal(self) -> dict[str, Tensor]:
        """Mean prediction over several draws of z_T."""
        total: dict[str, Tensor] = {}
        rows = self.rows
        for _ in range(self.task.calls):
            prediction = self.guided(self.start(), rows)
            for name, mean in self.limit(prediction).items():
                share = mean / self.task.calls
                total[name] = total[name] + share if name in total else share
        return total

    def start(self) -> Tensor:
        """z_T: noise, and the encodings of what is given."""
        model, rows = self.model, self.rows
        z = self.noise() * model.tables.sigma[model.tables.steps]
        for name, encoding in self.encodings.items():
            c = model.coefficient(name, rows.t) * model.role(rows.given, name)
            z = z + per_row(c, z) * encoding.value
        return z

    def step(
        self, update: Update, z: Tensor, noise: Tensor | None, previous: dict[str, Tensor] | None
    ) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
        """z_s, the components Yh at t, and the limited means."""
        rows = self.rows._replace(t=torch.full_like(self.rows.t, update.t))
        prediction = self.guided(z, rows)
        means = self.limit(prediction)
        components = self.model.components(self.encodings, means, prediction.origin, rows, frozen=False)
        result = update.z * z
        if noise is not None:
            result = result + update.noise * noise
        for j, name in enumerate(self.model.component_names):
            result = result + update.y[j] * components[name]
            if previous is not None and update.previous[j] != 0:
                result = result + update.previous[j] * previous[name]
        return result, components, means

    def limit(self, prediction: Prediction) -> dict[str, Tensor]:
        spec = self.model.spec
        return {name: limited(spec.modality(name), mean) for name, mean in prediction.means.items()}

    def guided(self, z: Tensor, rows: Rows) -> Prediction:
        """Classifier-free guidance for shared states (Ho & Salimans, 2021): Y = Y(u_t, absent) + g [Y(z_t, given) -
        Y(u_t, absent)]. z_t contains the condition, so the second pass starts from z_t without it. A class or vector
        that is produced beside something larger guides that too, at what the first pass predicts for it."""
        model = self.model
        first = model.predict(z, self.encodings, rows)
        guidance = self.task.guidance
        produced = [model.spec.modality(name) for name in self.task.produced]
        large = any(not m.compact for m in produced)
        guides = [m.name for m in produced if m.compact] if large else []
        if guidance == 1 or not (self.task.given or guides):
            return first
        u = z
        produced_flags = rows.produced.clone()
        for name, encoding in self.encodings.items():
            c = per_row(model.coefficient(name, rows.t), z)
            if name in self.task.given:
                u = u - c * encoding.value
            if name in guides and name in first.means:
                u = u - c * self.encoded(encoding, first.means[name])
        for name in guides:
            produced_flags[:, model.names.index(name)] = 0
        without = Rows(torch.zeros_like(rows.given), produced_flags, rows.t)
        second = model.predict(u, self.encodings, without)

        def combine(x: Tensor, y: Tensor) -> Tensor:
            return y + guidance * (x - y)

        means = {
            name: mean if large and model.spec.modality(name).compact else combine(mean, second.means[name])
            for name, mean in first.means.items()
        }
        origin = None
        if first.origin is not None and second.origin is not None:
            origin = combine(first.origin, second.origin)
        return Prediction({}, means, origin)

    def encoded(self, encoding: Encoding, mean: Tensor) -> Tensor:
        return self.model.encode(encoding, limited(encoding.modality, mean), frozen=False)

    def noise(self) -> Tensor:
        """Standard normal, each row from its own stream, f32 [n, ...space]."""
        rows = [stream.normal(self.size, self.device) for stream in self.streams]
        return torch.stack(rows).reshape(self.n, *self.model.spec.space)

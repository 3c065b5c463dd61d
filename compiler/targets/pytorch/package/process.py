"""Coefficient tables of the forward and reverse process: every scalar is a function of t, computed once in f64.

    transition  q(z_t | z_{t-1}, X) = N(sqrt(a_t) (z_{t-1} + s_t), (1 - a_t) I),  s_t = sum_j w_t^(j) Y_j
    marginal    z_t = sum_j c_j(t) Y_j + sigma_t eps,  c_j(t) = o_j sqrt(A_t) + v_t^(j)
    with        v_t = sqrt(a_t) (v_{t-1} + w_t), v_0 = 0, A_t = a_1 ... a_t, sigma_t^2 = 1 - A_t

Y_j = E_j(x_j), and o_j is 1 for the modality that is z_0 (MT-Diffusion, arXiv 2407.17571).
"""

import math
from dataclasses import dataclass

from .schema import ConstantSchedule, CosineSchedule, Curve, LinearSchedule, Process, Weights

Table = list[float]


@dataclass(frozen=True)
class Component:
    """``o``: share of the origin. ``w``, ``v``: weights per step and accumulated. ``c``: marginal coefficient.
    ``k``: mu_t - mu_theta = sum_j k_j(t) (Y_j - Yh_j)."""

    name: str
    o: float
    w: Table
    v: Table
    c: Table
    k: Table


@dataclass(frozen=True)
class Tables:
    """Tables over t = 0 .. T. ``B`` is 1 - A_t without cancellation; ``variance`` the posterior's."""

    steps: int
    a: Table
    A: Table
    B: Table
    sigma: Table
    variance: Table
    components: list[Component]

    def component(self, name: str) -> Component:
        return next(c for c in self.components if c.name == name)

    def snr(self, component: Component, t: int) -> float:
        """c_j(t)^2 / sigma_t^2, for an encoding of unit variance."""
        return math.inf if self.B[t] == 0 else component.c[t] ** 2 / self.B[t]


def retention(schedule: CosineSchedule | LinearSchedule | ConstantSchedule, steps: int) -> Table:
    """a_t (or alpha_t, before the normaliser) for t = 1 .. steps; index 0 is 1 and unused."""
    if isinstance(schedule, ConstantSchedule):
        return [1.0] + [schedule.value] * steps
    if isinstance(schedule, LinearSchedule):
        scale = 1000 / steps
        a = [1.0]
        for t in range(1, steps + 1):
            u = 0.0 if steps == 1 else (t - 1) / (steps - 1)
            a.append(1 - scale * (schedule.first + u * (schedule.last - schedule.first)))
        return a
    offset = schedule.offset

    def f(t: int) -> float:
        return math.cos((t / steps + offset) / (1 + offset) * math.pi / 2) ** 2

    return [1.0] + [max(f(t) / f(t - 1), 1 - schedule.maximum) for t in range(1, steps + 1)]


def curve_at(curve: Curve, t: int, steps: int) -> float:
    """A weight curve at t = 1 .. steps."""
    if curve.form == "constant":
        return curve.a
    if curve.form == "cosine":
        return 0.0 if t == steps else curve.a * math.cos(math.pi * t / (2 * steps))
    return curve.a + (0.0 if steps == 1 else (curve.b - curve.a) * (t - 1) / (steps - 1))


def weight_tables(weights: Weights | None, a: Table, A: Table) -> tuple[Table, Table]:
    """w_t and v_t, t = 0 .. T."""
    steps = len(a) - 1
    w, v = [0.0] * (steps + 1), [0.0] * (steps + 1)
    if weights is None:
        return w, v
    if weights.form == "nested":
        # The whole encoding enters in the first step and decays like z_0.
        w[1] = weights.scale
        return w, [0.0] + [weights.scale * math.sqrt(x) for x in A[1:]]
    curve = weights.curve or Curve("constant", 1.0)
    for t in range(1, steps + 1):
        root = math.sqrt(a[t])
        if weights.form == "marginal":
            v[t] = curve_at(curve, t, steps)
            w[t] = v[t] / root - v[t - 1]
        else:
            w[t] = curve_at(curve, t, steps)
            v[t] = root * (v[t - 1] + w[t])
    return w, v


def process_tables(process: Process) -> Tables:
    """All tables of a process."""
    steps = process.steps
    schedule = retention(process.schedule, steps)
    a, A, B, sigma, variance = [1.0], [1.0], [0.0], [0.0], [0.0]
    for t in range(1, steps + 1):
        a.append(schedule[t] / process.normaliser)
        A.append(A[t - 1] * a[t])
        B.append(B[t - 1] * a[t] + (1 - a[t]))
        sigma.append(math.sqrt(B[t]))
        variance.append((1 - a[t]) * B[t - 1] / B[t])
    aggregated = sum(weights is not None for weights in process.components.values())
    components = []
    for name, weights in process.components.items():
        o = 0.0
        if process.origin == name:
            o = 1.0
        elif process.origin == "mean" and weights is not None:
            o = 1 / aggregated
        w, v = weight_tables(weights, a, A)
        c = [o * math.sqrt(A[t]) + v[t] for t in range(steps + 1)]
        k = [0.0]
        for t in range(1, steps + 1):
            from_origin = o * (1 - a[t]) * math.sqrt(A[t - 1]) / B[t]
            from_weights = ((1 - a[t]) * v[t - 1] - a[t] * B[t - 1] * w[t]) / B[t]
            k.append(from_origin + from_weights)
        components.append(Component(name, o, w, v, c, k))
    return Tables(steps, a, A, B, sigma, variance, components)


# ---- samplers


@dataclass(frozen=True)
class Update:
    """One reverse step: z_s = z z_t + sum_j y_j Yh_j + sum_j previous_j Yh_j(last call) + noise n, n ~ N(0, I)."""

    t: int
    s: int
    z: float
    y: Table
    previous: Table
    noise: float


def timesteps(steps: int, count: int) -> list[int]:
    """Times of ``count`` model calls, descending from T; the last step leads to 0."""
    n = min(count, steps)
    # floor(x + 1/2): Python's own rounding is to even.
    times = [math.floor(steps - i * (steps - 1) / max(n - 1, 1) + 0.5) for i in range(n)]
    return list(dict.fromkeys(times))


def updates(tables: Tables, sampler: str, eta: float, times: list[int]) -> list[Update]:
    """The updates of a chain over ``times``; the last ends at t = 0."""
    ends = [*times[1:], 0]
    if sampler == "dpmpp":
        return [
            multistep(tables, t, s, times[i - 1] if i > 0 else None)
            for i, (t, s) in enumerate(zip(times, ends, strict=True))
        ]
    eta = 1.0 if sampler == "ddpm" else eta
    return [single_step(tables, eta, t, s) for t, s in zip(times, ends, strict=True)]


def single_step(tables: Tables, eta: float, t: int, s: int) -> Update:
    """DDIM (Song, Meng & Ermon, 2021, eq. 12, 16); eta = 1 is DDPM's posterior."""
    A, B = tables.A, tables.B
    r = A[t] / A[s]
    q2 = eta**2 * (B[s] / B[t]) * (B[t] - r * B[s])
    z = math.sqrt(max(B[s] - q2, 0.0)) / tables.sigma[t]
    y = [c.c[s] - z * c.c[t] for c in tables.components]
    return Update(t, s, z, y, [0.0] * len(y), math.sqrt(q2))


def multistep(tables: Tables, t: int, s: int, before: int | None) -> Update:
    """DPM-Solver++(2M) (Lu et al., 2022, algorithm 2), per component; first order where lambda is not finite or not
    monotone."""
    z = tables.sigma[s] / tables.sigma[t]
    y, previous = [], []
    for component in tables.components:
        first = component.c[s] - component.c[t] * z
        here = _log_ratio(component.c[t], tables.sigma[t])
        h = _log_ratio(component.c[s], tables.sigma[s]) - here
        h_before = math.nan if before is None else here - _log_ratio(component.c[before], tables.sigma[before])
        usable = math.isfinite(h) and math.isfinite(h_before) and h > 0 and h_before > 0
        ratio = h / (2 * h_before) if usable else 0.0
        y.append(first * (1 + ratio))
        previous.append(-first * ratio)
    return Update(t, s, z, y, previous, 0.0)


def _log_ratio(c: float, sigma: float) -> float:
    if sigma == 0 or c <= 0:
        return math.inf if c > 0 else math.nan
    return math.log(c / sigma)

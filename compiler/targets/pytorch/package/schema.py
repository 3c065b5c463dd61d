"""What a spec says, as plain records; ``spec.py`` fills them in."""

import math
from dataclasses import dataclass, field
from typing import Literal

# ---- schedules and weights of the process


@dataclass(frozen=True)
class CosineSchedule:
    """A_t = f(t) / f(0), f(t) = cos^2((t/T + offset) / (1 + offset) pi/2); 1 - a_t is at most ``maximum``."""

    offset: float
    maximum: float


@dataclass(frozen=True)
class LinearSchedule:
    """1 - a_t from ``first`` to ``last``, both scaled by 1000 / T."""

    first: float
    last: float


@dataclass(frozen=True)
class ConstantSchedule:
    """a_t = ``value``."""

    value: float


@dataclass(frozen=True)
class Curve:
    """A weight over t: ``constant`` (a), ``cosine`` (a cos(pi t / 2T)), or ``linear`` (from a to b)."""

    form: Literal["constant", "cosine", "linear"]
    a: float
    b: float = 0.0


@dataclass(frozen=True)
class Weights:
    """How an encoding enters z_t: ``nested`` (v_t = scale sqrt(A_t)), ``marginal`` (v_t) or ``step`` (w_t)."""

    form: Literal["nested", "marginal", "step"]
    scale: float = 1.0
    curve: Curve | None = None


@dataclass(frozen=True)
class Process:
    """The forward process. ``origin`` is ``zero``, ``mean``, or the name of the modality that is z_0."""

    steps: int
    schedule: CosineSchedule | LinearSchedule | ConstantSchedule
    normaliser: float
    origin: str
    components: dict[str, Weights | None]
    predict: Literal["x0", "v", "eps"] = "x0"


# ---- modalities


@dataclass(frozen=True)
class Transform:
    """One step of a derived modality, on the row of ``input``: a step before it or a modality, None where it begins.

    ``kind`` and ``shape`` are those of what comes in. ``height`` and ``width`` are those of one hole, unless every
    row has a share of its own between ``area`` and ``most``; ``hole`` is the modality that says where they are,
    ``stream`` names the random numbers.
    """

    name: Literal["holes", "erase", "cutout", "noise", "grayscale", "blur", "shrink", "enlarge", "threshold"]
    input: "Transform | str | None"
    kind: str
    shape: tuple[int, ...]
    stream: str | None = None
    hole: str | None = None
    count: int = 0
    height: int = 0
    width: int = 0
    area: float = 0.0
    most: float = 0.0
    factor: int = 1
    fill: float = 0.0
    sigma: float = 0.0
    level: float = 0.0

    @property
    def sources(self) -> tuple[str, ...]:
        """Modalities whose rows it needs."""
        before = self.input.sources if isinstance(self.input, Transform) else (self.input,) if self.input else ()
        return before if self.hole is None else (*before, self.hole)


@dataclass(frozen=True)
class Gaussian:
    sigma: float


@dataclass(frozen=True)
class Bernoulli:
    pass


@dataclass(frozen=True)
class Categorical:
    pass


@dataclass(frozen=True)
class Cosine:
    """von Mises-Fisher on the unit sphere; ``log_normaliser`` is log C_D(kappa)."""

    kappa: float
    log_normaliser: float


@dataclass(frozen=True)
class Encoder:
    """``table``: a category, encoded through the table of its classes. ``learned``: centred and scaled to unit root
    mean square. ``identity``: E(x) is x. ``channels``: those of the space that it fills."""

    table: bool
    learned: bool
    identity: bool
    channels: tuple[int, int]


@dataclass(frozen=True)
class Modality:
    """``shape`` is how networks see a row (one-hot or probabilities where it is discrete), ``data_shape`` how data
    have it. ``attribute`` is its name in Python. ``derived``: how its rows are made from those of others."""

    name: str
    attribute: str
    type: Literal["image", "mask", "category", "vector", "binary", "tokens"]
    shape: tuple[int, ...]
    data_shape: tuple[int, ...]
    classes: int
    likelihood: Gaussian | Bernoulli | Categorical | Cosine
    range: tuple[float, float] | None
    encoder: Encoder | None
    decoded: bool
    labels: tuple[str, ...] = ()
    derived: Transform | str | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Modalities that it is derived from."""
        if self.derived is None:
            return ()
        return self.derived.sources if isinstance(self.derived, Transform) else (self.derived,)

    @property
    def discrete(self) -> bool:
        return self.classes > 0

    @property
    def compact(self) -> bool:
        """Low-dimensional: it leaks through z_t in training, and can guide what is produced with it."""
        return self.type in ("category", "vector")


# ---- tasks, loss, training, data


@dataclass(frozen=True)
class Task:
    """``calls`` is the number of predictions at t = T that are averaged, or 0 for a chain of ``steps`` calls."""

    name: str
    given: tuple[str, ...]
    produced: tuple[str, ...]
    guidance: float
    sampler: Literal["ddpm", "ddim", "dpmpp"]
    eta: float
    steps: int
    calls: int


@dataclass(frozen=True)
class L1:
    """``bound``, or ``simplified`` with the SNR weight min(max(SNR, low), high), or P2's.

    P2 is SNR / (p2_k + SNR)^p2_gamma (Choi et al., 2022). With all of them None the weight is 1.
    """

    form: Literal["bound", "simplified"]
    weight: float
    low: float | None = None
    high: float | None = None
    p2_k: float | None = None
    p2_gamma: float | None = None

    def snr_weight(self, snr: float) -> float:
        """By what a component's squared error is multiplied where its signal-to-noise ratio is ``snr``."""
        if self.p2_k is not None and self.p2_gamma is not None:
            return float(snr / (self.p2_k + snr) ** self.p2_gamma)
        if self.low is None and self.high is None:
            return 1.0
        return min(max(snr, self.low or 0.0), math.inf if self.high is None else self.high)


@dataclass(frozen=True)
class L2:
    """``mean``: the weight is per element, not on nats per row."""

    weight: float
    mean: bool


@dataclass(frozen=True)
class Loss:
    l0: float
    l1: L1
    l2: dict[str, L2]
    l3: float
    l3_sigma: float


@dataclass(frozen=True)
class AdamW:
    decay: float
    beta1: float
    beta2: float
    epsilon: float


@dataclass(frozen=True)
class Rate:
    """Linear warm-up to ``peak``, then constant or half a cosine down to ``floor``."""

    form: Literal["constant", "cosine"]
    peak: float
    warmup: int
    floor: float


@dataclass(frozen=True)
class RoleShares:
    """Probabilities of the ways in which a row's roles are drawn, and of a given modality being made absent."""

    all: float
    tasks: float
    any: float
    absent: float


@dataclass(frozen=True)
class Train:
    optimizer: AdamW
    rate: Rate
    batch: int
    steps: int
    ema: float
    seed: int
    clip: float
    stratified: bool
    roles: RoleShares


@dataclass(frozen=True)
class Source:
    """Where a modality's rows come from. ``void`` marks pixels without a class, ``key`` is an array's name, ``labels``
    the label bytes of CIFAR, ``ending`` that of sidecars and entries of shards, ``id`` the column of names."""

    form: Literal[
        "idx",
        "npy",
        "npz",
        "safetensors",
        "cifar",
        "images",
        "masks",
        "sidecars",
        "shards",
        "csv",
        "tsv",
        "jsonl",
        "parquet",
        "arrow",
    ]
    path: str
    void: int | None = None
    key: str | None = None
    labels: int = 1
    ending: str = ""
    columns: tuple[str, ...] = ()
    id: str | None = None
    fit: Literal["none", "stretch", "crop"] = "none"
    missing: bool = False


@dataclass(frozen=True)
class Data:
    """``builtin`` names a set that was exported beside the package. ``skip`` leaves out what cannot be decoded."""

    builtin: str | None = None
    sources: dict[str, Source] = field(default_factory=dict)
    rows: tuple[int, int] | None = None
    eval_rows: tuple[int, int] | None = None
    join: Literal["order", "id"] = "order"
    skip: bool = False


@dataclass(frozen=True)
class Spec:
    name: str
    hash: str
    modalities: tuple[Modality, ...]
    space: tuple[int, ...]
    process: Process
    tasks: tuple[Task, ...]
    loss: Loss
    train: Train
    data: Data
    #: Names in checkpoints of what has another name in Python.
    renamed: dict[str, str] = field(default_factory=dict)
    #: Declarations whose weights stay as they are, by their paths in Python.
    frozen: tuple[str, ...] = ()
    #: Whether ``loaded.safetensors`` beside this module has weights that training starts from.
    loaded: bool = False

    def modality(self, name: str) -> Modality:
        return next(m for m in self.modalities if m.name == name)

    def task(self, name: str) -> Task:
        return next(t for t in self.tasks if t.name == name)

    def can_produce(self, modality: Modality) -> bool:
        """Whether it has a decoder, or is the origin and read off z_0."""
        return modality.decoded or modality.name == self.process.origin

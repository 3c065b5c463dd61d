"""Which modalities are given, produced and absent in a row of a batch, and at which t it is looked at."""

import math
from typing import NamedTuple

from .rng import Stream
from .schema import Spec

GIVEN, PRODUCED, ABSENT = "given", "produced", "absent"
Roles = tuple[str, ...]


class Timestep(NamedTuple):
    t: int
    inverse_probability: float


def roles_of(spec: Spec, given: tuple[str, ...], produced: tuple[str, ...]) -> Roles:
    """Roles in the order of the spec's modalities."""
    return tuple(GIVEN if m.name in given else PRODUCED if m.name in produced else ABSENT for m in spec.modalities)


def joint_roles(spec: Spec) -> Roles:
    """Everything produced that can be; what can only be given is given."""
    return tuple(
        PRODUCED if spec.can_produce(m) else GIVEN if m.encoder is not None else ABSENT for m in spec.modalities
    )


def all_roles(spec: Spec) -> list[Roles]:
    """Every choice with something produced that the model can express."""
    vectors: list[Roles] = [()]
    for m in spec.modalities:
        choices = [ABSENT]
        if m.encoder is not None:
            choices.append(GIVEN)
        if spec.can_produce(m):
            choices.append(PRODUCED)
        vectors = [(*v, role) for v in vectors for role in choices]
    return [v for v in vectors if PRODUCED in v]


def _without(roles: Roles, missing: tuple[bool, ...]) -> Roles:
    return tuple(ABSENT if gone else role for role, gone in zip(roles, missing, strict=True))


class RoleSampler:
    """Draws the roles of rows: all produced, a declared task's, or any; some of what is given is hidden."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.joint = joint_roles(spec)
        self.tasks = [roles_of(spec, task.given, task.produced) for task in spec.tasks]
        self.every = all_roles(spec)

    def draw(self, random: Stream, missing: tuple[bool, ...] = ()) -> Roles:
        """``missing``: modalities that the row has no value for are absent; where nothing else would be produced,
        everything that can be is."""
        shares = self.spec.train.roles
        u = random.next()
        if u < shares.all:
            roles = self.joint
        elif u < shares.all + shares.tasks:
            roles = self.tasks[random.below(len(self.tasks))] if self.tasks else self.joint
        else:
            roles = self.every[random.below(len(self.every))]
        drawn = tuple(ABSENT if role == GIVEN and random.next() < shares.absent else role for role in roles)
        if not any(missing):
            return drawn
        left = _without(drawn, missing)
        return left if PRODUCED in left else _without(self.joint, missing)

    def terminal(self, roles: Roles) -> bool:
        """Whether what is produced is low-dimensional (or read out at t = T) and conditioned: z_t would reveal it in
        training, so half of such rows are drawn at t = T."""
        if GIVEN not in roles:
            return False
        read = any(task.calls > 0 and r == roles for task, r in zip(self.spec.tasks, self.tasks, strict=True))
        pairs = zip(self.spec.modalities, roles, strict=True)
        return all(role != PRODUCED or m.compact or read for m, role in pairs)

    def timesteps(self, rows: list[Roles], random: Stream) -> list[Timestep]:
        """t of every row, uniform or stratified over 1 .. T."""
        steps = self.spec.process.steps
        n = len(rows)
        order = random.permutation(n) if self.spec.train.stratified else None
        result = []
        for i, roles in enumerate(rows):
            u = random.next() if order is None else (order[i] + random.next()) / n
            t = 1 + min(math.floor(u * steps), steps - 1)
            if not self.terminal(roles):
                result.append(Timestep(t, steps))
            elif random.next() < 0.5 or t == steps:
                result.append(Timestep(steps, 1 / (0.5 + 0.5 / steps)))
            else:
                result.append(Timestep(t, 2 * steps))
        return result

    def is_trained(self, roles: Roles) -> bool:
        """Whether training ever draws these roles."""
        shares = self.spec.train.roles
        if shares.any > 0:
            return True
        sources = [*([self.joint] if shares.all > 0 else []), *self.tasks]
        return any(
            all(
                drawn == role or (shares.absent > 0 and drawn == GIVEN and role == ABSENT)
                for drawn, role in zip(source, roles, strict=True)
            )
            for source in sources
        )

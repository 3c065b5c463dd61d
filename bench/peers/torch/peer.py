"""The PyTorch side of a benchmark: answers requests, one JSON object a line, on standard output.

A fixture folder holds parameters, batches and coefficient tables as the other side wrote them.
"""

import json
import os
import sys
import time

import torch

from networks import MODELS, Parameters


def read_fixture(folder):
    with open(os.path.join(folder, "fixture.json")) as file:
        description = json.load(file)
    with open(os.path.join(folder, "fixture.bin"), "rb") as file:
        data = bytearray(file.read())
    arrays = {}
    for name, (dtype, shape, offset) in description["arrays"].items():
        count = 1
        for size in shape:
            count *= size
        kind = torch.int32 if dtype == "i32" else torch.float32
        arrays[name] = torch.frombuffer(data, dtype=kind, count=count, offset=offset).reshape(shape).clone()
    return description, arrays


def under(arrays, prefix):
    return {name[len(prefix) :]: value for name, value in arrays.items() if name.startswith(prefix)}


def images(x):
    """[B, H, W, C] as [B, C, H, W]."""
    return x.permute(0, 3, 1, 2).contiguous()


def per_image(x):
    return x[:, None, None, None]


class Training:
    """Training steps: the marginal z_t, the network, the losses, AdamW, clipping and the moving average."""

    def __init__(self, description, arrays, request):
        self.settings = description["settings"]
        parameters = Parameters(under(arrays, "parameters/"), set(description["decay"]))
        self.model = MODELS[description["model"]](parameters)
        self.tables = under(arrays, "tables/")
        self.batches = []
        for k in range(description["batches"]):
            batch = under(arrays, f"batch{k}/")
            batch["x.image"], batch["noise"] = images(batch["x.image"]), images(batch["noise"])
            batch["given"], batch["produced"] = batch["given"][:, 0].clone(), batch["produced"][:, 0].clone()
            batch["t"] = batch["t"].long()
            self.batches.append(batch)
        if request.get("channels_last"):
            self.model = self.model.to(memory_format=torch.channels_last)
        s = self.settings
        self.optimizer = torch.optim.AdamW(
            parameters.groups(s["decay"]), lr=s["rate"], betas=(s["beta1"], s["beta2"]), eps=s["epsilon"], fused=True
        )
        self.parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        self.average = [p.detach().clone() for p in self.parameters]
        self.compute = torch.compile(self.loss) if request["compiled"] else self.loss
        self.n = 0

    def loss(self, image, noise, given, produced, t):
        tables = self.tables
        c, sigma = tables["c"][t], tables["sigma"][t]
        z = per_image(c * (given + produced)) * image + per_image(sigma) * noise
        known = per_image(given) * image
        u = z - per_image(c) * known
        u = u / per_image((sigma * sigma + (c * produced) ** 2).sqrt())
        flags = [per_image(f).expand(-1, 1, *image.shape[2:]) for f in (given, produced)]
        output = self.model(torch.cat([u, known, *flags], 1), t / self.settings["steps"])
        estimate = known + per_image(produced) * output
        error = (image - estimate) * per_image(produced)
        simplified = (error.square().mean((1, 2, 3)) * tables["weight"][t]).mean()
        end = per_image(produced * self.settings["cT"]) * image
        return simplified + (0.5 * end.square().sum((1, 2, 3))).mean() + self.settings["L0"]

    def step(self):
        batch = self.batches[self.n % len(self.batches)]
        self.n += 1
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.compute(batch["x.image"], batch["noise"], batch["given"], batch["produced"], batch["t"])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.settings["clip"], foreach=True)
        self.optimizer.step()
        decay = min(self.settings["ema"], (1 + self.n) / (10 + self.n))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.parameters, 1 - decay)
        return loss.item()


class Sampling:
    """Pictures for given labels with guidance: two calls of the network a step, and a linear update."""

    def __init__(self, description, arrays, request):
        self.settings = description["settings"]
        self.model = MODELS[description["model"]](Parameters(under(arrays, "parameters/"), set())).eval()
        self.tables = under(arrays, "tables/")
        self.labels, self.start = arrays["labels"].long(), images(arrays["start"])
        self.compute = torch.compile(self.model) if request["compiled"] else self.model
        self.result = None

    def estimate(self, encoding, t, u, given):
        """The network on the scaled state beside each modality's encoding and flags; `given` is 1 or 0 for the label."""
        batch, _, h, w = u.shape
        zeros, ones = torch.zeros(batch, 1, h, w), torch.ones(batch, 1, h, w)
        parts = [zeros, zeros, ones, encoding * given, ones * given, zeros]
        return self.compute(torch.cat([u, *parts], 1), torch.full((batch,), t / self.settings["steps"]))

    @torch.inference_mode()
    def step(self):
        tables, guidance = self.tables, self.settings["guidance"]
        encoding = self.model.table()[self.labels]
        z, previous = self.start, torch.zeros_like(self.start)
        for k, update in enumerate(self.settings["updates"]):
            t = update["t"]
            c, label, sigma = (float(tables[name][t]) for name in ("c.image", "c.label", "sigma"))
            if k == 0:
                z = z + label * encoding
            u = z - label * encoding
            scale = 1 / (sigma * sigma + c * c) ** 0.5
            with_label = self.estimate(encoding, t, u * scale, 1)
            without = self.estimate(encoding, t, u * scale, 0)
            estimate = (without + guidance * (with_label - without)).clamp(-1, 1)
            (y0, y1), (p0, _) = update["y"], update["previous"]
            # The label's component is exact in every call: both of its coefficients multiply the same encoding.
            z = update["z"] * z + y0 * estimate + p0 * previous + (y1 + update["previous"][1]) * encoding
            previous = estimate
        self.result = estimate
        return float(estimate.mean())


def memory():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def matmul(seconds):
    """Best rate of a product of square matrices, in FLOP/s."""
    n = 1024
    a, b, out = torch.randn(n, n), torch.randn(n, n), torch.empty(n, n)
    best, until = 1e9, time.perf_counter() + seconds
    while time.perf_counter() < until:
        start = clock()
        torch.mm(a, b, out=out)
        best = min(best, clock() - start)
    return 2 * n**3 / best


# On the wall, or of the processor (all threads of this process).
clock = time.process_time if os.environ.get("BENCH_CLOCK") == "processor" else time.perf_counter


def main():
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    work = None
    for line in sys.stdin:
        request = json.loads(line)
        what = request["do"]
        if what == "prepare":
            torch.set_num_threads(request["threads"])
            description, arrays = read_fixture(request["fixture"])
            start = time.perf_counter()
            work = {"train": Training, "sample": Sampling}[request["kind"]](description, arrays, request)
            first = work.step()
            reply = {"seconds": time.perf_counter() - start, "values": [first], "version": torch.__version__}
        elif what == "run":
            times, values = [], []
            until = time.perf_counter() + request["seconds"]
            while len(times) < request["least"] or time.perf_counter() < until:
                start = clock()
                values.append(work.step())
                times.append((clock() - start) * 1000)
            reply = {"times": times, "values": values}
        elif what == "result":
            reply = {"result": work.result.permute(0, 2, 3, 1).flatten().tolist()}
        elif what == "matmul":
            torch.set_num_threads(request["threads"])
            reply = {"rate": matmul(request["seconds"])}
        else:
            reply = {"bytes": memory()}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


main()

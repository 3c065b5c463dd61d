"""One training step of a forward graph in PyTorch, in float64.

Standard input: JSON, {"graph": the graph's JSON form, "feeds": {input: flat values}, "parameters": {name: flat values},
"trainable": [{"name", "decay"}], "optimizer": {"beta1", "beta2", "epsilon", "decay"}, "rate", "average", "moment2"}.
Standard output: {"loss", "terms", "gradient NAME", "parameters NAME", "average NAME"}, flat. Derivatives are PyTorch's own,
and so is AdamW, from a first moment of zero and a second one of `moment2`; its corrections for the first steps are undone.
"""

import json
import sys

import torch
import torch.nn.functional as F

REAL = torch.float64


def number(x):
    return float(x.replace("Infinity", "inf")) if isinstance(x, str) else x


def constant(node):
    dtype = torch.int64 if node["dtype"] == "i32" else REAL
    data = torch.tensor([number(x) for x in node["attrs"]["data"]], dtype=dtype)
    return data[0].expand(node["shape"]) if data.numel() == 1 else data.reshape(node["shape"])


def part(x, attrs):
    for axis, (start, stop, step) in enumerate(zip(attrs["start"], attrs["stop"], attrs["step"])):
        x = x.index_select(axis, torch.tensor(range(start, stop, step), dtype=torch.int64))
    return x


def pad(x, attrs):
    pairs = list(zip(attrs["before"], attrs["after"]))
    return F.pad(x, [n for pair in reversed(pairs) for n in pair])


def around(x, attrs):
    top, left, bottom, right = attrs["pad"]
    return F.pad(x, (left, right, top, bottom))


def product(a, b, attrs):
    return (a.mT if attrs["transposeA"] else a) @ (b.mT if attrs["transposeB"] else b)


def reduced(f):
    return lambda x, a: f(x, a["axes"], a["keep"]) if a["axes"] else x


def rstd(x, a):
    return torch.rsqrt(x.var(-1, unbiased=False, keepdim=True) + a["eps"])


def one_hot(index, depth):
    return (index.unsqueeze(-1) == torch.arange(depth)).to(REAL)


def scatter(updates, index, rows):
    width = updates.shape[index.dim():]
    flat = updates.reshape(index.numel(), -1)
    return torch.zeros(rows, flat.shape[1], dtype=REAL).index_add(0, index.flatten(), flat).reshape(rows, *width)


OPS = {
    "neg": lambda x, a: -x,
    "exp": lambda x, a: x.exp(),
    "log": lambda x, a: x.log(),
    "sqrt": lambda x, a: x.sqrt(),
    "sin": lambda x, a: x.sin(),
    "cos": lambda x, a: x.cos(),
    "tanh": lambda x, a: x.tanh(),
    "sigmoid": lambda x, a: x.sigmoid(),
    "erf": lambda x, a: x.erf(),
    "abs": lambda x, a: x.abs(),
    "sign": lambda x, a: x.sign(),
    "add": lambda x, y, a: x + y,
    "sub": lambda x, y, a: x - y,
    "mul": lambda x, y, a: x * y,
    "div": lambda x, y, a: x / y if x.is_floating_point() else torch.div(x, y, rounding_mode="trunc"),
    "max": lambda x, y, a: torch.maximum(x, y),
    "min": lambda x, y, a: torch.minimum(x, y),
    "pow": lambda x, y, a: x**y,
    "less": lambda x, y, a: (x < y).to(REAL),
    "equal": lambda x, y, a: (x == y).to(REAL),
    "select": lambda c, x, y, a: torch.where(c != 0, x, y),
    "sum": reduced(lambda x, axes, keep: x.sum(axes, keepdim=keep)),
    "mean": reduced(lambda x, axes, keep: x.mean(axes, keepdim=keep)),
    "reduce_max": reduced(lambda x, axes, keep: x.amax(axes, keepdim=keep)),
    "reshape": lambda x, a: x.reshape(a["shape"]),
    "transpose": lambda x, a: x.permute(a["perm"]),
    "broadcast": lambda x, a: x.expand(a["shape"]),
    "slice": part,
    "pad": pad,
    "matmul": product,
    "conv2d": lambda x, w, a: F.conv2d(around(x, a), w, stride=a["stride"]),
    "softmax": lambda x, a: F.softmax(x, -1),
    "log_softmax": lambda x, a: F.log_softmax(x, -1),
    "normalize": lambda x, a: F.layer_norm(x, x.shape[-1:], eps=a["eps"]),
    "rstd": rstd,
    "gather": lambda table, index, a: table[index],
    "scatter_add": lambda x, index, a: scatter(x, index, a["rows"]),
    "one_hot": lambda index, a: one_hot(index, a["depth"]),
    "argmax": lambda x, a: x.argmax(-1),
    "cast": lambda x, a: x.trunc().to(torch.int64) if a["to"] == "i32" else x.to(REAL),
    "stop_gradient": lambda x, a: x.detach(),
}


def evaluate(graph, leaves):
    values = []
    for node in graph["nodes"]:
        attrs = node["attrs"]
        inputs = [values[i] for i in node["inputs"]]
        if node["op"] in ("input", "parameter"):
            value = leaves[attrs["name"]]
            if not torch.is_tensor(value):
                dtype = torch.int64 if node["dtype"] == "i32" else REAL
                value = torch.tensor(value, dtype=dtype)
            value = value.reshape(node["shape"])
        elif node["op"] == "constant":
            value = constant(node)
        elif node["op"] == "concat":
            value = torch.cat(inputs, attrs["axis"])
        else:
            value = OPS[node["op"]](*inputs, attrs)
        assert list(value.shape) == node["shape"], node
        values.append(value)
    return {output["name"]: values[output["node"]] for output in graph["outputs"]}


def main():
    question = json.load(sys.stdin)
    names = [entry["name"] for entry in question["trainable"]]
    leaves = {name: torch.tensor(values, dtype=REAL) for name, values in question["parameters"].items()}
    for name in names:
        leaves[name].requires_grad_()
    outputs = evaluate(question["graph"], {**question["feeds"], **leaves})
    outputs["loss"].backward()

    settings, rate = question["optimizer"], question["rate"]
    before = {name: leaves[name].detach().clone() for name in names}
    betas = (settings["beta1"], settings["beta2"])
    decays = {entry["name"]: settings["decay"] if entry["decay"] else 0.0 for entry in question["trainable"]}
    groups = [{"params": [leaves[name]], "weight_decay": decays[name]} for name in names]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=betas, eps=settings["epsilon"])
    for name in names:
        if leaves[name].grad is None:
            leaves[name].grad = torch.zeros_like(leaves[name])
        # So late that the corrections are 1.
        optimizer.state[leaves[name]] = {
            "step": torch.tensor(1e7),
            "exp_avg": torch.zeros_like(before[name]),
            "exp_avg_sq": torch.full_like(before[name], question["moment2"]),
        }
    answer = {"loss": outputs["loss"].flatten().tolist(), "terms": outputs["terms"].flatten().tolist()}
    for name in names:
        answer[f"gradient {name}"] = leaves[name].grad.flatten().tolist()
    optimizer.step()
    for name in names:
        after = leaves[name].detach()
        answer[f"parameters {name}"] = after.flatten().tolist()
        average = before[name] + (after - before[name]) * (1 - question["average"])
        answer[f"average {name}"] = average.flatten().tolist()
    json.dump(answer, sys.stdout)


main()

"""python run.py FOLDER: checks every model strictly, runs each for two batch sizes, and tasks on the noise in noise.npz.

Without given.npz everything is ones. Writes out.npz with the results of tasks, and prints a line for every model.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

folder = Path(sys.argv[1])
given = dict(np.load(folder / "given.npz")) if (folder / "given.npz").exists() else {}
results = {}
types = {"tensor(float)": np.float32, "tensor(int32)": np.int32}
for path in sorted(folder.glob("*.onnx")):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    assert {o.domain for o in model.opset_import} == {""}, model.opset_import
    metadata = {p.key: p.value for p in model.metadata_props}
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    for batch in (1, 3):
        feeds = {}
        for port in session.get_inputs():
            shape = [batch if d == "batch" else d for d in port.shape]
            if path.name.startswith("task.") and port.name in given and batch == 3:
                feeds[port.name] = given[port.name]
            elif path.name.startswith("task.") and port.name == "noise" and given and batch == 3:
                feeds[port.name] = given[f"noise.{metadata['task']}"]
            else:
                feeds[port.name] = np.ones(shape, types[port.type])
        outputs = session.run(None, feeds)
        for port, value in zip(session.get_outputs(), outputs, strict=True):
            expected = [batch if d == "batch" else d for d in port.shape]
            assert list(value.shape) == expected, (path.name, port.name, value.shape, expected)
            assert np.isfinite(value).all(), path.name
            if batch == 3 and path.name.startswith("task."):
                results[f"{metadata['task']}/{port.name}"] = value
    print(path.name, model.opset_import[0].version, metadata["spec"])
np.savez(folder / "out.npz", **results)

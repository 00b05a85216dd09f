"""Turn a trained network into what the page loads: calibrate, fold, export, check, describe.

Run by train.py at the end of a run; by itself it publishes the state of a run that is still going:

    python3 model/export.py --data DIR --work model/.cache/run

or the mean of the weights of published networks that were refined from one another:

    python3 model/export.py --data DIR --mean one.onnx --mean other.onnx
"""
import argparse
import copy
import hashlib
import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

import card
import data
import measure
import products
import published
from network import EmotionNet, count_macs, count_parameters

HERE = Path(__file__).resolve().parent
VERSION = "1.1.1"
CERTAIN = 0.95  # precision wanted of what is shown as certain
# Centres of the eyes in FER2013 crops as fractions of the crop, (image-left, image-right): medians of the page's detector on valid.
EYES = {"leftEye": [0.315, 0.395], "rightEye": [0.685, 0.395]}
LINEAGE = (
    "trained on FER+ labels (MIT, Microsoft) over FER2013 images, which were collected by web search for the "
    "2013 Kaggle challenge and have no licence of their own (research use); no image is shipped"
)


class StoredHalf(nn.Module):
    """A convolution or linear layer whose weights are stored as fp16 and computed with as fp32."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.weight = nn.Parameter(layer.weight.detach().half(), requires_grad=False)
        self.bias = nn.Parameter(layer.bias.detach().clone(), requires_grad=False)
        del layer.weight, layer.bias

    def forward(self, x):
        if isinstance(self.layer, nn.Linear):
            return F.linear(x, self.weight.float(), self.bias)
        return F.conv2d(x, self.weight.float(), self.bias, self.layer.stride, self.layer.padding)


def fold(model):
    """A copy of an EmotionNet for inference at 48x48: norms folded into convolutions, weights rounded to fp16."""
    model = copy.deepcopy(model).to(memory_format=torch.contiguous_format).eval()
    stem = model.stem
    model.stem = nn.Sequential(fuse_conv_bn_eval(stem[0], stem[1]), nn.ReLU(), fuse_conv_bn_eval(stem[3], stem[4]), nn.ReLU())
    for block in model.blocks:
        block.conv1, block.norm1 = fuse_conv_bn_eval(block.conv1, block.norm1), nn.Identity()
        block.conv2, block.norm2 = fuse_conv_bn_eval(block.conv2, block.norm2), nn.Identity()
        if not isinstance(block.skip, nn.Identity):
            pool, convolution, norm = block.skip
            if isinstance(pool, nn.AvgPool2d):
                pool = nn.AvgPool2d(pool.kernel_size, ceil_mode=True)
            block.skip = nn.Sequential(pool, fuse_conv_bn_eval(convolution, norm))
    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.weight.data = layer.weight.data.half().float()
    return model.eval()


def write_onnx(folded, path):
    """Write the folded network as ONNX, input [N, 1, 48, 48], output logits [N, 8], atomically; small maps as products, weights as fp16."""
    model = copy.deepcopy(folded)
    products.on_small_maps(model, data.SIDE - 2 * model.margin)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, (nn.Conv2d, nn.Linear)):
                setattr(parent, name, StoredHalf(child))
    temporary = path.with_suffix(".onnx.tmp")
    torch.onnx.export(
        model, torch.zeros(1, 1, data.SIDE, data.SIDE), str(temporary),
        input_names=["input"], output_names=["logits"], opset_version=13, do_constant_folding=False,
        dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
    )
    os.replace(temporary, path)


def calibrate(scores, labels):
    """(temperature, abstain threshold or None, coverage) on logits [N, 8] with labels [N], -1 left out.

    The temperature minimises the negative log-likelihood (Guo et al., 2017). The threshold is the lowest confidence
    above which the share of right answers is CERTAIN; coverage is the share of faces above it.
    """
    keep = labels >= 0
    scores, labels = scores[keep], labels[keep]
    rows = np.arange(len(labels))

    def loss(temperature):
        return -np.log(measure.softmax(scores, temperature)[rows, labels] + 1e-12).mean()

    temperature = min(np.arange(0.30, 2.001, 0.01), key=loss)
    probabilities = measure.softmax(scores, temperature)
    order = np.argsort(-probabilities.max(1))
    right = (probabilities.argmax(1) == labels)[order]
    precision = right.cumsum() / np.arange(1, len(right) + 1)
    enough = np.nonzero(precision >= CERTAIN)[0]
    if len(enough) == 0:
        return float(temperature), None, 0.0
    last = enough[-1]
    return float(temperature), float(probabilities.max(1)[order][last]), (last + 1) / len(right)


def cross_fitted_error(scores, labels):
    """Calibration error with the temperature always fitted on the other half of the faces."""
    keep = np.nonzero(labels >= 0)[0]
    halves = keep[::2], keep[1::2]
    errors = []
    for fit, check in (halves, halves[::-1]):
        temperature = calibrate(scores[fit], labels[fit])[0]
        errors.append(measure.calibration_error(measure.softmax(scores[check], temperature), labels[check]))
    return float(np.mean(errors))


def check_parity(path, folded, faces):
    """Largest difference of onnxruntime (through node) and PyTorch on `faces` float32 [N, 1, 48, 48]; None without node."""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "input.bin"
        given.write_bytes(faces.numpy().astype("<f4").tobytes())
        command = ["node", str(HERE / "run-onnx.mjs"), str(path), str(given)]
        try:
            answer = subprocess.run(command, capture_output=True, check=True, text=True, timeout=120)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"parity not checked, onnxruntime-web did not run: {getattr(error, 'stderr', error)}", flush=True)
            return None
    got = np.array(json.loads(answer.stdout), np.float32).reshape(-1, len(data.CLASSES))
    with torch.no_grad():
        return float(np.abs(got - folded(faces).numpy()).max())


def evaluate(folded, train_split, valid):
    """The figures of the folded network on valid, as one dictionary."""
    scores = measure.logits(folded, valid.images)
    labels = data.majority_labels(valid.votes)
    temperature, threshold, coverage = calibrate(scores, labels)
    copies = np.isin(data.hashes(valid), data.hashes(train_split))
    return {
        "temperature": temperature,
        "abstainBelow": threshold,
        "coverage": coverage,
        "crossFittedEce": cross_fitted_error(scores, labels),
        "eceUncalibrated": measure.figures(scores, labels)["ece"],
        "valid": measure.figures(scores, labels, temperature),
        "withoutDuplicates": measure.figures(scores, np.where(copies, -1, labels), temperature),
        "plainArgMax": measure.figures(scores, data.plain_labels(valid.votes), temperature),
    }


def manifest_figures(found):
    """What the app's model card shows, as one flat table of numbers: shares are 0..1, `.low` and `.high` 95 % Wilson intervals."""
    table = {}

    def share(name, value, pair):
        table[name] = round(value, 4)
        if pair is not None:
            table[f"{name}.low"], table[f"{name}.high"] = round(pair[0], 4), round(pair[1], 4)

    valid, alone, plain = found["valid"], found["withoutDuplicates"], found["plainArgMax"]
    share("validAccuracy", valid["accuracy"], valid["interval"])
    table["validImages"] = valid["n"]
    share("validAccuracyWithoutDuplicates", alone["accuracy"], alone["interval"])
    table["validImagesWithoutDuplicates"] = alone["n"]
    share("validAccuracyPlainArgMax", plain["accuracy"], plain["interval"])
    share("macroRecall", valid["macroRecall"], None)
    share("ece", valid["ece"], None)
    share("eceUncalibrated", found["eceUncalibrated"], None)
    if found["abstainBelow"] is not None:
        share("certainPrecision", CERTAIN, None)
        share("certainShare", found["coverage"], None)
    for index, name in enumerate(data.CLASSES):
        count = valid["counts"][name]
        table[f"images.{name}"] = count
        if count:
            share(f"recall.{name}", valid["recall"][name], measure.wilson(valid["confusion"][index][index], count))
    table["mmac"] = round(found["mmac"], 1)
    table["parameters"] = found["parameters"]
    return table


def publish(model, train_split, valid, options, finished=True):
    """Write emotion.onnx and emotion.json to options.out; of a finished run the model card too."""
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    folded = fold(model)
    found = evaluate(folded, train_split, valid)
    found["mmac"] = count_macs(model) / 1e6
    found["parameters"] = count_parameters(model)
    path = out / "emotion.onnx"
    write_onnx(folded, path)
    content = path.read_bytes()
    torch.manual_seed(0)
    found["bytes"] = len(content)
    found["parity"] = check_parity(path, folded, torch.rand(64, 1, data.SIDE, data.SIDE) * 2 - 1)
    manifest = {
        "name": "semblante-emotion",
        "version": VERSION,
        "file": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "input": {
            "name": "input", "width": data.SIDE, "height": data.SIDE, "layout": "NCHW", "color": "gray",
            "mean": [127.5], "scale": [127.5],
        },
        "output": {"name": "logits", "kind": "logits"},
        "classes": data.CLASSES,
        "calibration": {
            "temperature": round(found["temperature"], 3),
            "abstainBelow": round(found["abstainBelow"] if found["abstainBelow"] is not None else 0.99, 3),
        },
        "crop": EYES,
        "licence": "MIT",
        "lineage": LINEAGE,
        "figures": manifest_figures(found),
    }
    temporary = out / "emotion.json.tmp"
    temporary.write_text(json.dumps(manifest, indent=2) + "\n")
    os.replace(temporary, out / "emotion.json")
    if finished:
        found["robustness"] = measure.robustness(folded, valid.images, data.majority_labels(valid.votes))
        (HERE / "MODEL_CARD.md").write_text(card.text(manifest, found))
    shown = {name: value for name, value in manifest["figures"].items() if "." not in name}
    print(json.dumps({"calibration": manifest["calibration"], "figures": shown, "coverage": found["coverage"],
                      "parity": found["parity"], "bytes": len(content)}), flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder in the sheet or the FER+ layout")
    parser.add_argument("--work", default=str(HERE / ".cache/run"), help="folder of the run's checkpoint")
    parser.add_argument("--mean", action="append", default=[], help="publish the mean of these published networks instead; several times")
    parser.add_argument("--out", default=str(HERE.parent / "web/public/models"))
    parser.add_argument("--finished", action="store_true", help="write the model card too")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.mean:
        model = published.mean(options.mean)
    else:
        model = EmotionNet()
        model.load_state_dict(torch.load(Path(options.work) / "checkpoint.pt", map_location="cpu")["average"])
    train_split, valid = data.load_split(options.data, "train"), data.load_split(options.data, "valid")
    publish(model.eval(), train_split, valid, options, finished=options.finished)


if __name__ == "__main__":
    main()

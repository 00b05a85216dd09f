"""Run the weights of a published network in PyTorch, so that onnxruntime can be compared with it without the checkpoint.

    python3 model/run_torch.py NETWORK INPUT

INPUT holds float32 faces [N, 1, 48, 48]; prints the logits as a flat JSON array. The twin of run-onnx.mjs.
"""
import json
import sys

import numpy as np
import torch

import data
import published
from network import EmotionNet


def main():
    network, faces = sys.argv[1:3]
    torch.set_num_threads(1)
    model = EmotionNet().eval()
    published.load(model, network)
    given = torch.from_numpy(np.fromfile(faces, "<f4").reshape(-1, 1, data.SIDE, data.SIDE))
    with torch.no_grad():
        print(json.dumps(model(given).flatten().tolist()))


if __name__ == "__main__":
    main()

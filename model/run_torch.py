"""Run the weights of a published network in PyTorch, so that onnxruntime can be compared with it without the checkpoint.

    python3 model/run_torch.py NETWORK INPUT

INPUT holds float32 faces [N, 1, 48, 48]; prints the logits as a flat JSON array. The twin of run-onnx.mjs.
"""
import json
import sys

import numpy as np
import torch

import data
import export
from network import EmotionNet

TYPES = {1: np.float32, 10: np.float16}  # TensorProto.DataType
GRAPH, INITIALIZER = 7, 5  # field numbers of onnx.proto
DIMS, DATA_TYPE, NAME, RAW_DATA = 1, 2, 8, 9


def varint(content, place):
    """(value, next place) of a protobuf varint."""
    value = shift = 0
    while True:
        byte = content[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place


def fields(content):
    """(number, value) of each field of a protobuf message: bytes, or a whole number."""
    place = 0
    while place < len(content):
        key, place = varint(content, place)
        kind = key & 7
        if kind == 0:
            value, place = varint(content, place)
        else:
            length, place = varint(content, place) if kind == 2 else ({1: 8, 5: 4}[kind], place)
            value, place = content[place: place + length], place + length
        yield key >> 3, value


def dimensions(parts):
    """The lengths of a tensor, written one by one or packed."""
    found = []
    for number, value in parts:
        if number == DIMS and isinstance(value, int):
            found.append(value)
        elif number == DIMS:
            place = 0
            while place < len(value):
                length, place = varint(value, place)
                found.append(length)
    return found


def weights(content):
    """The named weights of an ONNX file as tensors."""
    graph = next(value for number, value in fields(content) if number == GRAPH)
    found = {}
    for number, value in fields(graph):
        if number != INITIALIZER:
            continue
        parts = list(fields(value))
        tensor = dict(parts)
        if tensor[DATA_TYPE] in TYPES:
            values = np.frombuffer(tensor[RAW_DATA], TYPES[tensor[DATA_TYPE]]).reshape(dimensions(parts))
            found[tensor[NAME].decode()] = torch.from_numpy(values.copy())
    return found


def main():
    network, faces = (open(path, "rb").read() for path in sys.argv[1:3])
    torch.set_num_threads(1)
    model = export.fold(EmotionNet().eval())
    model.load_state_dict(weights(network))
    given = torch.from_numpy(np.frombuffer(faces, "<f4").reshape(-1, 1, data.SIDE, data.SIDE).copy())
    with torch.no_grad():
        print(json.dumps(model(given).flatten().tolist()))


if __name__ == "__main__":
    main()

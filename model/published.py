"""Reads the weights of a published network (ONNX, norms folded) back into PyTorch: to compare runtimes, to teach, to train on.

Reads just the parts of protobuf that our own files need, so that no package is needed for it.
"""
import numpy as np
import torch
from torch import nn

import products
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


def load(model, path):
    """Put the weights of the file into an EmotionNet whose norms then only add: right for asking, not yet for training."""
    with open(path, "rb") as file:
        found = {name: tensor.float() for name, tensor in weights(file.read()).items()}
    for name, (convolution, norm) in normed(model):
        convolution.weight.data.copy_(products.kernel(found[f"{name}.weight"], convolution.weight))
        norm.weight.data.fill_(1)
        norm.bias.data.copy_(found[f"{name}.bias"])
        norm.running_mean.fill_(0)
        norm.running_var.fill_(1 - norm.eps)
    for block, parts in enumerate(model.blocks):
        for part in ("reduce", "expand"):
            copy_layer(getattr(parts.gate, part), found, f"blocks.{block}.gate.{part}")
    copy_layer(model.head, found, "head")


def mean(paths):
    """The network of the mean weights of published ones that were refined from one another ("model soup", Wortsman et al., 2022)."""
    networks = [EmotionNet() for _ in paths]
    for network, path in zip(networks, paths):
        load(network, path)
    found = networks[0]
    states = [network.state_dict() for network in networks]
    found.load_state_dict({
        name: torch.stack([state[name] for state in states]).mean(0) if value.dtype.is_floating_point else value
        for name, value in states[0].items()
    })
    return found.eval()


def copy_layer(layer, found, name):
    """Weight and bias of a layer without a norm."""
    layer.weight.data.copy_(products.kernel(found[f"{name}.weight"], layer.weight))
    layer.bias.data.copy_(found[f"{name}.bias"])


def normed(model):
    """(name in the folded network, (convolution, norm)) of each convolution that a norm follows."""
    yield "stem.0", (model.stem[0], model.stem[1])
    yield "stem.2", (model.stem[3], model.stem[4])
    for index, block in enumerate(model.blocks):
        yield f"blocks.{index}.conv1", (block.conv1, block.norm1)
        yield f"blocks.{index}.conv2", (block.conv2, block.norm2)
        if not isinstance(block.skip, nn.Identity):
            yield f"blocks.{index}.skip.1", (block.skip[1], block.skip[2])


@torch.no_grad()
def unfold_norms(model, faces):
    """Give the norms of a loaded network the statistics of `faces` [N, 1, 48, 48], so that batch norms in training change nothing at first."""
    def measure(norm, inputs):
        (x,) = inputs
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        norm.bias.data.add_(mean)
        norm.weight.data.copy_(torch.sqrt(variance + norm.eps))
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)

    hooks = [norm.register_forward_pre_hook(measure) for _, (_, norm) in normed(model)]
    model.eval()(faces.contiguous(memory_format=torch.channels_last))
    for hook in hooks:
        hook.remove()

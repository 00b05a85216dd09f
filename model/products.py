"""Blocks on small maps as matrix products, for inference: same weights, same answers.

onnxruntime's wasm convolution is made for large maps. On 6x6 and 3x3 positions one product of [positions, 9 * inputs] by
[9 * inputs, outputs], whose weights the runtime packs once, takes about two thirds of its time (RESULTS.md).
"""
import torch
from torch import nn
from torch.nn import functional as F

SMALL = 6  # px: maps of at most this side


def linear(convolution):
    """The layer that does at one position what a convolution does there: [N, taps * I], taps row by row, to [N, O]."""
    outputs, inputs, height, width = convolution.weight.shape
    layer = nn.Linear(height * width * inputs, outputs)
    layer.weight.data = convolution.weight.detach().permute(0, 2, 3, 1).reshape(outputs, -1).contiguous()
    layer.bias.data = convolution.bias.detach().clone()
    return layer


def kernel(weight, like):
    """The weights that `linear` made, as those of the layer shaped as `like` that they came from; others as they are."""
    if weight.shape == like.shape:
        return weight
    outputs, inputs, *taps = like.shape
    return weight.reshape(outputs, *taps, inputs).permute(0, 3, 1, 2)


class Neighbours(nn.Module):
    """What a 3x3 convolution with a border of zeros sees: [N, side * side, I] to [N * positions, 9 * I]."""

    def __init__(self, side, stride):
        super().__init__()
        taps = [
            y * side + x if 0 <= y < side and 0 <= x < side else side * side  # the place of the zeros
            for top in range(0, side, stride) for left in range(0, side, stride)
            for y in range(top - 1, top + 2) for x in range(left - 1, left + 2)
        ]
        self.register_buffer("taps", torch.tensor(taps, dtype=torch.int32), persistent=False)

    def forward(self, x):
        return F.pad(x, (0, 0, 0, 1)).index_select(1, self.taps).reshape(-1, 9 * x.shape[2])


class Quarters(nn.Module):
    """The mean of each 2x2 of an even map: [N, side * side, I] to [N * positions, I]."""

    def __init__(self, side):
        super().__init__()
        self.half = side // 2

    def forward(self, x):
        inputs = x.shape[2]
        return x.reshape(-1, self.half, 2, self.half, 2, inputs).mean((2, 4)).reshape(-1, inputs)


class ProductGate(nn.Module):
    """SqueezeExcite of network.py: [N, positions, O] to the same shape."""

    def __init__(self, gate):
        super().__init__()
        self.reduce, self.expand = linear(gate.reduce), linear(gate.expand)

    def forward(self, x):
        return x * torch.sigmoid(self.expand(F.relu(self.reduce(x.mean(1))))).unsqueeze(1)


class ProductBlock(nn.Module):
    """Block of network.py without norms, on a map of `side` px: [N, I, side, side] or [N, side * side, I] to [N, positions, O]."""

    def __init__(self, block, side):
        super().__init__()
        stride = block.conv1.stride[0]
        after = -(-side // stride)
        self.near1, self.near2 = Neighbours(side, stride), Neighbours(after, 1)
        self.conv1, self.conv2 = linear(block.conv1), linear(block.conv2)
        self.gate = ProductGate(block.gate)
        self.skip = block.skip if isinstance(block.skip, nn.Identity) else nn.Sequential(Quarters(side), linear(block.skip[1]))
        self.shape = (-1, after * after, block.conv2.out_channels)

    def forward(self, x):
        if x.ndim == 4:
            x = x.flatten(2).transpose(1, 2)
        y = F.relu(self.conv1(self.near1(x))).reshape(self.shape)
        y = self.gate(self.conv2(self.near2(y)).reshape(self.shape))
        return F.relu(y + self.skip(x).reshape(self.shape))


class ProductPool(nn.Module):
    """The mean over the positions: [N, positions, C] to [N, C]."""

    def forward(self, x):
        return x.mean(1)


def on_small_maps(model, side):
    """Change those blocks of a folded EmotionNet, asked at `side` px, whose maps are small."""
    side = -(-side // 2)  # the stem
    for index, block in enumerate(model.blocks):
        before, side = side, -(-side // block.conv1.stride[0])
        if side <= SMALL:
            model.blocks[index] = ProductBlock(block, before)
    if side <= SMALL:
        model.pool = ProductPool()

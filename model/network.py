"""The emotion network: a small residual network of dense 3x3 convolutions with squeeze-excitation.

Dense convolutions because they train 3-4 times faster on a CPU than depthwise ones and run well in
onnxruntime's wasm. The per-image standardisation is part of the graph, so that light and contrast of
a webcam cancel out without anything to repeat in the page.
"""
import torch
from torch import nn
from torch.nn import functional as F

from data import SIDE

MARGIN = 1  # px of a face on each side that are not looked at


class SqueezeExcite(nn.Module):
    """Channel gate (Hu et al., 2018): [N, C, H, W] to the same shape."""

    def __init__(self, channels, reduction=4):
        super().__init__()
        self.reduce = nn.Conv2d(channels, channels // reduction, 1)
        self.expand = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x):
        gate = F.adaptive_avg_pool2d(x, 1)
        return x * torch.sigmoid(self.expand(F.relu(self.reduce(gate))))


class Block(nn.Module):
    """Residual block of two 3x3 convolutions: [N, I, H, W] to [N, O, H/stride, W/stride]."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.gate = SqueezeExcite(outputs)
        self.skip = nn.Identity()
        if stride != 1 or inputs != outputs:
            pool = nn.AvgPool2d(stride, ceil_mode=True) if stride != 1 else nn.Identity()
            self.skip = nn.Sequential(
                pool, nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.gate(self.norm2(self.conv2(y)))
        return F.relu(y + self.skip(x))


class EmotionNet(nn.Module):
    """Gray faces float32 [N, 1, 48, 48], (pixel - 127.5) / 127.5, to logits [N, 8].

    A face of 48x48 is read without its margin; one of another size is taken as it is. A teacher has `widen` times the channels.
    """

    def __init__(self, stem=(16, 24), widths=(24, 48, 96, 144), depths=(1, 1, 2, 1), classes=8, dropout=0.2, margin=MARGIN, widen=1):
        super().__init__()
        stem, widths = ([count * widen for count in counts] for counts in (stem, widths))
        self.margin = margin
        self.widen = widen
        self.stem = nn.Sequential(
            nn.Conv2d(1, stem[0], 3, 1, 1, bias=False), nn.BatchNorm2d(stem[0]), nn.ReLU(),
            nn.Conv2d(stem[0], stem[1], 3, 2, 1, bias=False), nn.BatchNorm2d(stem[1]), nn.ReLU(),
        )
        blocks, inputs = [], stem[1]
        for stage, (width, depth) in enumerate(zip(widths, depths)):
            for position in range(depth):
                blocks.append(Block(inputs, width, 2 if stage > 0 and position == 0 else 1))
                inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for block in self.blocks:
            nn.init.zeros_(block.norm2.weight)

    def forward(self, x):
        if x.shape[-1] == SIDE:
            x = x[:, :, self.margin:SIDE - self.margin, self.margin:SIDE - self.margin]
        x = x - x.mean((2, 3), keepdim=True)
        x = x / torch.sqrt((x * x).mean((2, 3), keepdim=True) + 1e-3)
        x = self.blocks(self.stem(x))
        return self.head(self.dropout(self.pool(x)))


@torch.no_grad()
def widened(model, times, noise=0.5):
    """A network with `times` the channels of `model` that says nearly the same: where a teacher starts.

    Each channel is copied, and its copies share what the one gave ("Net2WiderNet", Chen et al., 2016); noise, in standard deviations of the
    weights, lets them grow apart. Without noise it says exactly the same.
    """
    wide = EmotionNet(widen=model.widen * times)
    found = {}
    for (name, values), target in zip(model.state_dict().items(), wide.state_dict().values()):
        for dimension in range(values.ndim):
            copies = target.shape[dimension] // values.shape[dimension]
            values = torch.cat([values] * copies, dimension) / (copies if dimension == 1 else 1)
        found[name] = values + torch.randn_like(values) * values.std() * noise if values.ndim > 1 else values
    wide.load_state_dict(found)
    return wide


def count_macs(model, side=SIDE):
    """Multiply-accumulates of one face through convolutions and linear layers."""
    total = 0

    def count(module, _, output):
        nonlocal total
        per_output = module.weight[0].numel()
        total += per_output * output[0].numel()

    layers = [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    training = model.training
    model.eval()
    with torch.no_grad():
        model(torch.zeros(1, 1, side, side, device=next(model.parameters()).device))
    model.train(training)
    for hook in hooks:
        hook.remove()
    return total


def count_parameters(model):
    """Trainable scalars."""
    return sum(parameter.numel() for parameter in model.parameters())

"""Figures of a classifier on one split: accuracy, recall, calibration, intervals, robustness of the bare crop."""
import numpy as np
import torch
from torch.nn import functional as F

import augment
from data import CLASSES


@torch.no_grad()
def logits(model, images, batch=256):
    """Logits float32 [N, 8] of uint8 faces [N, 48, 48]."""
    model.eval()
    device = next(model.parameters()).device
    parts = []
    for start in range(0, len(images), batch):
        x = (torch.from_numpy(images[start: start + batch]).to(device).unsqueeze(1).float() - 127.5) / 127.5
        parts.append(model(x.contiguous(memory_format=torch.channels_last)).float().cpu())
    return torch.cat(parts).numpy()


def softmax(scores, temperature=1.0):
    """Probabilities [N, C] of logits [N, C] at a temperature."""
    scores = scores.astype(np.float64) / temperature
    scores = np.exp(scores - scores.max(1, keepdims=True))
    return scores / scores.sum(1, keepdims=True)


def wilson(hits, count):
    """95 % Wilson interval of a proportion as [low, high], None without data."""
    if count == 0:
        return None
    z, p = 1.96, hits / count
    centre = (p + z * z / (2 * count)) / (1 + z * z / count)
    reach = z * np.sqrt(p * (1 - p) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return [float(centre - reach), float(centre + reach)]


def calibration_error(probabilities, labels, bins=15):
    """Expected calibration error over equal-width confidence bins (Guo et al., 2017)."""
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for b in range(bins):
        inside = index == b
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return float(error)


def figures(scores, labels, temperature=1.0):
    """Figures of logits [N, 8] against labels [N]; images labelled -1 are left out."""
    keep = labels >= 0
    scores, labels = scores[keep], labels[keep]
    predicted = scores.argmax(1)
    confusion = np.zeros((len(CLASSES), len(CLASSES)), int)
    np.add.at(confusion, (labels, predicted), 1)
    counts = confusion.sum(1)
    recall = {c: float(confusion[i, i] / counts[i]) if counts[i] else None for i, c in enumerate(CLASSES)}
    hits = int((predicted == labels).sum())
    return {
        "n": len(labels),
        "accuracy": hits / len(labels),
        "interval": wilson(hits, len(labels)),
        "macroRecall": float(np.mean([r for r in recall.values() if r is not None])),
        "ece": calibration_error(softmax(scores, temperature), labels),
        "recall": recall,
        "counts": {c: int(counts[i]) for i, c in enumerate(CLASSES)},
        "confusion": confusion.tolist(),
    }


def _turned(x, degrees, zoom=1.0):
    """[N, 1, 48, 48] turned about the centre; zoom above 1 shows more than the crop (edges are mirrored)."""
    angle = np.radians(degrees)
    theta = torch.tensor([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]]).float() * zoom
    grid = F.affine_grid(theta.expand(len(x), 2, 3), x.shape, align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _shrunk(x, side):
    """[N, 1, 48, 48] as a face seen at only `side` pixels."""
    small = F.interpolate(x, size=(side, side), mode="bilinear", antialias=True, align_corners=False)
    return F.interpolate(small, size=x.shape[2:], mode="bilinear", align_corners=False)


def _dimmed(x, light):
    """[N, 1, 48, 48] in 0..1 at `light` of its brightness with sensor noise of 2/255, in whole gray levels."""
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(7)) * 2 / 255
    return torch.round((x * light + noise).clamp(0, 1) * 255) / 255


DISTURBANCES = {
    "as is": lambda x: x,
    "turned 10 degrees": lambda x: _turned(x, 10),
    "turned 20 degrees": lambda x: _turned(x, 20),
    "crop 15 % tighter": lambda x: _turned(x, 0, 0.85),
    "crop 15 % looser": lambda x: _turned(x, 0, 1.15),
    "blur of sigma 1 px": lambda x: augment.blur(x, 1.0),
    "face of 32 px": lambda x: _shrunk(x, 32),
    "face of 24 px": lambda x: _shrunk(x, 24),
    "a quarter of the light": lambda x: _dimmed(x, 0.25),
    "a tenth of the light": lambda x: _dimmed(x, 0.1),
}


def robustness(model, images, labels):
    """Accuracy of uint8 faces [N, 48, 48] under each of DISTURBANCES."""
    keep = labels >= 0
    faces = torch.from_numpy(images[keep]).unsqueeze(1).float() / 255
    result = {}
    for name, disturb in DISTURBANCES.items():
        disturbed = (disturb(faces) * 255).round().clamp(0, 255).byte().squeeze(1).numpy()
        result[name] = float((logits(model, disturbed).argmax(1) == labels[keep]).mean())
    return result

"""Augmentation as batched tensor operations, cheap enough for a CPU run.

Geometry as loose as a webcam crop is (rotation, scale, shift, shear, mirror), then what webcams do to
light and detail: gamma, contrast, low light with noise, blur, down-up scaling; then random erasing.
All randomness comes from torch's global generator, so a seed fixes it.
"""
import math

import torch
from torch.nn import functional as F

from data import SIDE

# Side in px of the middle of a face that training shows. A little less than the network will be asked about: zooming makes faces look larger in
# training than they are (Touvron et al., "Fixing the train-test resolution discrepancy", 2019).
SHOWN = 44


def uniform(x, low, high):
    """Uniform float32 [N, 1, 1, 1] for the N faces of `x`, on its device."""
    return torch.rand(len(x), 1, 1, 1, device=x.device) * (high - low) + low


def normal(x):
    """Standard normal float32 [N, 1, 1, 1] for the N faces of `x`, on its device."""
    return torch.randn(len(x), 1, 1, 1, device=x.device)


def chance(x, probability):
    """Random bool [N, 1, 1, 1] for the N faces of `x`, on its device."""
    return torch.rand(len(x), 1, 1, 1, device=x.device) < probability


def warp(x, side, strength):
    """Random mirror and affine of the middle of [N, 1, 48, 48], sampled straight to [N, 1, side, side]."""
    count, device = len(x), x.device
    angle = torch.randn(count, device=device) * math.radians(11) * strength
    angle = angle.clamp(-math.radians(35), math.radians(35))
    zoom = torch.exp(torch.randn(count, device=device) * 0.10 * strength).clamp(0.77, 1.3)
    aspect = torch.exp(torch.randn(count, device=device) * 0.05 * strength)
    shear = torch.randn(count, device=device) * 0.06 * strength
    mirror = torch.where(torch.rand(count, device=device) < 0.5, -1.0, 1.0)
    cos, sin = torch.cos(angle), torch.sin(angle)
    zoom = zoom * SHOWN / SIDE
    theta = torch.zeros(count, 2, 3, device=device)
    theta[:, 0, 0] = cos * zoom * aspect * mirror
    theta[:, 0, 1] = (-sin + shear) * zoom
    theta[:, 1, 0] = sin * zoom * mirror
    theta[:, 1, 1] = cos * zoom / aspect
    theta[:, :, 2] = (torch.rand(count, 2, device=device) * 2 - 1) * 0.2 * strength
    grid = F.affine_grid(theta, (count, 1, side, side), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def shift(x):
    """Random mirror and window of whole pixels, untouched by interpolation: [N, 1, 48, 48] to [N, 1, 44, 44]."""
    places = torch.randint(0, SIDE - SHOWN + 1, (len(x), 2)).tolist()
    x = torch.stack([face[:, top:top + SHOWN, left:left + SHOWN] for face, (top, left) in zip(x, places)])
    return torch.where(chance(x, 0.5), x.flip(3), x)


def blur(x, sigma):
    """Gaussian blur of [N, 1, H, W]."""
    reach = torch.arange(-3, 4, dtype=torch.float32, device=x.device)
    kernel = torch.exp(-reach ** 2 / (2 * sigma ** 2))
    kernel = (kernel / kernel.sum()).view(1, 1, 1, 7)
    x = F.conv2d(F.pad(x, (3, 3, 0, 0), mode="replicate"), kernel)
    return F.conv2d(F.pad(x, (0, 0, 3, 3), mode="replicate"), kernel.transpose(2, 3))


def soften(x, strength):
    """Blur one random tenth of [N, 1, H, W] and down-up scale another."""
    count = max(1, int(len(x) * 0.12 * strength))
    order = torch.randperm(len(x), device=x.device)
    blurred, scaled = order[:count], order[count: 2 * count]
    x = x.clone()
    x[blurred] = blur(x[blurred], float(torch.rand(1) * 1.0 + 0.4))
    side = int(torch.randint(18, 36, (1,)))
    small = F.interpolate(x[scaled], size=(side, side), mode="bilinear", antialias=True, align_corners=False)
    x[scaled] = F.interpolate(small, size=x.shape[2:], mode="bilinear", align_corners=False)
    return x


def relight(x, strength):
    """Gamma, contrast, a light gradient, low light and noise on [N, 1, H, W] in 0..1."""
    side = x.shape[2]
    gamma = torch.exp(normal(x) * 0.25 * strength)
    x = x.clamp(1e-3, 1) ** gamma
    ramp = torch.linspace(-1, 1, side, device=x.device)
    tilt = uniform(x, -1, 1) * ramp.view(1, 1, 1, side) + uniform(x, -1, 1) * ramp.view(1, 1, side, 1)
    x = x * (1 + tilt * 0.5 * strength * chance(x, 0.25))
    x = x * (1 + normal(x) * 0.12 * strength)
    dark = chance(x, 0.15)
    x = torch.where(dark, x * uniform(x, 0.07, 0.5), x)
    noise = torch.where(chance(x, 0.2 * strength), uniform(x, 0.0, 0.05), torch.zeros(1, device=x.device))
    x = (x + torch.randn_like(x) * noise).clamp(0, 1)
    return torch.where(dark, torch.round(x * 255) / 255, x)


def erase(x, probability):
    """Random erasing (Zhong et al., 2017): one rectangle of 2-20 % of each face, random gray."""
    count, side = len(x), x.shape[2]
    area = torch.rand(count, device=x.device) * 0.18 + 0.02
    aspect = torch.exp((torch.rand(count, device=x.device) * 2 - 1) * math.log(2.5))
    height = (torch.sqrt(area * aspect) * side).view(count, 1, 1, 1)
    width = (torch.sqrt(area / aspect) * side).view(count, 1, 1, 1)
    top, left = uniform(x, 0, 1) * (side - height), uniform(x, 0, 1) * (side - width)
    ramp = torch.arange(side, dtype=torch.float32, device=x.device)
    rows, columns = ramp.view(1, 1, side, 1), ramp.view(1, 1, 1, side)
    inside = (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)
    fill = torch.where(chance(x, 0.5), torch.rand(count, 1, side, side, device=x.device), uniform(x, 0, 1))
    return torch.where(inside & chance(x, probability), fill, x)


def augment(images, side, strength=1.0, shifted=0.0):
    """uint8 [N, 48, 48] to a random view, float32 [N, 1, side, side] in -1..1.

    Of a `shifted` share only the place is moved, not the shape (side 44 only): faces as sharp as those it will be asked about.
    """
    x = images.unsqueeze(1).float() / 255
    count = int(len(x) * shifted)
    x = torch.cat([shift(x[:count]), warp(x[count:], side, strength)]) if count > 0 else warp(x, side, strength)
    x = erase(soften(x, strength), 0.4 * strength)
    return relight(x, strength) * 2 - 1


def mix(x, targets, alpha):
    """Mixup (Zhang et al., 2018) with one weight per face."""
    count = len(x)
    weight = torch.distributions.Beta(alpha, alpha).sample((count,)).to(x.device)
    weight = torch.maximum(weight, 1 - weight)
    order = torch.randperm(count, device=x.device)
    x = x * weight.view(-1, 1, 1, 1) + x[order] * (1 - weight).view(-1, 1, 1, 1)
    return x, targets * weight.view(-1, 1) + targets[order] * (1 - weight).view(-1, 1)

"""FER+ faces and votes: reads both layouts and applies the FER+ label rules.

Sources: Barsoum et al., "Training Deep Networks for Facial Expression Recognition with
Crowd-Sourced Label Distribution" (ICMI 2016) for the label rules; the sheet layout is the one
described in the README beside the data. Leaves augmentation to augment.py.
"""
import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"]
VOTE_COLUMNS = CLASSES + ["unknown", "no_face"]
SIDE = 48  # px of a face, as the page brings it too
SHEET_COLUMNS = 64
SHEET_CELLS = 4096
FERPLUS_FOLDERS = {"train": "FER2013Train", "valid": "FER2013Valid", "test": "FER2013Test"}


@dataclass
class Split:
    """Faces `images` uint8 [N, 48, 48] with `votes` int64 [N, 10] in the order of VOTE_COLUMNS."""

    images: np.ndarray
    votes: np.ndarray

    def __len__(self):
        return len(self.images)

    def take(self, keep):
        """The sub-split selected by a boolean mask or an index array."""
        return Split(self.images[keep], self.votes[keep])


def load_split(folder, name):
    """Split `name` ("train", "valid" or "test") of `folder`, in whichever of the two layouts it has."""
    folder = Path(folder)
    if (folder / "votes.csv").exists():
        return _load_sheets(folder, name)
    if (folder / FERPLUS_FOLDERS[name] / "label.csv").exists():
        return _load_ferplus(folder / FERPLUS_FOLDERS[name])
    raise SystemExit(
        f"{folder}: expected votes.csv with {name}-NN.png sheets, or {FERPLUS_FOLDERS[name]}/label.csv; found neither"
    )


def _load_sheets(folder, name):
    with open(folder / "votes.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == name]
    if not rows:
        raise SystemExit(f"{folder}/votes.csv: expected rows of split {name}; found none")
    rows.sort(key=lambda row: int(row["index"]))
    votes = np.array([[int(row[column]) for column in VOTE_COLUMNS] for row in rows])
    sheets = []
    for path in sorted(folder.glob(f"{name}-*.png")):
        sheet = np.asarray(Image.open(path).convert("L"))
        grid = sheet.reshape(sheet.shape[0] // SIDE, SIDE, SHEET_COLUMNS, SIDE)
        cells = grid.transpose(0, 2, 1, 3).reshape(-1, SIDE, SIDE)
        sheets.append(cells[:SHEET_CELLS])
    cells = np.concatenate(sheets)
    return Split(cells[[int(row["index"]) for row in rows]].copy(), votes)


def _load_ferplus(folder):
    images, votes = [], []
    with open(folder / "label.csv", newline="") as file:
        for row in csv.reader(file):
            if not row or not row[0].endswith(".png"):
                continue
            images.append(np.asarray(Image.open(folder / row[0]).convert("L").resize((SIDE, SIDE))))
            votes.append([int(float(value)) for value in row[2:12]])
    return Split(np.stack(images), np.array(votes))


def hashes(split):
    """One digest per image, equal exactly for byte-identical pixels."""
    return np.array([hashlib.sha1(image.tobytes()).hexdigest() for image in split.images])


def majority_labels(votes):
    """Class 0..7 by the FER+ majority rule, -1 where the rule leaves the image out. int64 [N].

    Single votes are dropped as outliers; the top class counts with more than half of the rest.
    """
    kept = np.where(votes > 1, votes, 0)
    top = kept.argmax(1)
    valid = (kept.max(1) * 2 > kept.sum(1)) & (top < len(CLASSES))
    return np.where(valid, top, -1)


def plain_labels(votes):
    """Class 0..7 with the most votes, -1 where that is unknown or no_face: the stricter rule. int64 [N]."""
    top = votes.argmax(1)
    return np.where(top < len(CLASSES), top, -1)


def soft_targets(votes):
    """(targets float32 [N, 8], usable bool [N]): vote distributions for training.

    Single votes are dropped as outliers; images whose top is unknown or no_face, or which keep
    fewer than three votes for an emotion, are not usable; the mass of unknown and no_face goes.
    """
    kept = np.where(votes > 1, votes, 0).astype(np.float32)
    emotions = kept[:, : len(CLASSES)]
    mass = emotions.sum(1)
    usable = (mass >= 3) & (emotions.max(1) >= kept[:, len(CLASSES):].max(1))
    return emotions / np.maximum(mass, 1)[:, None], usable


def training_set(train, valid):
    """(images uint8 [M, 48, 48], targets float32 [M, 8]) for training, free of leaks.

    Train images that are byte-identical to a valid image are dropped, so that every valid figure is
    honest; byte-identical train images are merged into one with the sum of their votes.
    """
    keys, held_back = hashes(train), set(hashes(valid))
    first, merged, index = [], [], {}
    for position, key in enumerate(keys):
        if key in held_back:
            continue
        if key in index:
            merged[index[key]] = merged[index[key]] + train.votes[position]
        else:
            index[key] = len(first)
            first.append(position)
            merged.append(train.votes[position])
    targets, usable = soft_targets(np.array(merged))
    return train.images[first][usable], targets[usable]


def repeats(targets, power):
    """How often each image is shown per epoch, float64 [N] >= 1: (largest class / its class) ** power, by its soft mix."""
    mass = targets.sum(0)
    factor = (mass.max() / mass) ** power
    return targets @ factor

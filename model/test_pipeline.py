"""Tests of the pipeline on synthetic faces: python3 -m unittest discover model. No data set is needed."""
import argparse
import contextlib
import copy
import io
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import augment
import data
import export
import measure
import products
import published
import train
from network import EmotionNet, widened


def synthetic(count, seed):
    """A split of `count` noise images with random votes, most of them with a clear majority."""
    random = np.random.default_rng(seed)
    votes = np.zeros((count, 10), int)
    votes[np.arange(count), random.integers(0, 8, count)] = 8
    votes[np.arange(count), random.integers(0, 8, count)] += 2
    return data.Split(random.integers(0, 256, (count, 48, 48)).astype(np.uint8), votes)


def options(work, **changes):
    values = dict(
        work=work, epochs=3, minutes=None, batch=16, rate=0.05, decay=5e-4, mixup=0.2, balance=0.2, seed=3, threads=2, fresh=False,
        init=None, teacher=[], teaching=0.4, hold=0.0, averaging=0.999, bf16=False, refine=False, widen=1, device=torch.device("cpu"),
    )
    return argparse.Namespace(**{**values, **changes})


class Labels(unittest.TestCase):
    def test_single_votes_are_outliers_and_ties_are_left_out(self):
        votes = np.array([
            [6, 1, 1, 1, 1, 0, 0, 0, 0, 0],  # six of six that count
            [5, 5, 0, 0, 0, 0, 0, 0, 0, 0],  # not more than half
            [0, 2, 0, 0, 0, 0, 0, 0, 8, 0],  # unknown
            [0, 0, 0, 0, 0, 0, 0, 9, 0, 1],
        ])
        self.assertEqual(data.majority_labels(votes).tolist(), [0, -1, -1, 7])
        targets, usable = data.soft_targets(votes)
        self.assertEqual(usable.tolist(), [True, True, False, True])
        self.assertEqual(targets[1].tolist(), [0.5, 0.5, 0, 0, 0, 0, 0, 0])

    def test_copies_of_valid_are_dropped_and_copies_within_train_merged(self):
        split, valid = synthetic(4, 1), synthetic(2, 2)
        split.images[1], split.images[3] = split.images[0], valid.images[0]
        split.votes[0], split.votes[1] = [10] + [0] * 9, [0, 10] + [0] * 8
        images, targets = data.training_set(split, valid)
        self.assertEqual(len(images), 2)
        self.assertEqual(targets[0].tolist(), [0.5, 0.5, 0, 0, 0, 0, 0, 0])

    def test_both_layouts_give_the_same_split(self):
        split = synthetic(70, 5)
        with tempfile.TemporaryDirectory() as folder:
            sheets, original = Path(folder) / "sheets", Path(folder) / "original" / "FER2013Valid"
            sheets.mkdir()
            original.mkdir(parents=True)
            cells = np.zeros((128, 48, 48), np.uint8)
            cells[:70] = split.images
            Image.fromarray(cells.reshape(2, 64, 48, 48).transpose(0, 2, 1, 3).reshape(96, 3072)).save(sheets / "valid-00.png")
            rows = ["split,index,name," + ",".join(data.VOTE_COLUMNS)]
            labels = []
            for i, votes in enumerate(split.votes):
                line = ",".join(map(str, votes))
                rows.append(f"valid,{i},fer{i}.png,{line}")
                labels.append(f'fer{i}.png,"(0, 0, 48, 48)",{line}')
                Image.fromarray(split.images[i]).save(original / f"fer{i}.png")
            (sheets / "votes.csv").write_text("\n".join(rows))
            (original / "label.csv").write_text("\n".join(labels))
            for loaded in (data.load_split(sheets, "valid"), data.load_split(original.parent, "valid")):
                self.assertTrue((loaded.images == split.images).all())
                self.assertTrue((loaded.votes == split.votes).all())


class Training(unittest.TestCase):
    def test_an_interrupted_run_ends_with_the_weights_of_an_uninterrupted_one(self):
        images, targets = data.training_set(synthetic(64, 1), synthetic(8, 2))
        images, targets, valid = torch.from_numpy(images), torch.from_numpy(targets), synthetic(8, 2)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            whole = train.Run(options(folder + "/whole"))
            train.train(whole, images, targets, valid)
            first = train.Run(options(folder + "/parts"))
            stop, save = RuntimeError("pulled the plug"), first.save

            def save_then_stop():
                save()
                raise stop

            first.save = save_then_stop
            with self.assertRaises(RuntimeError):
                train.train(first, images, targets, valid)
            second = train.Run(options(folder + "/parts"))
            second.restore()
            self.assertEqual(second.epoch, 1)
            train.train(second, images, targets, valid)
        for one, other in zip(whole.average.state_dict().values(), second.average.state_dict().values()):
            self.assertTrue(torch.equal(one, other))

    def test_a_run_starts_from_earlier_weights_and_learns_from_their_answers(self):
        images, targets = data.training_set(synthetic(64, 1), synthetic(8, 2))
        images, targets, valid = torch.from_numpy(images), torch.from_numpy(targets), synthetic(8, 2)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            first = train.Run(options(folder, epochs=1))
            train.train(first, images, targets, valid)
            earlier = str(first.path)
            again = train.Run(options(folder + "/again", init=earlier))
            for one, other in zip(first.average.state_dict().values(), again.model.state_dict().values()):
                self.assertTrue(torch.equal(one, other))
            views = train.view(images, 0.5)
            once, twice = options(folder, teacher=[earlier], teaching=1.0), options(folder, teacher=[earlier, earlier])
            alone = train.taught(views, targets, train.Run(once).teachers, once)
            taught = train.taught(views, targets, train.Run(twice).teachers, twice)
            train.train(train.Run(options(folder + "/taught", teacher=[earlier], epochs=1)), images, targets, valid)
        self.assertTrue(torch.allclose(taught, 0.6 * targets + 0.4 * alone, atol=1e-6))
        self.assertTrue(torch.allclose(taught.sum(1), torch.ones(len(taught)), atol=1e-5))

    def test_a_teacher_may_be_wider_than_the_network_that_learns_from_it(self):
        images, targets = data.training_set(synthetic(64, 1), synthetic(8, 2))
        images, targets, valid = torch.from_numpy(images), torch.from_numpy(targets), synthetic(8, 2)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            wide = train.Run(options(folder + "/wide", epochs=1, widen=2))
            train.train(wide, images, targets, valid)
            small = train.Run(options(folder + "/small", epochs=1, teacher=[str(wide.path)]))
            train.train(small, images, targets, valid)
            again = train.Run(options(folder + "/again", init=str(small.path), widen=2))
            with self.assertRaisesRegex(SystemExit, "expected a network whose 2 times"):
                train.Run(options(folder + "/narrow", init=str(wide.path)))
        (teacher,) = small.teachers
        self.assertEqual(again.model.head.in_features, teacher.head.in_features)
        self.assertEqual(teacher.head.in_features, 2 * small.model.head.in_features)
        for one, other in zip(wide.average.state_dict().values(), teacher.state_dict().values()):
            self.assertTrue(torch.equal(one, other))


def lived_in(seed):
    """A network whose norms have seen something."""
    torch.manual_seed(seed)
    model = EmotionNet()
    with torch.no_grad():
        for name, value in model.named_buffers():
            if name.endswith("running_var"):
                value.uniform_(0.5, 2)
            elif name.endswith("running_mean"):
                value.normal_(0, 0.1)
        for block in model.blocks:
            block.norm2.weight.uniform_(0.2, 1)
    return model.eval()


class Width(unittest.TestCase):
    def test_a_widened_network_says_the_same_until_its_copies_grow_apart(self):
        model, faces = lived_in(4), torch.rand(4, 1, 48, 48) * 2 - 1
        with torch.no_grad():
            self.assertTrue(torch.allclose(widened(model, 3, noise=0).eval()(faces), model(faces), atol=1e-4))
            self.assertFalse(torch.allclose(widened(model, 3).eval()(faces), model(faces), atol=1e-2))


class Crop(unittest.TestCase):
    def test_the_margin_of_a_face_is_not_looked_at(self):
        model, faces = lived_in(1), torch.rand(4, 1, 48, 48) * 2 - 1
        other = faces.clone()
        other[:, :, 0] = other[:, :, -1] = other[:, :, :, 0] = other[:, :, :, -1] = 0.7
        with torch.no_grad():
            self.assertTrue(torch.equal(model(other), model(faces)))
            self.assertTrue(torch.equal(model(faces[:, :, 1:-1, 1:-1]), model(faces)))
            model.margin = 0
            self.assertFalse(torch.equal(model(other), model(faces)))

    def test_a_refining_run_leaves_half_of_the_faces_in_their_shape(self):
        torch.manual_seed(0)
        ramp = torch.arange(48, dtype=torch.uint8).mul(4).expand(1, 48, 48)
        shifted = augment.shift(ramp.unsqueeze(1).float().expand(64, 1, 48, 48))
        self.assertEqual(shifted.shape, (64, 1, 44, 44))
        self.assertTrue(bool(((shifted[:, :, :, 1:] - shifted[:, :, :, :-1]).abs() == 4).all()))
        starts = {float(face[0, 0, 0]) for face in shifted}
        self.assertEqual(starts, {4.0 * place for place in range(5)} | {4.0 * (47 - place) for place in range(5)})
        self.assertEqual(train.view(ramp.expand(6, 48, 48), 0.3, refine=True).shape, (6, 1, 44, 44))


class Schedule(unittest.TestCase):
    def test_the_rate_is_held_at_its_peak_and_then_falls_to_nothing(self):
        self.assertEqual(train.learning_rate(0.5, 0.04, hold=0.75), 0.04)
        self.assertLess(train.learning_rate(0.9, 0.04, hold=0.75), 0.04)
        self.assertAlmostEqual(train.learning_rate(1.0, 0.04, hold=0.75), 0)

    def test_bfloat16_trains_too(self):
        images, targets = data.training_set(synthetic(64, 1), synthetic(8, 2))
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            run = train.Run(options(folder, epochs=1, bf16=True))
            before = copy.deepcopy(run.model.state_dict())
            train.train(run, torch.from_numpy(images), torch.from_numpy(targets), synthetic(8, 2))
        self.assertFalse(torch.equal(before["head.weight"], run.model.state_dict()["head.weight"]))
        self.assertTrue(all(value.isfinite().all() for value in run.average.state_dict().values()))


class Published(unittest.TestCase):
    def test_a_published_network_answers_the_same_when_it_is_read_back_and_when_its_norms_are_unfolded(self):
        model, faces = lived_in(3), torch.rand(32, 1, 48, 48) * 2 - 1
        folded = export.fold(model)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "emotion.onnx"
            export.write_onnx(folded, path)
            again = train.averaged_network(str(path))
        with torch.no_grad():
            wanted = folded(faces)
            self.assertLess(float((again(faces) - wanted).abs().max()), 1e-4)
            published.unfold_norms(again, faces)
            self.assertLess(float((again(faces) - wanted).abs().max()), 1e-4)
            again.dropout.eval()
            for module in again.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.train()
            self.assertLess(float((again(faces) - wanted).abs().max()), 1e-3)


    def test_the_mean_of_published_networks_has_the_mean_of_their_weights(self):
        models = [lived_in(5), lived_in(6)]
        with tempfile.TemporaryDirectory() as folder:
            paths = [str(Path(folder) / f"{index}.onnx") for index in range(2)]
            for model, path in zip(models, paths):
                export.write_onnx(export.fold(model), Path(path))
            mean, one, other = published.mean(paths), train.averaged_network(paths[0]), train.averaged_network(paths[1])
        wanted = (one.head.weight + other.head.weight) / 2
        self.assertTrue(torch.allclose(mean.head.weight, wanted))
        self.assertFalse(torch.allclose(one.head.weight, other.head.weight))


class Export(unittest.TestCase):
    def test_folding_and_storing_halves_keeps_the_answers(self):
        model = lived_in(0)
        faces = torch.rand(8, 1, 48, 48) * 2 - 1
        kept = copy.deepcopy(model.state_dict())
        with torch.no_grad():
            difference = (model(faces) - export.fold(model)(faces)).abs().max()
            spread = model(faces).std()
        self.assertLess(float(difference / spread), 0.02)
        for name, value in model.state_dict().items():
            self.assertTrue(torch.equal(value, kept[name]), name)

    def test_products_on_small_maps_answer_as_the_convolutions_they_stand_for(self):
        folded, faces = export.fold(lived_in(2)), torch.rand(3, 1, 48, 48) * 2 - 1
        changed = copy.deepcopy(folded)
        products.on_small_maps(changed, data.SIDE - 2 * changed.margin)
        self.assertEqual([isinstance(block, products.ProductBlock) for block in changed.blocks], [False, False, True, True, True])
        with torch.no_grad():
            self.assertLess(float((changed(faces) - folded(faces)).abs().max()), 1e-4)

    def test_calibration_finds_the_temperature_that_was_hidden(self):
        random = np.random.default_rng(0)
        scores = random.normal(0, 2, (4000, 8))
        chances = measure.softmax(scores)
        labels = np.array([random.choice(8, p=row) for row in chances])
        temperature, threshold, coverage = export.calibrate((scores * 0.7).astype(np.float32), labels)
        self.assertAlmostEqual(temperature, 0.7, delta=0.05)
        self.assertLess(measure.figures(scores, labels)["ece"], 0.04)
        self.assertTrue(0.5 < threshold < 1 and 0 < coverage < 1)


if __name__ == "__main__":
    unittest.main()

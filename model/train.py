"""One command from data to the network the page loads: train, calibrate, export, evaluate, model card.

    python3 model/train.py --data DIR [--epochs 100 | --minutes 80]

With --epochs a run is deterministic by seed; with --minutes the schedule follows the processor time
instead: it is annealed after about this long on idle cores, later on a busy machine. An interrupted
run goes on from its last epoch when the same command is given again (--fresh starts over).
"""
import argparse
import copy
import math
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import augment  # noqa: E402
import data  # noqa: E402
import measure  # noqa: E402
from network import EmotionNet, count_macs, count_parameters, widened  # noqa: E402

HERE = Path(__file__).resolve().parent
WARM_UP = 0.02  # share of the run with rising learning rate
CALM_FROM = 0.40  # from here the augmentation weakens, down to half at the end
NO_MIXUP = 0.75  # from here: no mixup
SIDES = ((0.45, 37), (1.0, augment.SHOWN))  # (up to this share of the run, training side in px)
SHIFTED = 0.5  # share of the faces that a refining run leaves in their shape


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder in the sheet or the FER+ layout")
    parser.add_argument("--out", default=str(HERE.parent / "web/public/models"), help="where emotion.onnx and .json go")
    parser.add_argument("--work", default=str(HERE / ".cache/run"), help="checkpoints of this run")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--minutes", type=float, help="let the schedule follow the work done: this long on idle cores")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=0.1, help="peak learning rate")
    parser.add_argument("--hold", type=float, default=0.0, help="share of the run until which the learning rate stays at its peak")
    parser.add_argument("--averaging", type=float, default=0.999, help="how much of the averaged weights stays at each step")
    parser.add_argument("--bf16", action="store_true", help="convolutions in bfloat16: 1.6 times faster on a CPU that has it")
    parser.add_argument("--decay", type=float, default=5e-4, help="weight decay, not on norms and biases")
    parser.add_argument("--mixup", type=float, default=0.2, help="alpha of mixup")
    parser.add_argument("--balance", type=float, default=0.2, help="power of class balance by repetition")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--widen", type=int, default=1, help="train a teacher with this many times the channels; it stays a checkpoint")
    parser.add_argument("--limit", type=int, help="use only this many training images (for a dry run)")
    parser.add_argument("--init", help="checkpoint whose averaged weights this run starts from")
    parser.add_argument("--teacher", action="append", default=[], help="checkpoint to learn from as well; may be given several times")
    parser.add_argument("--teaching", type=float, default=0.4, help="share of the target that the teachers give")
    parser.add_argument("--refine", action="store_true", help="go on from a trained network (--init): calm augmentation, no mixup, full size")
    parser.add_argument("--fresh", action="store_true", help="ignore the checkpoint of an earlier run")
    parser.set_defaults(device=accelerator())
    return parser.parse_args()


def work_seconds():
    """Seconds of work this process got on its threads: on a busy machine the schedule waits instead of rushing."""
    return time.process_time() / torch.get_num_threads()


def learning_rate(progress, peak, hold=0.0):
    """Linear warm-up, the peak until `hold`, then cosine to zero, over progress 0..1."""
    if progress < WARM_UP:
        return peak * (0.05 + 0.95 * progress / WARM_UP)
    falls_from = max(WARM_UP, hold)
    if progress <= falls_from:
        return peak
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - falls_from) / (1 - falls_from))))


def strength(progress, refine=False):
    """How strong the augmentation is: 1, then falling to 0.5 so that the end fits faces as they are; from 0.8 to 0.4 in a refining run."""
    if refine:
        return 0.8 - 0.4 * progress
    return 1 - 0.5 * max(0.0, (progress - CALM_FROM) / (1 - CALM_FROM))


def view(images, progress, refine=False):
    """What the network is shown of uint8 faces [N, 48, 48] at this point of the schedule: float32 [N, 1, side, side]."""
    if refine:
        return augment.augment(images, augment.SHOWN, strength(progress, refine), SHIFTED)
    side = next(size for until, size in SIDES if progress <= until)
    return augment.augment(images, side, strength(progress))


def create_optimizer(model, rate, decay):
    """SGD with Nesterov momentum; weight decay on weights only."""
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True)


@torch.no_grad()
def follow(average, model, step, decay):
    """Move the averaged weights and norm statistics towards the model's."""
    weight = 1 - min(decay, (1 + step) / (10 + step))
    for kept, current in zip(average.state_dict().values(), model.state_dict().values()):
        if kept.dtype.is_floating_point:
            kept.lerp_(current, weight)
        else:
            kept.copy_(current)


def accelerator():
    """Where to train: an accelerator when there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def reduced_precision(options):
    """Convolutions in bfloat16 where the run asks for it."""
    return torch.autocast(options.device.type, torch.bfloat16, enabled=options.bf16)


def averaged_network(path):
    """The averaged network that a checkpoint holds, or a published one (`.onnx`), ready to be asked and to be trained on."""
    if str(path).endswith(".onnx"):
        import published
        model = EmotionNet()
        published.load(model, path)
    else:
        state = torch.load(path, map_location="cpu")
        model = EmotionNet(widen=state["options"].get("widen", 1))
        model.load_state_dict(state["average"])
    return model.to(memory_format=torch.channels_last).eval()


def first_network(options):
    """What a run starts from: fresh weights, or those of another network, widened where this one has more channels."""
    if not options.init:
        return EmotionNet(widen=options.widen)
    found = averaged_network(options.init)
    times, rest = divmod(options.widen, found.widen)
    if rest != 0:
        raise SystemExit(f"--init {options.init}: expected a network whose {found.widen} times the channels divide --widen {options.widen}")
    return widened(found, times) if times > 1 else found


@torch.no_grad()
def taught(x, targets, teachers, options):
    """Targets mixed with what the teachers say of the very view that the network is shown: their mean, float32 [N, 8].

    Born-again distillation (Furlanello et al., 2018): votes of ten people are noisy, and a network that has seen all of them knows better
    than ten votes how a face would be called. Of the same view, mixed faces too (Beyer et al., "a good teacher is patient and consistent",
    2022): so an erased mouth teaches what can still be known, and few faces become many.
    """
    if not teachers:
        return targets
    with reduced_precision(options):
        answers = torch.stack([F.softmax(teacher(x).float(), 1) for teacher in teachers]).mean(0)
    return (1 - options.teaching) * targets + options.teaching * answers


class Run:
    """State of one training run: model, average, optimizer, where it stands; saved after each epoch."""

    def __init__(self, options):
        self.options = options
        torch.manual_seed(options.seed)
        self.model = first_network(options).to(options.device, memory_format=torch.channels_last).train()
        self.average = copy.deepcopy(self.model).eval()
        self.teachers = [averaged_network(path).to(options.device) for path in options.teacher]
        self.optimizer = create_optimizer(self.model, options.rate, options.decay)
        self.epoch, self.step, self.seconds = 0, 0, 0.0
        self.path = Path(options.work) / "checkpoint.pt"

    def progress(self, fraction, clock):
        """Share of the schedule done, 0..1, `fraction` into the current epoch, `clock` seconds of work into this process."""
        if self.options.minutes:
            return min(1.0, (self.seconds + clock) / (self.options.minutes * 60))
        return min(1.0, (self.epoch + fraction) / self.options.epochs)

    def save(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.model.state_dict(), "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(), "epoch": self.epoch, "step": self.step,
            "seconds": self.seconds, "options": {key: value for key, value in vars(self.options).items() if key != "device"},
        }
        torch.save(state, self.path.with_suffix(".tmp"))
        os.replace(self.path.with_suffix(".tmp"), self.path)

    def restore(self):
        """Continue an interrupted run of this work folder, if there is one."""
        if self.options.fresh or not self.path.exists():
            return
        state = torch.load(self.path, map_location=self.options.device)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.step, self.seconds = state["epoch"], state["step"], state["seconds"]
        print(f"resumed after epoch {self.epoch}", flush=True)


def train_epoch(run, images, targets, started):
    """One pass over the images, each shown as often as class balance says; the mean loss."""
    options = run.options
    torch.manual_seed(options.seed * 100003 + run.epoch)
    times = torch.from_numpy(data.repeats(targets.cpu().numpy(), options.balance)).float()
    times = (times + torch.rand(len(times))).floor().long()
    order = torch.repeat_interleave(torch.arange(len(images)), times)
    order = order[torch.randperm(len(order))].to(images.device)
    batches = order[: len(order) // options.batch * options.batch].split(options.batch)
    run.model.train()
    base = time.monotonic()
    total = 0.0
    progress = 0
    for index, batch in enumerate(batches):
        progress = run.progress(index / len(batches), work_seconds() - started)
        if progress >= 1:
            break
        x = view(images[batch], progress, options.refine)
        y = targets[batch]
        if not options.refine and progress < NO_MIXUP and options.mixup > 0:
            x, y = augment.mix(x, y, options.mixup)
        x = x.contiguous(memory_format=torch.channels_last)
        y = taught(x, y, run.teachers, options)
        for group in run.optimizer.param_groups:
            group["lr"] = learning_rate(progress, options.rate, options.hold)
        with reduced_precision(options):
            scores = run.model(x)
        loss = F.cross_entropy(scores.float(), y)
        run.optimizer.zero_grad()
        loss.backward()
        run.optimizer.step()
        run.step += 1
        follow(run.average, run.model, run.step, options.averaging)
        total += float(loss.detach())
        if sys.stdout.isatty() and index % 20 == 0:
            print(f"\r{index}/{len(batches)} loss {total / (index + 1):.4f}", end="", flush=True)
    return {"loss": total / max(1, index), "progress": progress, "seconds": time.monotonic() - base}


def train(run, train_images, train_targets, valid):
    """Train to the end of the schedule; the averaged model."""
    started = work_seconds()
    already = run.seconds
    labels = data.majority_labels(valid.votes)
    while run.progress(0, work_seconds() - started) < 1:
        report = train_epoch(run, train_images, train_targets, started)
        run.epoch += 1
        with reduced_precision(run.options):
            scores = measure.logits(run.average, valid.images)
        figures = measure.figures(scores, labels)
        recalls = " ".join("-" if r is None else f"{100 * r:.0f}" for r in figures["recall"].values())
        print(
            f"epoch {run.epoch} {100 * report['progress']:.1f}% loss {report['loss']:.4f} "
            f"valid {100 * figures['accuracy']:.2f} macro {100 * figures['macroRecall']:.1f} [{recalls}] "
            f"{report['seconds']:.0f} s", flush=True,
        )
        elapsed = work_seconds() - started
        run.seconds = already + elapsed
        run.save()
        run.seconds = already
    run.seconds = already + work_seconds() - started
    return run.average


def main():
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    train_split, valid = data.load_split(options.data, "train"), data.load_split(options.data, "valid")
    images, targets = data.training_set(train_split, valid)
    if options.limit:
        images, targets = images[: options.limit], targets[: options.limit]
    run = Run(options)
    if str(options.init).endswith(".onnx"):
        import published
        published.unfold_norms(run.model, augment.augment(torch.from_numpy(images[:1024]).to(options.device), augment.SHOWN))
        run.average.load_state_dict(run.model.state_dict())
    run.restore()
    print(
        f"{len(images)} training images, {count_parameters(run.model)} parameters, "
        f"{count_macs(run.model) / 1e6:.1f} MMAC", flush=True,
    )
    images, targets = torch.from_numpy(images).to(options.device), torch.from_numpy(targets).to(options.device)
    train(run, images, targets, valid)
    if options.widen != 1:
        print(f"teacher ready: --teacher {run.path}")
        return
    import export
    export.publish(run.average.cpu(), train_split, valid, options)


if __name__ == "__main__":
    main()

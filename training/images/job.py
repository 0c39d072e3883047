"""Training a classifier of pictures: what the tasks with CIFAR-10 share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from derive.errors import UsageError
from training.data.cifar10 import SIDE, SOURCE, Images, read_images
from training.data.digest import digest
from training.data.download import Say
from training.images.augment import Augmentation
from training.images.schedule import Lookahead, Triangle
from training.run.job import Job, Loss
from training.run.limits import SHARE, Between, Limit, positive
from training.run.order import Order
from training.run.precision import cast
from training.run.results import Cell
from training.run.settings import Own, Settings

OWN: Mapping[str, Own] = {
    "held_out": 0.02,
    "momentum": 0.85,
    "weight_decay": 0.00133,
    "bias_rate": 64.0,
    "smoothing": 0.2,
    "crop": 2,
    "cutout": 0,
    "peak": 0.23,
}
"""Settings that every task with pictures has."""
MEANING: Mapping[str, str] = {
    "held_out": "share of the training pictures that is kept to look at after each epoch",
    "momentum": "of SGD, after Nesterov",
    "weight_decay": "factor of the weights that is added to the gradient",
    "bias_rate": "how many times the learning rate the shifts of the normalisation get",
    "smoothing": "share of the target that is spread over all classes",
    "crop": "by how many points a picture is shifted at most",
    "cutout": "side of the square that is taken out of a picture, 0 for none",
    "peak": "share of the run after which the learning rate is highest",
}
LIMITS: Mapping[str, Limit] = {
    "held_out": SHARE,
    "momentum": Between(0.0, 1.0, below=True),
    "weight_decay": Between(0.0, 1e6),
    "bias_rate": positive(1e6),
    "smoothing": Between(0.0, 1.0, below=True),
    "crop": Between(0, SIDE // 2),
    "cutout": Between(0, SIDE),
    "peak": Between(0.0, 1.0, below=True),
}
_BATCH = 500
"""Pictures at once where nothing is learnt."""


class Scaled:
    """Pictures with mean 0 and standard deviation 1 in each colour, over those that were trained with."""

    def __init__(self, trained: Images, device: str, dtype: torch.dtype) -> None:
        counts = np.stack([np.bincount(colour.ravel(), minlength=256) for colour in trained.pictures.swapaxes(0, 1)])
        values = np.arange(256) / 255
        mean = counts @ values / counts.sum(1)
        spread = np.sqrt(counts @ values**2 / counts.sum(1) - mean**2).clip(1 / 255)
        shape = (1, 3, 1, 1)
        self.mean, self.spread = (
            torch.as_tensor(part, dtype=dtype, device=device).reshape(shape) for part in (mean, spread)
        )

    def __call__(self, pictures: Tensor) -> Tensor:
        """Of bytes."""
        return (pictures.to(self.mean.dtype) / 255 - self.mean) / self.spread

    def back(self, pictures: Tensor) -> Tensor:
        """Colours from 0 to 1."""
        return (pictures * self.spread + self.mean).clamp(0, 1)

    @property
    def limits(self) -> tuple[Tensor, Tensor]:
        """What black and white become."""
        return -self.mean / self.spread, (1 - self.mean) / self.spread


class Labelled:
    """Pictures as bytes (N, 3, 32, 32) and classes (N,) on a device."""

    def __init__(self, images: Images, device: str) -> None:
        self.pictures = torch.from_numpy(images.pictures).to(device)
        self.classes = torch.from_numpy(images.classes.astype(np.int64)).to(device)

    def __len__(self) -> int:
        return len(self.classes)


class ImagesJob(Job):
    """Training pictures, a part of them held out, those of the test, and a network.

    Parameters
    ----------
    build : makes the network of scaled training pictures.
    """

    optimizer: torch.optim.Optimizer

    def __init__(self, train: Images, test: Images, settings: Settings, build: Callable[[Tensor], nn.Module]) -> None:
        self.settings = settings
        own = settings.own
        self._dtype: torch.dtype = getattr(torch, settings.dtype)
        order = np.random.default_rng((settings.seed, 0)).permutation(len(train))
        held = int(float(own["held_out"]) * len(train))
        if not 0 < held < len(train):
            raise UsageError(
                f"of {len(train):,} pictures, {held:,} are held out",
                expected="some to train with, and some held out (--set held_out=0.02)",
            )
        trained = Images(train.pictures[order[held:]], train.classes[order[held:]])
        self.scaled = Scaled(trained, settings.device, self._dtype)
        self.train = Labelled(trained, settings.device)
        self.held_out = Labelled(Images(train.pictures[order[:held]], train.classes[order[:held]]), settings.device)
        self.test = Labelled(test, settings.device)
        self.order = Order(len(trained), settings.batch, settings.seed)
        self.steps = settings.steps or settings.epochs * self.order.steps
        self.augment = Augmentation(int(own["crop"]), int(own["cutout"]), settings.seed)
        model = build(self.scaled(self.train.pictures[:5000])).to(settings.device, self._dtype)
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        super().__init__(
            model,
            self._sgd(model),
            self.order.steps,
            ("held_out", "held_out_accuracy"),
            {"held_out_accuracy": "accuracy"},
        )
        self.data = {
            "training pictures": digest([train.pictures, train.classes]),
            "test pictures": digest([test.pictures, test.classes]),
        }
        self.rate = Triangle(self.steps, peak=float(own["peak"]))
        self.lookahead = Lookahead(model, self.steps)
        self._looked = 0

    def _sgd(self, model: nn.Module) -> torch.optim.Optimizer:
        """SGD; the shifts of the normalisation learn faster, and decay as much in each step as the rest."""
        own = self.settings.own
        rate, decay, faster = self.settings.learning_rate, float(own["weight_decay"]), float(own["bias_rate"])
        norms = {id(m.bias) for m in model.modules() if isinstance(m, nn.BatchNorm2d)}
        shifts = [value for value in model.parameters() if id(value) in norms]
        others = [value for value in model.parameters() if id(value) not in norms]
        groups = [
            {"params": others, "lr": rate, "weight_decay": decay, "highest": rate},
            {"params": shifts, "lr": rate * faster, "weight_decay": decay / faster, "highest": rate * faster},
        ]
        return torch.optim.SGD(groups, lr=rate, momentum=float(own["momentum"]), nesterov=float(own["momentum"]) > 0)

    # -- a step ------------------------------------------------------------------------------------

    def loss(self, step: int) -> Loss:
        """The mean cross entropy of a batch; the curve shows it without smoothing."""
        if step:
            self.lookahead.after(step)
        self.model.train()
        rows = self.order.rows(step)
        index = torch.as_tensor(rows, device=self.settings.device)
        pictures = self.augment(self.scaled(self.train.pictures[index]), rows, step // self.order.steps, step)
        scores = self.scores(pictures)
        classes = self.train.classes[index]
        objective = cross_entropy(scores, classes, label_smoothing=float(self.settings.own["smoothing"]))
        return Loss(objective, float(cross_entropy(scores.detach(), classes)))

    def before_update(self, step: int) -> None:
        """The learning rate of this step."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["highest"] * self.rate(step)

    def scores(self, pictures: Tensor) -> Tensor:
        """Scores (B, 10) of scaled pictures, in the weights' own number format."""
        found: Tensor = self.model(pictures.contiguous(memory_format=torch.channels_last))
        return found.to(self._dtype)

    def measure(self, step: int) -> Mapping[str, Cell]:
        """Loss and accuracy of the pictures that are held out, in the first row after the end of each epoch."""
        if step // self.epoch == self._looked:
            return {}
        self._looked = step // self.epoch
        scores = self.judged(self.held_out)
        return {
            "held_out": float(cross_entropy(scores, self.held_out.classes)),
            "held_out_accuracy": accuracy(scores, self.held_out.classes),
        }

    # -- what it can do ----------------------------------------------------------------------------

    @torch.no_grad()
    def judged(self, data: Labelled, views: int = 1) -> Tensor:
        """Scores of pictures, in the precision in which they were learnt, as means over views: 1 as they are; 2 mirrored as well; 6 both,
        and both shifted by a point in two directions, where those in the middle count twice.
        """
        self.model.eval()
        parts = []
        with cast(self.settings.precision, self.settings.device):
            for start in range(0, len(data), _BATCH):
                pictures = self.scaled(data.pictures[start : start + _BATCH])
                parts.append(sum(share * self.scores(view) for share, view in seen(pictures, views)))
        return torch.cat([torch.as_tensor(part) for part in parts])

    def finish(self) -> None:
        """The averaged weights take the place of the last ones."""
        self.lookahead.finish()

    def state(self) -> dict[str, Any]:
        return {"slow": self.lookahead.slow, "looked": self._looked}

    def restore(self, state: dict[str, Any]) -> None:
        self.lookahead.restore(state["slow"])
        self._looked = state["looked"]


def seen(pictures: Tensor, views: int) -> list[tuple[float, Tensor]]:
    """Views of pictures with their shares."""
    if views == 1:
        return [(1.0, pictures)]
    both = [pictures, pictures.flip(-1)]
    if views == 2:
        return [(0.5, view) for view in both]
    wide = pad(pictures, (1, 1, 1, 1), mode="reflect")
    moved = [wide[:, :, at : at + SIDE, at : at + SIDE] for at in (0, 2)]
    return [(0.25, view) for view in both] + [(0.125, view) for one in moved for view in (one, one.flip(-1))]


def accuracy(scores: Tensor, classes: Tensor) -> float:
    """The share of pictures whose own class has the highest score."""
    return float((scores.argmax(1) == classes).double().mean())


def read_data(data: str | None, say: Say) -> tuple[Images, Images]:
    """Pictures for training, and of the test."""
    folder = SOURCE.folder(data, say)
    return read_images(folder, "train", say), read_images(folder, "test", say)


__all__ = ["LIMITS", "MEANING", "OWN", "ImagesJob", "Labelled", "Scaled", "accuracy", "read_data", "seen"]

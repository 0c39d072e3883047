"""CIFAR-10 as a competition: the highest accuracy that half an hour on two cores of a processor gives.

The network is :class:`training.images.network.WhitenedNet`, the recipe that of Jordan 2024 (arXiv:2404.00498): SGD with a learning
rate that rises and falls in straight lines, label smoothing, mirrored and shifted pictures, a slow copy of the weights, and at the end
the mean over six views of each test picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from training.data.cifar10 import CLASSES, SOURCE, Images, read_images
from training.data.download import Say
from training.images.job import LIMITS, MEANING, OWN, ImagesJob, accuracy, read_data
from training.images.network import WhitenedNet
from training.run.job import Loss
from training.run.limits import OneOf
from training.run.results import Cell, Results, Table
from training.run.settings import Settings
from training.run.submission import written
from training.tasks.task import Submission, Task

SUBMISSION = "submission.csv"
_FREEZE = 0.3
"""Share of the run after which the shift of the first layer stays as it is."""


class CompetitionJob(ImagesJob):
    """The network of the competition."""

    model: WhitenedNet

    def __init__(self, train: Images, test: Images, settings: Settings) -> None:
        def build(pictures: Tensor) -> WhitenedNet:
            net = WhitenedNet(settings.hidden, int(settings.own["convolutions"]), len(CLASSES)).to(pictures)
            net.start(pictures)
            return net

        super().__init__(train, test, settings, build)

    def loss(self, step: int) -> Loss:
        bias = self.model.whiten.bias
        if bias is not None:
            bias.requires_grad_(step < _FREEZE * self.steps)
        return super().loss(step)

    def results(self) -> Results:
        """Accuracies, the table of confusions, and the file that is handed in."""
        self.finish()
        scores = self.judged(self.test, int(self.settings.own["views"]))
        classes, labels = self.test.classes, scores.argmax(1)
        share = accuracy(scores, classes)
        numbers = {
            "test accuracy": share,
            "standard error of it": math.sqrt(share * (1 - share) / len(classes)),
            "test accuracy from one view": accuracy(self.judged(self.test), classes),
            "test loss": float(cross_entropy(scores, classes)),
            "held-out accuracy": accuracy(
                self.judged(self.held_out, int(self.settings.own["views"])), self.held_out.classes
            ),
            "test pictures": len(classes),
        }
        tables = (_by_class(labels, classes), _confused(labels, classes))
        said = (
            f"{int((labels != classes).sum()):,} of {len(classes):,} test pictures are taken for something else; "
            f"the labels of all of them are in {SUBMISSION}.",
        )
        content = written(labels.tolist(), CLASSES).encode()
        return Results(numbers, tables, said=said, key=("test accuracy",), files={SUBMISSION: content})


def confusions(labels: Tensor, classes: Tensor) -> Tensor:
    """How many pictures of class i (row) are taken for class j (column)."""
    count = len(CLASSES)
    return torch.bincount(classes.cpu() * count + labels.cpu(), minlength=count * count).reshape(count, count)


def _by_class(labels: Tensor, classes: Tensor) -> Table:
    table = confusions(labels, classes)
    right = table.diagonal()
    rows: list[list[Cell]] = []
    for k, name in enumerate(CLASSES):
        others = table[k].clone()
        others[k] = 0
        most = int(others.argmax())
        rows.append([
            name, int(table[k].sum()), float(right[k] / table[k].sum().clamp(min=1)),
            float(right[k] / table[:, k].sum().clamp(min=1)), f"{CLASSES[most]} ({int(others[most])})",
        ])  # fmt: skip
    note = "recall: the share of the pictures of a class that are recognised; precision: the share of those called so that are."
    return Table(
        "Test pictures by class", ("class", "pictures", "recall", "precision", "most often taken for"), rows, note
    )


def _confused(labels: Tensor, classes: Tensor) -> Table:
    rows: list[list[Cell]] = [
        [name, *map(int, row)] for name, row in zip(CLASSES, confusions(labels, classes), strict=True)
    ]
    short = [name[:5] for name in CLASSES]
    return Table(
        "What is taken for what", ("is", *short), rows, "A row is what a picture is, a column what it is taken for."
    )


def prepare(settings: Settings, data: str | None, say: Say) -> CompetitionJob:
    """The job."""
    return CompetitionJob(*read_data(data, say), settings)


def truth(data: str | None, say: Say) -> list[int]:
    """The classes of the test pictures."""
    labels: list[int] = read_images(SOURCE.folder(data, say), "test", say).classes.tolist()
    return labels


_OWN: Mapping[str, str] = {
    "convolutions": "of a group: 2, or 3 with a bridge over the last two",
    "views": "of each test picture over which scores are averaged: 1, 2 (mirrored) or 6 (shifted as well)",
}

TASK = Task(
    name="cifar10",
    title="CIFAR-10: half an hour on two cores",
    settings=Settings(
        task="cifar10",
        epochs=15,
        batch=512,
        learning_rate=0.75,
        hidden=64,
        cell="",
        grad="",
        precision="bfloat16",
        threads=2,
        own={"convolutions": 2, "views": 6, **OWN},
    ),
    own={**_OWN, **MEANING},
    limits={"convolutions": OneOf(2, 3), "views": OneOf(1, 2, 6), **LIMITS},
    planned=True,
    epoch="one pass through the training pictures that are not held out",
    loss="cross entropy in nats per picture, of changed pictures",
    prepare=prepare,
    terms=SOURCE.terms,
    submission=Submission(SUBMISSION, CLASSES, truth),
)

__all__ = ["SUBMISSION", "TASK", "CompetitionJob", "confusions"]

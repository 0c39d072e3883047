"""What a convolutional network has learnt to see: it is trained on CIFAR-10, and then looked at in four ways.

The filters of its first layer; the activations of each layer; the inputs that drive channels and classes most, made by gradient ascent and
found among the test pictures; and where in a picture it looks, by saliency, occlusion and Grad-CAM.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from derive.errors import UsageError
from training.data.cifar10 import CLASSES, SOURCE, Images
from training.data.download import Say
from training.images.ascent import Ascent
from training.images.convnet import ConvNet, copied
from training.images.job import LIMITS, MEANING, OWN, ImagesJob, accuracy, read_data
from training.images.looked_at import LookedAt, together
from training.images.show_attributions import attributions_shown
from training.images.show_filters import filters_shown
from training.images.show_inputs import inputs_shown
from training.images.show_layers import channels, layers_shown
from training.run.limits import Between
from training.run.results import Results
from training.run.settings import Settings
from training.tasks.task import Task


class VisualizeJob(ImagesJob):
    """A plain network, and what is to be seen in it."""

    model: ConvNet

    def __init__(self, train: Images, test: Images, settings: Settings, say: Say) -> None:
        own = settings.own
        if int(own["picture"]) >= len(test):
            raise UsageError(
                f"--set picture is {own['picture']}", expected=f"a test picture from 0 to {len(test) - 1:,}"
            )
        self._say = say

        def build(pictures: Tensor) -> ConvNet:
            return ConvNet(settings.hidden, len(CLASSES))

        super().__init__(train, test, settings, build)
        self.untrained = copied(self.model)

    def results(self) -> Results:
        """All of it, in the weights' own number format."""
        self.finish()
        own = self.settings.own
        shown = LookedAt(copied(self.model), self.untrained, self.scaled, self.test)
        for net in (shown.net, shown.untrained):
            net.requires_grad_(False)  # only inputs are asked for their gradients
        self._say("looking at the layers")
        found = channels(shown)
        parts = [
            Results(
                {"test accuracy": accuracy(self.judged(self.test), self.test.classes), "test pictures": len(self.test)},
                key=("test accuracy",),
            ),
            filters_shown(shown),
            layers_shown(shown, found, int(own["picture"])),
        ]
        self._say("gradient ascent")
        ascent = Ascent(steps=int(own["ascent"]), roughness=float(own["roughness"]), seed=self.settings.seed)
        parts.append(inputs_shown(shown, found, ascent))
        parts.append(attributions_shown(shown, int(own["attributed"]), self.settings.seed, self._say))
        return together(parts)


def prepare(settings: Settings, data: str | None, say: Say) -> VisualizeJob:
    """The job."""
    return VisualizeJob(*read_data(data, say), settings, say)


_OWN: Mapping[str, str] = {
    "picture": "number of the test picture whose activations are shown, from 0 on",
    "attributed": "test pictures over which maps are judged",
    "ascent": "steps of gradient ascent",
    "roughness": "weight of the squared differences of neighbours in gradient ascent",
}

TASK = Task(
    name="visualize",
    title="What a convolutional network has learnt to see",
    settings=Settings(
        task="visualize",
        epochs=6,
        batch=256,
        learning_rate=0.1,
        hidden=32,
        cell="",
        grad="",
        precision="bfloat16",
        own={
            "picture": 0,
            "attributed": 200,
            "ascent": 200,
            "roughness": 5.0,
            **OWN,
            "momentum": 0.9,
            "weight_decay": 0.0005,
            "bias_rate": 1.0,
            "smoothing": 0.0,
        },
    ),
    own={**_OWN, **MEANING},
    limits={
        "picture": Between(0, 1_000_000),
        "attributed": Between(1, 1_000_000),
        "ascent": Between(1, 1_000_000),
        "roughness": Between(0.0, 1e6),
        **LIMITS,
    },
    planned=True,
    epoch="one pass through the training pictures that are not held out",
    loss="cross entropy in nats per picture, of changed pictures",
    prepare=prepare,
    terms=SOURCE.terms,
    asked=tuple(_OWN),
)

__all__ = ["TASK", "VisualizeJob"]

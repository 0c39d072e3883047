"""``bptt train TASK --help``: the options, and the settings of the task with their defaults."""

from __future__ import annotations

import argparse

from bptt.console import say
from training.tasks import TASKS, find


class TrainHelp(argparse.Action):
    """The options, and the settings of the task that was named before it."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: object) -> None:
        parser.print_help()
        if (task := getattr(namespace, "task", None)) in TASKS:
            say(f"\n{task_help(str(task))}")
        parser.exit()


def task_help(name: str) -> str:
    """A task's own settings, and what every setting is where nothing is given."""
    from bptt.train_command import GIVEN

    task = find(name)
    usual, own = task.settings, task.settings.own
    kept = {key: getattr(usual, key) for key in GIVEN if key != "steps"}
    lines = [f"{name}: {TASKS[name]}", "", "where nothing is given:"]
    lines += [f"  --{key.replace('_', '-')} {value}" for key, value in kept.items() if value != ""]
    width = max((len(f"{key}={value}") for key, value in own.items()), default=0)
    lines += ["", "settings of its own, and what they are where nothing is given:"] if own else []
    for key, value in own.items():
        limit = f" ({task.limits[key]})" if key in task.limits else ""
        lines.append(f"  --set {f'{key}={value}':<{width}}  {task.own[key]}{limit}")
    return "\n".join(lines)


__all__ = ["TrainHelp", "task_help"]

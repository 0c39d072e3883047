"""Hostile documents for ``bptt check``: random ones by a seed, each checked under an alarm, with little memory, and watched.

``python -m benchmarks.fuzz --inputs N --seed S [--seconds-each 10] [--jobs 2]`` prints how the inputs end, which are the slowest, and every
input that ends as none may: by an exception that is no BpttError, too late, with too much memory, with a file touched or a command run,
or with a verdict that cannot be. The exit status is 1 if there is one. With ``--reading``, smaller documents are read only, and nothing
is judged: hundreds a second.

What is checked of verdicts needs no second implementation: an equation that is found true must not stay true when a number is added
to it, and a correction that is offered must itself be found true.

::

    seed, number ──mix, generators──▶ Case ──attempt, reading──▶ Outcome ──workers, report──▶ tables
                                               │        │
                                             watch   impossible
"""

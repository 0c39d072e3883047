"""Code that a sheet shows and runs: what is run and what comes out of it, the part that a student writes, the process
that runs it.

Importing this package imports none of Jupyter's libraries; :mod:`reports.code.process` does, when a sheet has code
that is run.
"""

"""Jinja templates of the outputs, one folder a target."""

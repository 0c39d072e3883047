"""Each generator makes one input of its kind."""

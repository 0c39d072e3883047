"""One run: its settings, its loop, its checkpoints, and what it leaves in its folder."""

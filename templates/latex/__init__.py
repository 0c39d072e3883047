"""Templates of the LaTeX output."""

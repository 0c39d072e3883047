"""Templates of the Typst output."""

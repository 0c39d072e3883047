"""Templates of the HTML output."""

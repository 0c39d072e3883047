"""Templates of Markdown, as notebooks hold it."""

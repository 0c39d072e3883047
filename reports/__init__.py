"""Answer sheets: Markdown content that calls the engine, one document tree, three outputs (LaTeX, PDF, HTML)."""

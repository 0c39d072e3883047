"""Array programs as source code: expressions, modules, and what each array library spells in its own way."""

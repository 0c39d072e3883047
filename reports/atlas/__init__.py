"""The Recurrent Gradient Atlas: one document about many cells, a chapter a cell.

``chapter`` writes a cell's chapter, ``workshop`` builds the chapters that have changed on all cores, ``book`` binds them.
"""

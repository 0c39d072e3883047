"""Data sets: fetched once, checked, unpacked, and read in the layouts of their official archives."""

"""What runs compiled cells: arrays of a library, and what runs programs with them."""

"""The notation: from text to surface trees, from surface trees to meaning, and back to text."""

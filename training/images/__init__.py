"""Classifying small pictures: augmentation, networks, schedules, and what a trained network has learnt to see."""

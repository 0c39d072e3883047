"""A small library of neural networks in NumPy alone: layers, losses over a vocabulary, optimisers.

Each layer has a forward and a backward pass, written out. Nothing here imports torch; :mod:`training.run.arrays` puts a network of these
layers into a run.
"""

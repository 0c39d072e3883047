"""Programs as machine code: LLVM's intermediate language, written for the sizes of a call and the vector unit of this processor.

::

    Program ──schedule──▶ phases of items ──flatten──▶ operations ──kernel──▶ LLVM ──target──▶ functions ◀──passes── arrays
                                                            │
                              vectors, formulas (exp, tanh, …) and products (tiled matrix products)

A phase is work that is the same for all sequences, or work in which every sequence has its own; the latter is cut into slices of the
batch, which threads take in turn. What cannot be said in this language (an inverse, a tree) runs in NumPy between two phases.
"""

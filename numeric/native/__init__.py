"""Programs as machine code: LLVM's language, written for the sizes of a call and for the vector unit of this processor.

::

    Program ──items──▶ pieces of work ──plan──▶ phases, runs, groups, places ──kernel──▶ LLVM ──target──▶ functions
                            │                                                   │
                         flatten: operations                     writer, entries, formulas, products, shared, vectors

    passes, calls, shortcut: arrays of NumPy go in and come out; layout and memory say where, threads who.

A phase is work that is the same for all sequences, or work for every sequence; the latter is cut into slices of the batch, which
threads take in turn. Within it, runs go through time piece by piece, so that what one loop leaves is still near when the next one reads
it. What this language lacks (an inverse, a tree) runs in NumPy between two phases.
"""

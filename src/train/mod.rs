//! Training a tapered network on the CPU. Pure: no files, clocks or threads other than scoped workers of its own.

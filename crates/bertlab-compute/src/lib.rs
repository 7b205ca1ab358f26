//! Tensors, threads and kernels: the only home of arithmetic.

//! Data sets, losses, the optimizer, the training loop, evaluation.

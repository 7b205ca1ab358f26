//! Looking into a model: module tree, word vectors, similarity.

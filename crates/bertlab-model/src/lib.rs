//! BERT-family encoders and their heads, forward and backward.

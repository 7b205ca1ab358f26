//! Checkpoint files to named arrays and back; the model hub; atomic writing.

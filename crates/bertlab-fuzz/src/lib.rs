//! Every reader of bytes from outside as a fuzz target, and a runner that needs no nightly toolchain.
//!
//! A [`Target`] feeds arbitrary bytes to one reader. The reader may accept or refuse them; it may not panic,
//! abort, hang or use much memory. `fuzz/` wraps the same functions for cargo-fuzz. See `fuzz/README.md`.
//!
//! ```
//! let target = bertlab_fuzz::find("safetensors").expect("a known target");
//! assert_eq!((target.read)(b"not a safetensors file"), bertlab_fuzz::Answer::Refused);
//! ```

mod folder;
mod json;
mod mutate;
mod seeds;
mod targets;

pub mod process;
pub mod worker;

pub use mutate::input;
pub use seeds::seeds;
pub use targets::{TARGETS, find};

/// What a reader did with an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The reader returned a value.
    Accepted,
    /// The reader returned an error.
    Refused,
}

impl<T, E> From<Result<T, E>> for Answer {
    fn from(result: Result<T, E>) -> Self {
        if result.is_ok() { Self::Accepted } else { Self::Refused }
    }
}

/// One reader under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of the target and of its folder of seeds, for example `shard_index`.
    pub name: &'static str,
    /// Passes the input to the reader.
    pub read: fn(&[u8]) -> Answer,
    /// Words of the format, inserted into inputs by mutation.
    pub words: &'static [&'static str],
    /// Selects the sequence of mutated inputs.
    pub seed: u64,
}

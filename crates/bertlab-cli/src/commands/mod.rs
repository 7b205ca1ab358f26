//! The commands, one file each. A new one is its file, a `mod` line and a line in the list below.

pub mod overview;

mod bench;
mod check;
mod completions;
mod convert;
mod decode;
mod embed;
mod evaluate;
mod fill_mask;
mod forward;
mod inspect;
mod lab;
mod man;
mod predict;
mod pretrain;
mod tokenize;
mod train;
mod vocab;
mod words;

use crate::args::GlobalArguments;
use crate::print::Console;

/// Makes the enum that clap reads and the way from each of its variants to the command's `run`.
macro_rules! commands {
    ($($module:ident $variant:ident,)+) => {
        /// What bertlab can do.
        #[derive(clap::Subcommand)]
        pub enum Command {
            $(#[allow(missing_docs)] $variant(Box<$module::Arguments>),)+
        }

        impl Command {
            /// Runs the command.
            pub fn run(self, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
                match self {
                    $(Command::$variant(arguments) => $module::run(*arguments, global, console),)+
                }
            }
        }
    };
}

commands! {
    inspect Inspect,
    tokenize Tokenize,
    decode Decode,
    embed Embed,
    words Words,
    fill_mask FillMask,
    check Check,
    train Train,
    vocab Vocab,
    pretrain Pretrain,
    evaluate Evaluate,
    predict Predict,
    forward Forward,
    convert Convert,
    bench Bench,
    lab Lab,
    completions Completions,
    man Man,
}

//! The settings of a training run as flags: the library's table, and what HuggingFace's scripts pass beside
//! it.

use bertlab::settings::{Given, SettingsFile};
use bertlab::train::TrainingArguments;
use serde_json::json;

use crate::flags::Flags;
use crate::words::yes_or_no;

/// Flags of `train` and `pretrain`.
#[derive(clap::Args)]
pub struct SettingFlags {
    #[command(flatten)]
    arguments: Flags<TrainingArguments>,
    /// Has no effect: everything runs on the CPU
    #[arg(long, value_name = "BOOL", hide = true, alias = "use-cpu")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    no_cuda: Option<bool>,
}

impl SettingFlags {
    /// What is given.
    pub fn given(&self) -> &Given<TrainingArguments> {
        &self.arguments.0
    }

    /// Tells `file` of the settings that only HuggingFace has, so that it says what they come to.
    pub fn tell_foreign(&self, file: &mut SettingsFile) {
        if let Some(is_on) = self.no_cuda {
            file.insert("no_cuda", json!(is_on));
        }
    }
}

//! Settings as data: each stands once, as a row of a table.
//!
//! [`settings!`] turns rows (help, name, type, default, range, old names) into a typed struct with its
//! `Default`, and into [`Settings::TABLE`], from which everything else follows: range checks, files
//! ([`SettingsFile`]), flags, keyword arguments. [`choices!`] makes the enums whose values are words.
//!
//! ```
//! use bertlab_settings::{Given, Settings, SettingsFile, choices, settings};
//!
//! choices! {
//!     /// How fast the oven heats.
//!     pub enum Heat {
//!         /// Slowly.
//!         Slow = "slow",
//!         /// At full power.
//!         Full = "full",
//!     }
//! }
//!
//! settings! {
//!     /// Settings of an oven.
//!     #[derive(Clone, Debug, PartialEq)]
//!     pub struct Oven {
//!         ["Oven"]
//!         /// Temperature in degrees
//!         temperature: f64 = 180.0, above(0.0), old_names(&["heat_level"]);
//!         /// How fast it heats
//!         heat: Heat = Heat::Full;
//!     }
//! }
//!
//! # fn main() -> Result<(), bertlab_settings::SettingsError> {
//! let mut file = SettingsFile::from_toml("heat_level = 200", "oven.toml".to_owned())?;
//! let oven = file.take(Given::<Oven>::none())?.over(Oven::default());
//! assert_eq!((oven.temperature, oven.heat), (200.0, Heat::Full));
//! assert_eq!(file.finish(|_, _| None)?, ["oven.toml: heat_level is called temperature here"]);
//! let hot = Oven { temperature: -1.0, ..oven };
//! let refusal = hot.out_of_range().expect("it is below 0");
//! assert_eq!(refusal.to_string(), "temperature is -1; wanted a number above 0");
//! # Ok(())
//! # }
//! ```

mod choice;
mod error;
mod file;
mod given;
mod names;
mod range;
mod setting;
mod table;
mod value;

pub use choice::read_choice;
#[doc(hidden)]
pub use choice::unknown_word;
pub use error::{OutOfRange, SettingsError};
pub use file::{Foreign, SettingsFile};
pub use given::Given;
pub use range::Range;
pub use setting::{Field, Setting, Settings};
pub use value::{Kind, SettingValue, Word};

#[doc(hidden)]
pub use {serde, serde_json};

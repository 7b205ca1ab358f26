//! Which numbers a setting accepts.

use bertlab_feedback::Hint;

/// The numbers that a setting accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// All.
    Any,
    /// Finite numbers above this one.
    Above(f64),
    /// Finite numbers from this one on.
    AtLeast(f64),
    /// Whole numbers from 1 on.
    Count,
    /// A whole number of steps from 1 on, or a share of all steps below 1.
    Steps,
    /// From 0 to below 1.
    Share,
    /// Above 0, at most 1.
    Factor,
    /// Only 0: a switch that must stay off.
    Off {
        /// The switch to use instead.
        instead: &'static str,
        /// Why.
        why: &'static str,
    },
}

impl Range {
    /// Whether `number` is inside.
    pub fn contains(self, number: f64) -> bool {
        match self {
            Self::Any => true,
            Self::Above(low) => number > low && number.is_finite(),
            Self::AtLeast(low) => number >= low && number.is_finite(),
            Self::Count => number >= 1.0,
            Self::Steps => number > 0.0 && number.is_finite() && (number < 1.0 || number.fract() == 0.0),
            Self::Share => (0.0..1.0).contains(&number),
            Self::Factor => number > 0.0 && number <= 1.0,
            Self::Off { .. } => number == 0.0,
        }
    }

    /// What is accepted, for messages.
    pub fn wanted(self) -> String {
        match self {
            Self::Any => "a number".to_owned(),
            Self::Above(low) => format!("a number above {low}"),
            Self::AtLeast(low) => format!("a number from {low} on"),
            Self::Count => "a whole number from 1 on".to_owned(),
            Self::Steps => "a whole number of steps from 1 on, or a share of all steps below 1".to_owned(),
            Self::Share => "a number in [0, 1)".to_owned(),
            Self::Factor => "a number above 0, at most 1".to_owned(),
            Self::Off { instead, why } => format!("false, and {} in its place: {why}", Hint::On(instead)),
        }
    }
}

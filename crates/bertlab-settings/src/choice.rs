//! Enums whose values are words.

use serde_json::Value;

use crate::names::nearest;

/// Makes an enum whose values are words: its words, `Display`, `FromStr`, `Serialize` and
/// [`SettingValue`](crate::SettingValue). `read by FUNCTION` after the name reads values that are no word of
/// it.
#[macro_export]
macro_rules! choices {
    ($(#[$meta:meta])* pub enum $name:ident { $($rest:tt)+ }) => {
        $crate::choices! { $(#[$meta])* pub enum $name, read by $crate::read_choice { $($rest)+ } }
    };
    (
        $(#[$meta:meta])*
        pub enum $name:ident, read by $read:path {
            $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl $name {
            /// All values as words.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The value as a word.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, out: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                out.write_str(self.word())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    word => Err($crate::unknown_word(word, Self::WORDS)),
                }
            }
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str(self.word())
            }
        }

        impl $crate::SettingValue for $name {
            const KIND: $crate::Kind = $crate::Kind::Choice(Self::WORDS);

            fn read(value: &$crate::serde_json::Value, notes: &mut Vec<String>) -> Result<Self, String> {
                $read(value, notes)
            }

            fn words(&self) -> String {
                self.word().to_owned()
            }
        }
    };
}

/// Reads one of a choice's words.
///
/// # Errors
/// The words, where it is none of them.
pub fn read_choice<T: std::str::FromStr<Err = String>>(
    value: &Value,
    _: &mut Vec<String>,
) -> Result<T, String> {
    value.as_str().unwrap_or_default().parse()
}

/// The words of a choice, and the one that was probably meant.
#[doc(hidden)]
pub fn unknown_word(word: &str, words: &[&str]) -> String {
    let meant = nearest(word, words.iter().copied());
    let meant = meant.map(|word| format!("; did you mean {word}?")).unwrap_or_default();
    format!("one of {}{meant}", words.join(", "))
}

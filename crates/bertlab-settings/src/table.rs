//! The macro that turns rows into a struct and its table.

/// Makes a struct of settings from rows, one for each setting:
///
/// ```text
/// ["Heading"]
/// /// Help, which is the field's documentation too
/// name: Type = default, above(0.0), old_names(&["former"]);
/// ```
///
/// After the default stand methods of [`Setting`](crate::Setting). The struct gets `Default` and
/// [`Settings`](crate::Settings).
#[macro_export]
macro_rules! settings {
    (
        $(#[$meta:meta])*
        pub struct $table:ident {
            $(
                [$heading:literal]
                $(
                    $(#[doc = $help:literal])+
                    $name:ident: $type:ty = $default:expr $(, $method:ident($($argument:tt)*))*;
                )+
            )+
        }
    ) => {
        $(#[$meta])*
        pub struct $table {
            $($(
                $(#[doc = $help])+
                pub $name: $type,
            )+)+
        }

        impl Default for $table {
            fn default() -> Self {
                Self { $($($name: $default,)+)+ }
            }
        }

        impl $crate::Settings for $table {
            const TABLE: &'static [$crate::Setting<Self>] = &[$($(
                $crate::Setting::<Self>::new(
                    $heading,
                    stringify!($name),
                    concat!($($help),+),
                    <$type as $crate::SettingValue>::KIND,
                    $crate::Field::<Self> {
                        read: |settings, value, notes| {
                            settings.$name = $crate::SettingValue::read(value, notes)?;
                            Ok(())
                        },
                        copy: |settings, from| settings.$name = from.$name.clone(),
                        number: |settings| $crate::SettingValue::number(&settings.$name),
                        words: |settings| $crate::SettingValue::words(&settings.$name),
                        is_same: |settings, other| settings.$name == other.$name,
                    },
                )
                $(.$method($($argument)*))*,
            )+)+];
        }
    };
}

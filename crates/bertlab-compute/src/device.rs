//! `Device`: where numbers lie and are computed with.
//!
//! What a further device needs: a variant here; one of [`Buffer`](crate::Buffer)'s memory and of
//! [`View`](crate::View)'s numbers; and in the folder of each operation a file beside `cpu.rs`, to which its
//! `mod.rs` dispatches.

/// Where numbers lie and are computed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The processor and its memory.
    #[default]
    Cpu,
}

impl Device {
    /// The one device on which all operands are. Panics when they are on different ones.
    pub(crate) fn common(devices: impl IntoIterator<Item = Self>) -> Self {
        let mut devices = devices.into_iter();
        let first = devices.next().unwrap_or_default();
        devices.for_each(|device| assert_eq!(device, first, "operands on different devices"));
        first
    }
}

//! TFRecord frames: length, checksum of the length, data, checksum of the data; all little-endian.

use super::checksum::masked;
use super::event::{Scalar, read};

/// The position of the first damaged record of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Number of bytes before the damaged record.
    pub at: usize,
}

pub(super) fn framed(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut frame = Vec::with_capacity(data.len() + 16);
    frame.extend_from_slice(&length);
    frame.extend_from_slice(&masked(&length).to_le_bytes());
    frame.extend_from_slice(data);
    frame.extend_from_slice(&masked(data).to_le_bytes());
    frame
}

/// Reads the scalars of an event file, up to the first damaged record, such as the end of a file whose writer
/// was killed.
pub fn scalars(bytes: &[u8]) -> (Vec<Scalar>, Option<Damaged>) {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let Some((data, end)) = one(&bytes[at..]) else { return (found, Some(Damaged { at })) };
        let Some(scalars) = read(data) else { return (found, Some(Damaged { at })) };
        found.extend(scalars);
        at += end;
    }
    (found, None)
}

/// The data of the first record, and its length in bytes with the frame.
fn one(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let length = bytes.get(..8)?;
    if number(8)? != masked(length) {
        return None;
    }
    let n = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
    let data = bytes.get(12..n.checked_add(12)?)?;
    (number(12 + n)? == masked(data)).then_some((data, n + 16))
}

//! Bytes to text: UTF-8, or the encoding that the caller names; what does not fit is refused with its line.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use encoding_rs::DecoderResult;

use super::error::{DataError, preview};

/// How the bytes of text files become characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8. A file that begins with the mark of UTF-16 is read as that.
    #[default]
    Utf8,
    /// Every byte is the character of its number, as Python's `latin-1`. (Browsers read `latin1` as windows-1252.)
    Latin1,
    /// Another one of the [Encoding Standard](https://encoding.spec.whatwg.org/).
    Named(&'static encoding_rs::Encoding),
}

impl fmt::Display for Encoding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf8 => out.pad("utf-8"),
            Self::Latin1 => out.pad("latin1"),
            Self::Named(encoding) => out.pad(&encoding.name().to_lowercase()),
        }
    }
}

/// A word that names no encoding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no known encoding; known are utf-8, latin1, windows-1252, utf-16, iso-8859-2, windows-1251, shift_jis, \
     euc-kr, gb18030, big5 and the others of the Encoding Standard"
)]
pub struct UnknownEncoding(pub String);

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(word: &str) -> Result<Self, UnknownEncoding> {
        // Python writes some names with an underscore, and without the first hyphen.
        let name = word.trim().to_lowercase();
        let hyphens = name.replace('_', "-");
        match hyphens.as_str() {
            "utf-8" | "utf8" => return Ok(Self::Utf8),
            "latin1" | "latin-1" | "iso-8859-1" | "iso8859-1" | "l1" => return Ok(Self::Latin1),
            _ => {}
        }
        [&name, &hyphens, &format!("iso-8859-{}", hyphens.trim_start_matches("iso8859-"))]
            .into_iter()
            .find_map(|label| encoding_rs::Encoding::for_label(label.as_bytes()))
            .filter(|encoding| *encoding != encoding_rs::REPLACEMENT)
            .map(Self::Named)
            .ok_or_else(|| UnknownEncoding(word.to_owned()))
    }
}

/// A whole file's bytes as text, without its byte order mark. `file` is for messages.
///
/// # Errors
/// Bytes that the encoding does not have, with their line.
pub fn decode(file: &Path, bytes: Vec<u8>, encoding: Encoding) -> Result<String, DataError> {
    if let Some((marked, mark_length)) = encoding_rs::Encoding::for_bom(&bytes)
        && encoding != Encoding::Latin1
    {
        return decode_named(file, &bytes[mark_length..], marked);
    }
    match encoding {
        Encoding::Utf8 => String::from_utf8(bytes)
            .map_err(|error| not_utf8(file, error.as_bytes(), error.utf8_error().valid_up_to())),
        Encoding::Latin1 => Ok(bytes.into_iter().map(char::from).collect()),
        Encoding::Named(encoding) => decode_named(file, &bytes, encoding),
    }
}

fn decode_named(
    file: &Path,
    bytes: &[u8],
    encoding: &'static encoding_rs::Encoding,
) -> Result<String, DataError> {
    if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        return Ok(text.into_owned());
    }
    let good = readable_length(bytes, encoding);
    Err(DataError::BadEncoding {
        file: file.to_owned(),
        line: line_of(bytes, good),
        offset: good,
        encoding: encoding.name().to_lowercase(),
    })
}

/// How many bytes can be read until the first that cannot.
fn readable_length(bytes: &[u8], encoding: &'static encoding_rs::Encoding) -> usize {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len()));
    match decoder.decode_to_string_without_replacement(bytes, &mut text, true) {
        (DecoderResult::Malformed(n_bad, n_after), n_read) => {
            n_read.saturating_sub(usize::from(n_bad) + usize::from(n_after))
        }
        (_, n_read) => n_read,
    }
}

fn line_of(bytes: &[u8], offset: usize) -> usize {
    1 + bytes[..offset].iter().filter(|&&byte| byte == b'\n').count()
}

/// The refusal of bytes that are not UTF-8, with the likeliest encoding and the line as it would read.
fn not_utf8(file: &Path, bytes: &[u8], offset: usize) -> DataError {
    let encoding = likely_encoding(bytes);
    let start = bytes[..offset].iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let length = bytes[start..].iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len() - start);
    let line = decode(file, bytes[start..start + length].to_vec(), encoding).unwrap_or_default();
    DataError::NotUtf8 {
        file: file.to_owned(),
        line: line_of(bytes, offset),
        offset,
        byte: bytes[offset],
        encoding,
        preview: around(line.trim_end(), &String::from_utf8_lossy(&bytes[start..offset])),
    }
}

/// What a file is most often, if it is not UTF-8.
fn likely_encoding(bytes: &[u8]) -> Encoding {
    // Letters of most scripts have a zero byte beside them in UTF-16, and none elsewhere.
    if bytes.iter().take(1000).filter(|&&byte| byte == 0).count() > 100 {
        return Encoding::Named(encoding_rs::UTF_16LE);
    }
    // Windows has its quotes and dashes where Latin-1 has control characters that nobody writes.
    match bytes.iter().any(|byte| (0x80..0xa0).contains(byte)) {
        true => Encoding::Named(encoding_rs::WINDOWS_1252),
        false => Encoding::Latin1,
    }
}

/// A line's part around what could not be read, which stands behind `before`.
fn around(line: &str, before: &str) -> String {
    const CHARACTERS_BEFORE: usize = 20;
    let n_before = before.chars().count();
    if n_before <= CHARACTERS_BEFORE {
        return preview(line);
    }
    format!("…{}", preview(&line.chars().skip(n_before - CHARACTERS_BEFORE).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], encoding: &str) -> Result<String, String> {
        let encoding = encoding.parse().expect("a known encoding");
        decode(Path::new("file.txt"), bytes.to_vec(), encoding).map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_pythons_and_the_webs() {
        for (word, name) in [
            ("latin-1", "latin1"),
            ("ISO-8859-1", "latin1"),
            ("iso8859_1", "latin1"),
            ("cp1252", "windows-1252"),
            ("Windows-1252", "windows-1252"),
            ("utf_8", "utf-8"),
            ("utf-16", "utf-16le"),
            ("iso8859_2", "iso-8859-2"),
            ("shift_jis", "shift_jis"),
            ("euc_kr", "euc-kr"),
        ] {
            assert_eq!(word.parse::<Encoding>().expect(word).to_string(), name, "{word}");
        }
        let error = "klingon".parse::<Encoding>().expect_err("none").to_string();
        assert!(error.contains("klingon") && error.contains("windows-1252"), "{error}");
    }

    #[test]
    fn bytes_are_read_as_they_are_told() {
        assert_eq!(read(b"caf\xe9 \x96", "latin1").as_deref(), Ok("café \u{96}"));
        assert_eq!(read(b"caf\xe9 \x96", "windows-1252").as_deref(), Ok("café –"));
        assert_eq!(read(b"\x93\xfa\x96\x7b", "shift_jis").as_deref(), Ok("日本"));
        assert_eq!(read("\u{feff}a".as_bytes(), "utf-8").as_deref(), Ok("a"));
        // A mark says what the file is, whatever was said.
        assert_eq!(read(b"\xff\xfea\0b\0", "utf-8").as_deref(), Ok("ab"));
        assert_eq!(read(b"\xfe\xff\0a\0b", "utf-16").as_deref(), Ok("ab"));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_line() {
        let error = read(b"good\nb\x96d caf\xe9\n", "utf-8").expect_err("not UTF-8");
        for words in ["file.txt, line 2", "0x96", "offset 6", "`encoding` = windows-1252", "b–d café"] {
            assert!(error.contains(words), "`{words}` is not in: {error}");
        }
        let error = read(b"caf\xe9\n", "utf-8").expect_err("not UTF-8");
        assert!(error.contains("`encoding` = latin1"), "{error}");
        let error = read(b"good\n\x93\xfa\xff\xff\n", "shift_jis").expect_err("not Shift_JIS");
        assert!(
            error.contains("line 2") && error.contains("shift_jis") && error.contains("offset 7"),
            "{error}"
        );
    }
}

//! Numbers as people read them.

/// `22713216` as `22,713,216`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in powers of ten, as file managers and the hub count them: `90.9 MB`.
pub fn bytes(number: usize) -> String {
    const UNITS: [(f64, &str); 3] = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let found = UNITS.iter().find(|(size, _)| number as f64 >= *size);
    found.map_or_else(
        || format!("{number} bytes"),
        |(size, unit)| format!("{:.1} {unit}", number as f64 / size),
    )
}

/// A shape as PyTorch prints it, without the word: `[384, 384]`.
pub fn shape(sizes: &[usize]) -> String {
    format!("{sizes:?}")
}

/// `1 text`, `2 texts`, `3 batches`.
pub fn counted(number: usize, noun: &str) -> String {
    let ending = match number {
        1 => "",
        _ if noun.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{} {noun}{ending}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let texts = [0, 999, 1000, 109_482_240].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "109,482,240"]);
    }

    #[test]
    fn bytes_have_a_unit() {
        assert_eq!(
            [12, 1500, 90_868_376, 2_000_000_000].map(bytes),
            ["12 bytes", "1.5 kB", "90.9 MB", "2.0 GB"]
        );
    }

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!([counted(1, "text"), counted(1200, "text")], ["1 text", "1,200 texts"]);
    }
}

//! Counts as people read them.

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

/// `1 text`, `2,000 texts`, `3 batches`.
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
    fn nouns_follow_their_number() {
        let texts = [counted(1, "text"), counted(1200, "text"), counted(2, "micro-batch")];
        assert_eq!(texts, ["1 text", "1,200 texts", "2 micro-batches"]);
    }
}

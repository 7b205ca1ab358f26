//! A line made of parts, of which the least important go first where there is no room.

use anstream::adapter::strip_str;
use anstyle::Style;
use unicode_width::UnicodeWidthStr;

/// A part of a line.
pub struct Part {
    /// The higher, the longer it stays.
    weight: u8,
    kind: Kind,
}

enum Kind {
    Text(String),
    /// A bar that takes what room is left: its share, and the styles of both ends.
    Bar(f64, Style, Style),
}

/// A bar is no wider and no narrower than this.
const BAR: std::ops::RangeInclusive<usize> = 6..=30;

impl Part {
    /// It stays whatever the width.
    pub fn always(text: String) -> Self {
        Self { weight: u8::MAX, kind: Kind::Text(text) }
    }

    /// It goes where there is no room, the lowest weight first.
    pub fn optional(weight: u8, text: String) -> Self {
        Self { weight, kind: Kind::Text(text) }
    }

    /// A bar that is `share` full.
    pub fn bar(share: f64, full: Style, empty: Style) -> Self {
        Self { weight: 3, kind: Kind::Bar(share, full, empty) }
    }

    /// Columns that it takes at least.
    pub fn columns(&self) -> usize {
        match &self.kind {
            Kind::Text(text) => strip_str(text).to_string().width(),
            Kind::Bar(..) => *BAR.start(),
        }
    }
}

/// The parts in their order, in at most `width` columns. What always stays is cut where even that is too long.
pub fn fit(mut parts: Vec<Part>, width: usize) -> String {
    let columns = |parts: &[Part]| parts.iter().map(Part::columns).sum::<usize>();
    while columns(&parts) > width {
        let Some(lightest) = (0..parts.len()).min_by_key(|&index| parts[index].weight) else { break };
        if parts[lightest].weight == u8::MAX {
            break;
        }
        parts.remove(lightest);
    }
    let spare = width.saturating_sub(columns(&parts));
    let bar_width = (*BAR.start() + spare).min(*BAR.end());
    let line: String = parts.iter().map(|part| text_of(part, bar_width)).collect();
    let line = line.trim_end();
    if strip_str(line).to_string().width() <= width { line.to_owned() } else { cut(line, width) }
}

fn text_of(part: &Part, bar_width: usize) -> String {
    match &part.kind {
        Kind::Text(text) => text.clone(),
        Kind::Bar(share, full, empty) => {
            let n_full = (share.clamp(0.0, 1.0) * bar_width as f64).round() as usize;
            let (done, left) = ("━".repeat(n_full), "─".repeat(bar_width - n_full));
            format!("{full}{done}{full:#}{empty}{left}{empty:#}")
        }
    }
}

/// Without styles, as many letters as fit.
fn cut(line: &str, width: usize) -> String {
    let mut cut = String::new();
    for letter in strip_str(line).to_string().chars() {
        if cut.width() + letter.to_string().width() > width {
            break;
        }
        cut.push(letter);
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Vec<Part> {
        vec![
            Part::always("training ".to_owned()),
            Part::bar(0.5, Style::new(), Style::new()),
            Part::optional(2, " gone".to_owned()),
            Part::optional(4, " left".to_owned()),
        ]
    }

    #[test]
    fn the_bar_takes_the_room_that_is_left() {
        assert_eq!(fit(parts(), 29), "training ━━━━━───── gone left");
        assert_eq!(fit(parts(), 200).chars().filter(|&letter| "━─".contains(letter)).count(), 30);
    }

    #[test]
    fn the_least_important_goes_first_and_nothing_is_too_long() {
        assert_eq!(fit(parts(), 22), "training ━━━━──── left");
        assert_eq!(fit(parts(), 16), "training  left");
        for width in 0..40 {
            assert!(fit(parts(), width).chars().count() <= width, "{width}");
        }
    }
}

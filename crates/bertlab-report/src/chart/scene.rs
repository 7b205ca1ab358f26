//! What a chart draws, before it is SVG: lines, boxes, dots and words in roles instead of colours.

/// What something means, from which its colour follows, in light and in dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Words and marks of the first rank.
    Ink,
    /// Words of the second rank.
    Muted,
    /// Grid lines.
    Grid,
    /// The first series: blue.
    First,
    /// The second series: vermilion, which colour-blind people tell from blue.
    Second,
    /// Words on a strong fill of the first colour.
    OnFirst,
}

impl Role {
    /// Its class in style sheets.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Ink => "ink",
            Self::Muted => "muted",
            Self::Grid => "grid",
            Self::First => "first",
            Self::Second => "second",
            Self::OnFirst => "on-first",
        }
    }
}

/// How strong a fill of the first colour is for a share from 0 to 1, and what words on it are: below one half it is pale
/// enough for dark words, above it strong enough for light ones.
pub(crate) fn shade(share: f64) -> (f64, Role) {
    if share < 0.5 { (0.06 + 0.5 * share, Role::Ink) } else { (0.4 + 0.6 * share, Role::OnFirst) }
}

/// Where a text stands beside its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// About the width of a letter, in units of the scene.
pub(crate) const LETTER: f64 = 6.6;

/// Something drawn. Lengths are in units of the scene.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Line { points: Vec<(f64, f64)>, role: Role, width: f64, is_dashed: bool },
    Box { x: f64, y: f64, width: f64, height: f64, role: Role, opacity: f64, hint: String },
    Dot { x: f64, y: f64, radius: f64, role: Role, opacity: f64, hint: String },
    Text { x: f64, y: f64, text: String, role: Role, anchor: Anchor, is_upright: bool, is_bold: bool },
}

/// A chart.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// Units across.
    pub(crate) width: f64,
    /// Units down.
    pub(crate) height: f64,
    /// What it shows, for those who cannot see it.
    pub(crate) title: String,
    pub(crate) items: Vec<Item>,
}

impl Scene {
    pub(crate) fn new(title: &str, width: f64, height: f64) -> Self {
        Self { width, height, title: title.to_owned(), items: Vec::new() }
    }

    pub(crate) fn line(&mut self, points: Vec<(f64, f64)>, role: Role, width: f64) {
        self.items.push(Item::Line { points, role, width, is_dashed: false });
    }

    pub(crate) fn dashed(&mut self, points: Vec<(f64, f64)>, role: Role) {
        self.items.push(Item::Line { points, role, width: 1.5, is_dashed: true });
    }

    pub(crate) fn dot(&mut self, (x, y): (f64, f64), radius: f64, role: Role, hint: String) {
        self.items.push(Item::Dot { x, y, radius, role, opacity: 1.0, hint });
    }

    /// A place that only a resting pointer finds.
    pub(crate) fn hint(&mut self, (x, y): (f64, f64), hint: String) {
        self.items.push(Item::Dot { x, y, radius: 5.0, role: Role::Ink, opacity: 0.0, hint });
    }

    pub(crate) fn text(&mut self, (x, y): (f64, f64), text: &str, role: Role, anchor: Anchor) {
        let text = text.to_owned();
        self.items.push(Item::Text { x, y, text, role, anchor, is_upright: false, is_bold: false });
    }

    /// A text that runs from below upwards.
    pub(crate) fn upright_text(&mut self, (x, y): (f64, f64), text: &str, role: Role) {
        let text = text.to_owned();
        self.items.push(Item::Text {
            x,
            y,
            text,
            role,
            anchor: Anchor::Middle,
            is_upright: true,
            is_bold: false,
        });
    }
}

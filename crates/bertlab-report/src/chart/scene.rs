//! The contents of a chart: lines, boxes, dots and texts, with roles instead of colours.

/// The role of an item, which determines its colour in light and dark mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Primary text.
    Ink,
    /// Secondary text.
    Muted,
    /// Grid lines.
    Grid,
    /// The first series: blue.
    First,
    /// The second series: vermilion, which colour-blind readers can distinguish from blue.
    Second,
    /// Text on a dark fill of the first colour.
    OnFirst,
}

impl Role {
    /// The CSS class.
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

/// The opacity of a fill for a share from 0 to 1, and the role of text on it: dark text below one half, light
/// text above.
pub(crate) fn shade(share: f64) -> (f64, Role) {
    if share < 0.5 { (0.06 + 0.5 * share, Role::Ink) } else { (0.4 + 0.6 * share, Role::OnFirst) }
}

/// The part of a text that is placed at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// Approximate width of a letter in scene units.
pub(crate) const LETTER: f64 = 6.6;

/// An item of a scene. Lengths are in scene units.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Line { points: Vec<(f64, f64)>, role: Role, width: f64, is_dashed: bool },
    Box { x: f64, y: f64, width: f64, height: f64, role: Role, opacity: f64, hint: String },
    Dot { x: f64, y: f64, radius: f64, role: Role, opacity: f64, hint: String },
    Text { x: f64, y: f64, text: String, role: Role, anchor: Anchor, is_vertical: bool, is_bold: bool },
}

/// A chart.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// Width in scene units.
    pub(crate) width: f64,
    /// Height in scene units.
    pub(crate) height: f64,
    /// Description for screen readers.
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

    /// Adds an invisible place with a tooltip.
    pub(crate) fn hint(&mut self, (x, y): (f64, f64), hint: String) {
        self.items.push(Item::Dot { x, y, radius: 5.0, role: Role::Ink, opacity: 0.0, hint });
    }

    pub(crate) fn text(&mut self, (x, y): (f64, f64), text: &str, role: Role, anchor: Anchor) {
        let text = text.to_owned();
        self.items.push(Item::Text { x, y, text, role, anchor, is_vertical: false, is_bold: false });
    }

    /// Adds a text that reads from bottom to top.
    pub(crate) fn vertical_text(&mut self, (x, y): (f64, f64), text: &str, role: Role) {
        let text = text.to_owned();
        self.items.push(Item::Text {
            x,
            y,
            text,
            role,
            anchor: Anchor::Middle,
            is_vertical: true,
            is_bold: false,
        });
    }
}

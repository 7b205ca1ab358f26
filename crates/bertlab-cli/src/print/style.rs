//! The few styles that the program uses.

use anstyle::{Ansi256Color, AnsiColor, Color, Style};

/// Headlines and names.
pub const HEADING: Style = Style::new().bold();
/// What can be read over.
pub const DIM: Style = Style::new().dimmed();
/// The figures that matter.
pub const FIGURE: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Cyan)));
/// Bars of a diagram.
pub const BAR: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Blue)));
/// What is best.
pub const GOOD: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Green))).bold();
/// Something that should not be missed.
pub const WARNING: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Yellow))).bold();
/// The end.
pub const ERROR: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red))).bold();

/// The pieces of neighbouring words, in turn.
pub const WORDS: [Style; 2] = [
    Style::new().fg_color(Some(Color::Ansi(AnsiColor::Cyan))),
    Style::new().fg_color(Some(Color::Ansi(AnsiColor::Green))),
];

/// Backgrounds from low to high: viridis (van der Walt and Smith 2015) in the 256 colours that every terminal has.
const HEAT: [u8; 10] = [53, 54, 60, 24, 30, 36, 72, 78, 149, 226];
/// From here on the background is light, and the letters on it must be dark.
const HEAT_LIGHT_FROM: usize = 5;

/// A cell of a heat map; `heat` from 0 to 1.
pub fn heat(heat: f32) -> Style {
    let step = ((heat.clamp(0.0, 1.0) * HEAT.len() as f32) as usize).min(HEAT.len() - 1);
    let letters = if step < HEAT_LIGHT_FROM { Ansi256Color(231) } else { Ansi256Color(16) };
    Style::new().bg_color(Some(Ansi256Color(HEAT[step]).into())).fg_color(Some(letters.into()))
}

//! A histogram in blocks.

use std::io::Write;

use bertlab::explore::Histogram;

use crate::print::numbers::grouped;
use crate::print::{Console, style};

/// Columns of the longest bar.
pub const BAR_WIDTH: usize = 40;

/// Prints a line per bin: where it starts, its bar, its count.
pub fn print(console: &mut Console, histogram: &Histogram) -> anyhow::Result<()> {
    let Histogram { low, high, counts } = histogram;
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bin_width = (high - low) / counts.len().max(1) as f32;
    let (bar, dim) = (console.style(style::BAR), console.style(style::DIM));
    for (index, &count) in counts.iter().enumerate() {
        let start = low + bin_width * index as f32;
        let blocks = blocks(count as f64 / most as f64);
        writeln!(
            console.out,
            "  {start:>10.4}  {bar}{blocks:<BAR_WIDTH$}{bar:#}  {dim}{:>12}{dim:#}",
            grouped(count)
        )?;
    }
    writeln!(console.out, "  {high:>10.4}")?;
    Ok(())
}

/// A bar of a share of the full width, in eighths of a column; never empty for something that is there.
pub fn blocks(share: f64) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let n_eighths = (share * (BAR_WIDTH * 8) as f64).round() as usize;
    let n_eighths = if share > 0.0 { n_eighths.max(1) } else { 0 };
    let mut bar = "█".repeat(n_eighths / 8);
    if !n_eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[n_eighths % 8]);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(blocks(0.0), "");
        assert_eq!(blocks(1.0), "█".repeat(BAR_WIDTH));
        assert_eq!(blocks(0.5), "█".repeat(BAR_WIDTH / 2));
        assert_eq!(blocks(1e-9), "▏");
    }
}

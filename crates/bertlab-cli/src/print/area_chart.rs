//! A curve over several lines of a terminal: a filled area, with its highest value and 0 at the left.

/// Heights of a letter.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The lines from the highest to 0, each with its label. `values`: not negative, at least one; each gets as many columns
/// as fit into `width`, or shares one with its neighbours, of which the mean is shown.
pub fn lines(values: &[f64], width: usize, height: usize) -> Vec<(String, String)> {
    let columns = columns(values, width);
    let top = columns.iter().copied().fold(0.0, f64::max);
    let eighths =
        |value: f64| if top > 0.0 { (value / top * 8.0 * height as f64).round() as usize } else { 0 };
    let line = |row: usize| {
        let below = 8 * (height - 1 - row);
        let text: String =
            columns.iter().map(|&value| BLOCKS[eighths(value).saturating_sub(below).min(8)]).collect();
        let label = match row {
            0 => format!("{top:.3}"),
            _ if row + 1 == height => "0".to_owned(),
            _ => String::new(),
        };
        (label, text.trim_end().to_owned())
    };
    (0..height).map(line).collect()
}

/// A value for every column.
fn columns(values: &[f64], width: usize) -> Vec<f64> {
    let width = width.max(1);
    if values.len() <= width {
        let repeats = width / values.len();
        return values.iter().flat_map(|&value| std::iter::repeat_n(value, repeats)).collect();
    }
    let edge = |column: usize| column * values.len() / width;
    let mean = |column: usize| {
        let part = &values[edge(column)..edge(column + 1)];
        part.iter().sum::<f64>() / part.len() as f64
    };
    (0..width).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_as_high_as_its_values() {
        let lines = lines(&[1.0, 0.5, 0.25, 0.0], 8, 2);
        let wanted = [("1.000".to_owned(), "██".to_owned()), ("0".to_owned(), "████▄▄".to_owned())];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn many_values_share_a_column_and_nothing_is_a_flat_line() {
        let rising: Vec<f64> = (0..1000).map(f64::from).collect();
        let columns = columns(&rising, 10);
        assert_eq!((columns.len(), columns[0], columns[9]), (10, 49.5, 949.5));
        assert_eq!(lines(&[0.0, 0.0], 10, 1), [("0.000".to_owned(), String::new())]);
    }
}

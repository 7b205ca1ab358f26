//! Numbers as people read them.

pub use bertlab::train::counts::{counted, grouped};

/// Bytes in powers of ten, as file managers and the hub count them: `90.9 MB`.
pub fn bytes(number: usize) -> String {
    const UNITS: [(f64, &str); 3] = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let found = UNITS.iter().find(|(size, _)| number as f64 >= *size);
    found.map_or_else(
        || format!("{number} bytes"),
        |(size, unit)| format!("{:.1} {unit}", number as f64 / size),
    )
}

/// Seconds as people say them: `3.2 s`, `2 min 10 s`, `1 h 05 min`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        _ if seconds < 9.95 => format!("{:.1} s", seconds.max(0.0)),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// Seconds as a clock shows them: `0:09`, `12:30`, `1:02:03`.
pub fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole % 3600 / 60, whole % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A shape as PyTorch prints it, without the word: `[384, 384]`.
pub fn shape(sizes: &[usize]) -> String {
    format!("{sizes:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_a_unit() {
        assert_eq!(
            [12, 1500, 90_868_376, 2_000_000_000].map(bytes),
            ["12 bytes", "1.5 kB", "90.9 MB", "2.0 GB"]
        );
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        assert_eq!(
            [0.04, 9.96, 59.4, 59.6, 130.0, 3900.0].map(duration),
            ["0.0 s", "10 s", "59 s", "1 min 00 s", "2 min 10 s", "1 h 05 min"]
        );
        assert_eq!([-1.0, 9.9, 750.0, 3723.0].map(clock), ["0:00", "0:09", "12:30", "1:02:03"]);
    }
}

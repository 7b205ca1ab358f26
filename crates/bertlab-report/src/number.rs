//! Formats numbers for reports: percentages, counts, durations and dates.

pub(crate) use bertlab_data::counts::{counted, grouped};

/// `91.2 %`
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// As [`percent`], without the sign.
pub(crate) fn percent_number(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

/// A metric as in [`number`], or `undefined`.
pub(crate) fn figure(value: Option<f64>) -> String {
    match value {
        None => "undefined".to_owned(),
        Some(value) => number(value),
    }
}

/// Four decimals; one for large values, scientific notation for very small and very large ones.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return value.to_string();
    }
    if size != 0.0 && !(1e-3..1e6).contains(&size) {
        return format!("{value:.3e}");
    }
    if size >= 1000.0 { format!("{value:.1}") } else { format!("{value:.4}") }
}

/// `850 ms`, `12.3 s`, `4 min 10 s`, `2 h 05 min`
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 60.0 => format!("{s:.1} s"),
        s if s < 3600.0 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// `2026-03-01 14:05 UTC` from seconds since 1970-01-01.
pub(crate) fn date(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute) = (seconds % 86_400 / 3600, seconds % 3600 / 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

/// Gregorian year, month and day from days since 1970-01-01, by the algorithm of Howard Hinnant,
/// "chrono-compatible low-level date algorithms", which counts years from March.
pub(crate) fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The text, shortened to `n_max` characters with an ellipsis.
pub(crate) fn shortened(text: &str, n_max: usize) -> String {
    if text.chars().count() <= n_max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(n_max.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            (figure(Some(0.5)), figure(None), figure(Some(2e-5))),
            ("0.5000".into(), "undefined".into(), "2.000e-5".into())
        );
        assert_eq!(
            (duration(0.85), duration(250.0), duration(7500.0)),
            ("850 ms".into(), "4 min 10 s".into(), "2 h 05 min".into())
        );
        assert_eq!((shortened("abc", 3), shortened("äbcd", 3)), ("abc".into(), "äb…".into()));
    }

    #[test]
    fn dates_know_leap_years() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_400 + 3_660), "2000-02-29 01:01 UTC");
        assert_eq!(date(1_772_323_199), "2026-02-28 23:59 UTC");
    }
}

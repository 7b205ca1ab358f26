//! Axes: ticks at round values, and positions of values.

/// The range of values of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Distance between ticks: 1, 2 or 5 times a power of ten.
    pub(crate) step: f64,
}

impl Axis {
    /// An axis that starts and ends at ticks and contains all finite values, with about `n_ticks` ticks.
    /// Without values it is 0 to 1.
    pub(crate) fn around(values: impl IntoIterator<Item = f64>, n_ticks: usize) -> Self {
        let (low, high) = ends(values);
        let step = round_step((high - low) / n_ticks as f64);
        let (first, last) = ((low / step + 1e-9).floor() * step, (high / step - 1e-9).ceil() * step);
        Self { low: first, high: last, step }
    }

    /// An axis from 0 to exactly `high`, for update steps.
    pub(crate) fn up_to(high: f64, n_ticks: usize) -> Self {
        let high = if high > 0.0 { high } else { 1.0 };
        let step = round_step(high / n_ticks as f64);
        Self { low: 0.0, high, step: step.max(1.0) }
    }

    /// An axis exactly from `low` to `high`.
    pub(crate) fn exactly(low: f64, high: f64, step: f64) -> Self {
        Self { low, high, step }
    }

    /// The values of the ticks.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        let first = (self.low / self.step - 1e-9).ceil() as i64;
        let last = (self.high / self.step + 1e-9).floor() as i64;
        (first..=last).map(|k| k as f64 * self.step).collect()
    }

    /// The position of a value: 0 at the low end, 1 at the high end.
    pub(crate) fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// The label of a tick, with as many decimals as the step needs, or in scientific notation.
    pub(crate) fn label(&self, tick: f64) -> String {
        let exponent = self.step.log10().floor();
        if tick == 0.0 {
            return "0".to_owned();
        }
        if !(-4.0..6.0).contains(&exponent) {
            let text = format!("{tick:.2e}");
            let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
            return format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'));
        }
        let n_decimals = (-exponent).max(0.0) as usize;
        let text = format!("{tick:.n_decimals$}");
        if n_decimals == 0 && tick >= 10_000.0 { crate::number::grouped(tick as usize) } else { text }
    }
}

fn ends(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let (low, high) = finite
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    match (low, high) {
        (low, high) if low > high => (0.0, 1.0),
        // A single value needs a margin.
        (low, high) if high - low <= 1e-12 * high.abs() => {
            let margin = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
            (low - margin, high + margin)
        }
        ends => ends,
    }
}

/// Rounds up to 1, 2 or 5 times a power of ten.
fn round_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let multiple =
        [1.0, 2.0, 5.0, 10.0].into_iter().find(|multiple| multiple * power >= rough * (1.0 - 1e-9));
    multiple.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_all_values() {
        let axis = Axis::around([0.131, 0.688], 4);
        assert_eq!((axis.low, axis.high), (0.0, 0.8));
        let labels: Vec<String> = axis.ticks().into_iter().map(|tick| axis.label(tick)).collect();
        assert_eq!(labels, ["0", "0.2", "0.4", "0.6", "0.8"]);
    }

    #[test]
    fn learning_rates_are_powers_of_ten() {
        let axis = Axis::around([0.0, 5e-5], 4);
        let labels: Vec<String> = axis.ticks().into_iter().map(|tick| axis.label(tick)).collect();
        assert_eq!(labels, ["0", "2e-5", "4e-5", "6e-5"]);
    }

    #[test]
    fn nothing_one_value_and_no_numbers_have_an_axis() {
        assert_eq!(Axis::around([f64::NAN], 4).ticks().first(), Some(&0.0));
        for value in [0.0, 3.0, -2.0, 1e-9] {
            let axis = Axis::around([value], 4);
            assert!(axis.low < value && value < axis.high, "{axis:?} around {value}");
        }
        assert_eq!(Axis::up_to(3.0, 5).ticks(), [0.0, 1.0, 2.0, 3.0]);
    }
}

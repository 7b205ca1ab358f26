//! The forecast of time, corrected by what has been done.

use super::Prospect;
use super::time::{Rates, TimeForecast, n_pauses_after};
use crate::plan::Plan;
use crate::progress::Seconds;

/// Measured steps after which a forecast is corrected.
pub(crate) const STEPS_TO_SETTLE: u64 = 3;
/// How much of what earlier steps said counts beside the last one: about the last fifty count.
const MEMORY: f64 = 0.98;

/// How fast a run really goes.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    rates: Rates,
    mean_update_seconds: f64,
    n_steps: u64,
    step: u64,
    /// Steps of this process, and what they took beside what they were expected to take.
    n_measured: u64,
    ratios: [f64; STEPS_TO_SETTLE as usize],
    taken: f64,
    expected: f64,
    /// What the latest step took.
    last: f64,
    evaluation: Pauses,
    saving: Pauses,
    seconds: Seconds,
}

/// Evaluations or saves.
#[derive(Clone, Copy, Debug)]
struct Pauses {
    n_ahead: u64,
    n_measured: u64,
    seconds_measured: f64,
    seconds_expected: f64,
}

impl Pauses {
    /// Some time was spent in them: one is done.
    fn observe(&mut self, seconds: f64) {
        if seconds > 0.0 {
            self.n_measured += 1;
            self.seconds_measured += seconds;
            self.n_ahead = self.n_ahead.saturating_sub(1);
        }
    }

    /// `ratio`: by how much steps were slower than expected, which holds for pauses too until one was measured.
    fn ahead(&self, ratio: f64) -> f64 {
        let each = match self.n_measured {
            0 => self.seconds_expected * ratio,
            n => self.seconds_measured / n as f64,
        };
        self.n_ahead as f64 * each
    }
}

impl Pace {
    /// Of a run that stands before its first step.
    pub(crate) fn new(prospect: Prospect<'_>) -> Self {
        let rates = Rates::measure(prospect);
        let mut pace = Self::expected(rates, rates.mean_update_seconds(prospect), prospect.plan.n_steps);
        pace.go_on(prospect.plan, 0, Seconds::default());
        pace
    }

    /// Of so many steps of which nothing is known but what they are expected to take.
    fn expected(rates: Rates, mean_update_seconds: f64, n_steps: u64) -> Self {
        Self {
            rates,
            mean_update_seconds,
            n_steps,
            step: 0,
            n_measured: 0,
            ratios: [1.0; STEPS_TO_SETTLE as usize],
            taken: 0.0,
            expected: 0.0,
            last: 0.0,
            evaluation: Pauses::expected(rates.evaluation_seconds),
            saving: Pauses::expected(rates.save_seconds),
            seconds: Seconds::default(),
        }
    }

    /// The run goes on after `step`, with so much time spent before.
    pub(crate) fn go_on(&mut self, plan: &Plan, step: u64, seconds: Seconds) {
        self.step = step;
        self.seconds = seconds;
        (self.evaluation.n_ahead, self.saving.n_ahead) = n_pauses_after(plan, step);
    }

    /// What each kind of work is expected to take.
    pub(crate) fn rates(&self) -> &Rates {
        &self.rates
    }

    /// An update was made that was expected to take so long. `seconds`: all time spent so far, by kind.
    pub(crate) fn observe(&mut self, expected: f64, seconds: Seconds) {
        let taken = seconds.train - self.seconds.train;
        self.evaluation.observe(seconds.eval - self.seconds.eval);
        self.saving.observe(seconds.save - self.seconds.save);
        self.seconds = seconds;
        self.last = taken;
        self.step += 1;
        if let Some(ratio) = self.ratios.get_mut(self.n_measured as usize) {
            *ratio = taken / expected.max(f64::MIN_POSITIVE);
        }
        // The first step maps memory and copies weights: it stands for none of the others.
        if self.n_measured > 0 {
            self.taken = MEMORY * self.taken + taken;
            self.expected = MEMORY * self.expected + expected;
        }
        self.n_measured += 1;
    }

    /// What the latest update took.
    pub(crate) fn seconds_of_last_step(&self) -> f64 {
        self.last
    }

    /// Whether this is the moment at which a forecast is corrected.
    pub(crate) fn has_just_settled(&self) -> bool {
        self.n_measured == STEPS_TO_SETTLE
    }

    /// How long the rest of the run takes.
    pub(crate) fn ahead(&self) -> TimeForecast {
        let ratio = self.ratio();
        TimeForecast {
            train_seconds: self.n_steps.saturating_sub(self.step) as f64 * self.mean_update_seconds * ratio,
            eval_seconds: self.evaluation.ahead(ratio),
            save_seconds: self.saving.ahead(1.0),
        }
    }

    /// By how much steps are slower than expected: the middle one of the first three, then the latest ones.
    fn ratio(&self) -> f64 {
        match self.n_measured {
            0 => 1.0,
            n if n <= STEPS_TO_SETTLE => {
                let mut ratios = self.ratios[..n as usize].to_vec();
                ratios.sort_by(f64::total_cmp);
                ratios[(ratios.len() - 1) / 2]
            }
            _ => self.taken / self.expected.max(f64::MIN_POSITIVE),
        }
    }
}

impl Pauses {
    fn expected(seconds: f64) -> Self {
        Self { n_ahead: 0, n_measured: 0, seconds_measured: 0.0, seconds_expected: seconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run of 100 steps of a second each, with 4 evaluations of 10 seconds and a save of 2.
    fn pace() -> Pace {
        let rates = Rates {
            seconds_per_flop: 1e-9,
            update_seconds: 0.0,
            passes: 3.0,
            evaluation_seconds: 10.0,
            save_seconds: 2.0,
        };
        let mut pace = Pace::expected(rates, 1.0, 100);
        (pace.evaluation.n_ahead, pace.saving.n_ahead) = (4, 1);
        pace
    }

    #[test]
    fn before_a_step_the_forecast_is_what_was_expected() {
        let ahead = pace().ahead();
        assert_eq!((ahead.train_seconds, ahead.eval_seconds, ahead.save_seconds), (100.0, 40.0, 2.0));
        assert_eq!(ahead.seconds(), 142.0);
    }

    #[test]
    fn three_steps_correct_it_and_a_slow_first_one_does_not_mislead() {
        let (mut pace, mut seconds) = (pace(), Seconds::default());
        for taken in [9.0, 2.0, 2.0] {
            assert!(!pace.has_just_settled());
            seconds.train += taken;
            pace.observe(1.0, seconds);
        }
        assert!(pace.has_just_settled());
        // Twice as slow as expected; evaluations too, until one was measured.
        assert_eq!((pace.ahead().train_seconds, pace.ahead().eval_seconds), (97.0 * 2.0, 80.0));
        seconds.train += 2.0;
        pace.observe(1.0, seconds);
        assert!(!pace.has_just_settled(), "it is said once");
        assert!((pace.ahead().train_seconds - 96.0 * 2.0).abs() < 1e-9);
    }

    #[test]
    fn evaluations_and_saves_are_measured_apart() {
        let (mut pace, mut seconds) = (pace(), Seconds::default());
        for _ in 0..4 {
            seconds.train += 1.0;
            pace.observe(1.0, seconds);
        }
        seconds.eval += 5.0;
        seconds.save += 1.0;
        seconds.train += 1.0;
        pace.observe(1.0, seconds);
        let ahead = pace.ahead();
        assert_eq!((ahead.eval_seconds, ahead.save_seconds), (15.0, 0.0));
        assert!((ahead.train_seconds - 95.0).abs() < 1e-9, "pauses are no part of a step");
    }
}

//! The learning rate from step to step, as HuggingFace's `get_scheduler` has it.

use bertlab_settings::choices;
use std::f64::consts::PI;

choices! {
    /// How the learning rate changes after its warmup.
    pub enum SchedulerType {
        /// Linear decay to 0.
        Linear = "linear",
        /// Half a cosine, to 0.
        Cosine = "cosine",
        /// Cosine with hard restarts; one cycle, HuggingFace's default, is the same as cosine.
        CosineWithRestarts = "cosine_with_restarts",
        /// Polynomial decay to 1e-7 with power 1, HuggingFace's defaults.
        Polynomial = "polynomial",
        /// Constant from the first step on, without warmup.
        Constant = "constant",
        /// Constant after the warmup.
        ConstantWithWarmup = "constant_with_warmup",
        /// Decay with the inverse square root of the step.
        InverseSqrt = "inverse_sqrt",
    }
}

/// A learning rate for every step of a run.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// How it goes.
    pub kind: SchedulerType,
    /// The highest.
    pub learning_rate: f64,
    /// W
    pub n_warmup_steps: u64,
    /// N
    pub n_steps: u64,
}

impl Schedule {
    /// The learning rate of step `step`, counted from 0.
    pub fn rate(&self, step: u64) -> f64 {
        self.learning_rate * self.factor(step)
    }

    fn factor(&self, step: u64) -> f64 {
        let (k, warmup) = (step as f64, self.n_warmup_steps as f64);
        if self.kind == SchedulerType::Constant {
            return 1.0;
        }
        if step < self.n_warmup_steps {
            return k / warmup.max(1.0);
        }
        // How much of the time after the warmup has gone.
        let n_after = self.n_steps.saturating_sub(self.n_warmup_steps).max(1) as f64;
        let gone = (k - warmup) / n_after;
        match self.kind {
            SchedulerType::Linear => ((self.n_steps as f64 - k) / n_after).max(0.0),
            SchedulerType::Cosine => (0.5 * (1.0 + (PI * gone).cos())).max(0.0),
            SchedulerType::CosineWithRestarts if gone >= 1.0 => 0.0,
            SchedulerType::CosineWithRestarts => (0.5 * (1.0 + (PI * gone.fract()).cos())).max(0.0),
            SchedulerType::Polynomial => self.polynomial(k, gone),
            SchedulerType::Constant | SchedulerType::ConstantWithWarmup => 1.0,
            SchedulerType::InverseSqrt => {
                let timescale = if self.n_warmup_steps == 0 { 10_000.0 } else { warmup };
                1.0 / ((k + timescale - warmup) / timescale).sqrt()
            }
        }
    }

    fn polynomial(&self, k: f64, gone: f64) -> f64 {
        const END: f64 = 1e-7;
        if k > self.n_steps as f64 {
            return END / self.learning_rate;
        }
        ((self.learning_rate - END) * (1.0 - gone) + END) / self.learning_rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(kind: SchedulerType, n_warmup_steps: u64) -> Vec<f64> {
        let schedule = Schedule { kind, learning_rate: 1.0, n_warmup_steps, n_steps: 4 };
        (0..4).map(|step| (schedule.rate(step) * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn rates_are_those_of_huggingface() {
        assert_eq!(rates(SchedulerType::Linear, 0), [1.0, 0.75, 0.5, 0.25]);
        assert_eq!(rates(SchedulerType::Linear, 2), [0.0, 0.5, 1.0, 0.5]);
        assert_eq!(rates(SchedulerType::Cosine, 0), [1.0, 0.853_553, 0.5, 0.146_447]);
        assert_eq!(rates(SchedulerType::CosineWithRestarts, 0), [1.0, 0.853_553, 0.5, 0.146_447]);
        assert_eq!(rates(SchedulerType::Polynomial, 0), [1.0, 0.75, 0.5, 0.25]);
        assert_eq!(rates(SchedulerType::Constant, 2), [1.0; 4]);
        assert_eq!(rates(SchedulerType::ConstantWithWarmup, 2), [0.0, 0.5, 1.0, 1.0]);
        assert_eq!(rates(SchedulerType::InverseSqrt, 2), [0.0, 0.5, 1.0, 0.816_497]);
    }
}

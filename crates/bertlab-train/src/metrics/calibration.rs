//! Whether a model is as often right as it says it is: expected calibration error, and the bins of a reliability diagram.

/// Bins of equal width over the probabilities 0 to 1 (Guo et al. 2017 take as many).
pub const N_BINS: usize = 15;

/// Answers whose probability lies in (`low`, `high`]; the first bin holds 0 too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Answers in it.
    pub n_answers: usize,
    /// Of these, right ones.
    pub n_right: usize,
    /// Mean probability of its answers; `None` without any.
    pub mean_probability: Option<f64>,
}

impl Bin {
    /// Share of right answers; `None` without any.
    pub fn share_right(&self) -> Option<f64> {
        (self.n_answers > 0).then(|| self.n_right as f64 / self.n_answers as f64)
    }
}

/// Probabilities beside what came true.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// [`N_BINS`] bins, ascending.
    pub bins: Vec<Bin>,
    /// Mean distance between probability and share of right answers, every bin weighing as its answers.
    pub expected_error: f64,
}

impl Calibration {
    /// Of answers with their probabilities, and whether they were right; `None` without answers, or where a probability
    /// lies outside 0 to 1.
    pub fn new(answers: &[(f64, bool)]) -> Option<Calibration> {
        if answers.is_empty() || answers.iter().any(|(probability, _)| !(0.0..=1.0).contains(probability)) {
            return None;
        }
        let mut sums = [(0usize, 0usize, 0f64); N_BINS];
        for &(probability, is_right) in answers {
            let (n_answers, n_right, sum) = &mut sums[bin_of(probability)];
            *n_answers += 1;
            *n_right += usize::from(is_right);
            *sum += probability;
        }
        let bin = |(index, &(n_answers, n_right, sum)): (usize, &(usize, usize, f64))| Bin {
            low: edge(index),
            high: edge(index + 1),
            n_answers,
            n_right,
            mean_probability: (n_answers > 0).then(|| sum / n_answers as f64),
        };
        let bins: Vec<Bin> = sums.iter().enumerate().map(bin).collect();
        let distance = |bin: &Bin| {
            let gap = bin.mean_probability? - bin.share_right()?;
            Some(gap.abs() * bin.n_answers as f64)
        };
        let expected_error = bins.iter().filter_map(distance).sum::<f64>() / answers.len() as f64;
        Some(Calibration { bins, expected_error })
    }
}

fn edge(index: usize) -> f64 {
    index as f64 / N_BINS as f64
}

/// The first bin whose upper end is not below.
fn bin_of(probability: f64) -> usize {
    (0..N_BINS - 1).find(|&index| probability <= edge(index + 1)).unwrap_or(N_BINS - 1)
}

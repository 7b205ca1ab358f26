//! A curve of losses, smoothed, in little memory however long the run is.

/// Losses of a run's steps: at most so many points, each a mean over as many steps as the others.
pub struct Curve {
    means: Vec<f64>,
    /// Steps of one point.
    stride: usize,
    /// The point that is being filled.
    sum: f64,
    n: usize,
    /// A moving mean, and by how much it is short of a whole one.
    smoothed: f64,
    missing: f64,
}

/// Points before two become one.
const POINTS_MAX: usize = 512;
/// How much of the moving mean a new step leaves: about the last ten steps count.
const SMOOTHING: f64 = 0.9;
/// Eight heights.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

impl Default for Curve {
    fn default() -> Self {
        Self { means: Vec::new(), stride: 1, sum: 0.0, n: 0, smoothed: 0.0, missing: 1.0 }
    }
}

impl Curve {
    /// One step more.
    pub fn push(&mut self, loss: f64) {
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * loss;
        self.missing *= SMOOTHING;
        self.sum += loss;
        self.n += 1;
        if self.n < self.stride {
            return;
        }
        self.means.push(std::mem::take(&mut self.sum) / std::mem::take(&mut self.n) as f64);
        if self.means.len() == POINTS_MAX {
            self.means =
                self.means.chunks(2).map(|pair| pair.iter().sum::<f64>() / pair.len() as f64).collect();
            self.stride *= 2;
        }
    }

    /// The moving mean of the latest steps; none before the first.
    pub fn last(&self) -> Option<f64> {
        (self.missing < 1.0).then(|| self.smoothed / (1.0 - self.missing))
    }

    /// The whole curve in at most `n` points.
    pub fn values(&self, n: usize) -> Vec<f64> {
        let per_value = self.means.len().div_ceil(n.max(1)).max(1);
        self.means.chunks(per_value).map(|part| part.iter().sum::<f64>() / part.len() as f64).collect()
    }
}

/// A letter for every value, from the lowest to the highest.
pub fn sparkline(values: &[f64]) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let block = |value: &f64| {
        let height = if high > low { (value - low) / (high - low) } else { 0.5 };
        BLOCKS[((height * BLOCKS.len() as f64) as usize).min(BLOCKS.len() - 1)]
    };
    values.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_go_from_the_lowest_to_the_highest() {
        assert_eq!(sparkline(&[3.0, 2.0, 1.0]), "█▅▁");
        assert_eq!(sparkline(&[1.0, 1.0]), "▅▅");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn a_long_run_takes_little_room_and_keeps_its_shape() {
        let mut curve = Curve::default();
        assert_eq!(curve.last(), None);
        for step in 0..100_000 {
            curve.push(100_000.0 - f64::from(step));
        }
        assert!(curve.means.len() < POINTS_MAX);
        let values = curve.values(10);
        assert!(values.len() <= 10 && values.windows(2).all(|pair| pair[0] > pair[1]), "{values:?}");
    }

    #[test]
    fn the_first_steps_are_not_pulled_to_zero() {
        let mut curve = Curve::default();
        curve.push(2.0);
        assert!((curve.last().expect("there was a step") - 2.0).abs() < 1e-12);
        (0..200).for_each(|_| curve.push(1.0));
        assert!((curve.last().expect("there were steps") - 1.0).abs() < 1e-6);
    }
}

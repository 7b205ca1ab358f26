//! Numbers against numbers: squared and absolute error, Pearson, Spearman, the share of variance explained.

// N values; sums run in f64. Every function is `None` without values, and when a value is NaN or infinite.

use super::Figure;
use super::interval::{Interval, correlation_interval};

/// Everything below for one evaluation. Where rows have several values each is scored alone, and the means are given,
/// as scikit-learn's `uniform_average`; a figure that one of them lacks has no mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegressionReport {
    /// Rows evaluated, at least one.
    pub n_rows: usize,
    /// Values of each row.
    pub n_values: usize,
    /// Mean squared error.
    pub mean_squared_error: Option<f64>,
    /// Its root, in the unit of the values.
    pub root_mean_squared_error: Option<f64>,
    /// Mean absolute error.
    pub mean_absolute_error: Option<f64>,
    /// Undefined where all values are the same.
    pub pearson: Option<f64>,
    /// 95 % interval of it; of rows with one value.
    pub pearson_interval: Option<Interval>,
    /// Undefined where all values are the same.
    pub spearman: Option<f64>,
    /// Share of the variance that is explained: 0 is what always answering the mean reaches.
    pub r_squared: Option<f64>,
}

impl RegressionReport {
    /// Of values `[N, K]`, row by row; `None` without any.
    ///
    /// # Panics
    /// When the slices differ in length, or do not divide into rows of `n_values`.
    pub fn new(wanted: &[f32], found: &[f32], n_values: usize) -> Option<RegressionReport> {
        assert_eq!(wanted.len(), found.len(), "a prediction for each value");
        if wanted.is_empty() || n_values == 0 {
            return None;
        }
        assert_eq!(wanted.len() % n_values, 0, "whole rows of {n_values} values");
        let column = |values: &[f32], k: usize| -> Vec<f32> {
            values.iter().skip(k).step_by(n_values).copied().collect()
        };
        let columns: Vec<(Vec<f32>, Vec<f32>)> =
            (0..n_values).map(|k| (column(wanted, k), column(found, k))).collect();
        let average = |figure: fn(&[f32], &[f32]) -> Option<f64>| {
            let all: Option<Vec<f64>> = columns.iter().map(|(wanted, found)| figure(wanted, found)).collect();
            all.map(|all| all.iter().sum::<f64>() / n_values as f64)
        };
        let n_rows = wanted.len() / n_values;
        let pearson = average(pearson);
        Some(RegressionReport {
            n_rows,
            n_values,
            mean_squared_error: average(mean_squared_error),
            root_mean_squared_error: average(root_mean_squared_error),
            mean_absolute_error: average(mean_absolute_error),
            pearson,
            pearson_interval: pearson
                .filter(|_| n_values == 1)
                .and_then(|value| correlation_interval(value, n_rows)),
            spearman: average(spearman),
            r_squared: average(r_squared),
        })
    }

    /// The figures that a person watches, by their names.
    pub fn figures(&self) -> Vec<Figure> {
        vec![
            ("mse", self.mean_squared_error),
            ("mae", self.mean_absolute_error),
            ("pearson", self.pearson),
            ("spearman", self.spearman),
            ("r_squared", self.r_squared),
        ]
    }

    /// All other figures.
    pub fn details(&self) -> Vec<Figure> {
        vec![("rmse", self.root_mean_squared_error)]
    }
}

/// Mean squared error.
///
/// # Panics
/// When the slices differ in length, as all functions here.
pub fn mean_squared_error(wanted: &[f32], found: &[f32]) -> Option<f64> {
    let pairs = finite_pairs(wanted, found)?;
    Some(mean(pairs.iter().map(|(wanted, found)| (wanted - found).powi(2))))
}

/// Root of the mean squared error, in the unit of the values.
pub fn root_mean_squared_error(wanted: &[f32], found: &[f32]) -> Option<f64> {
    mean_squared_error(wanted, found).map(f64::sqrt)
}

/// Mean absolute error, in the unit of the values.
pub fn mean_absolute_error(wanted: &[f32], found: &[f32]) -> Option<f64> {
    let pairs = finite_pairs(wanted, found)?;
    Some(mean(pairs.iter().map(|(wanted, found)| (wanted - found).abs())))
}

/// Pearson's correlation; `None` when one side is constant.
pub fn pearson(wanted: &[f32], found: &[f32]) -> Option<f64> {
    correlation(&finite_pairs(wanted, found)?)
}

/// Spearman's rank correlation, ties sharing their average rank; `None` when one side is constant.
pub fn spearman(wanted: &[f32], found: &[f32]) -> Option<f64> {
    finite_pairs(wanted, found)?;
    let ranks: Vec<(f64, f64)> = average_ranks(wanted).into_iter().zip(average_ranks(found)).collect();
    correlation(&ranks)
}

/// 1 - squared error / variance of the wanted values; `None` when these are constant. Negative when worse than their mean.
pub fn r_squared(wanted: &[f32], found: &[f32]) -> Option<f64> {
    let pairs = finite_pairs(wanted, found)?;
    if is_constant(pairs.iter().map(|pair| pair.0)) {
        return None;
    }
    let mean_wanted = mean(pairs.iter().map(|pair| pair.0));
    let variance = mean(pairs.iter().map(|pair| (pair.0 - mean_wanted).powi(2)));
    let error = mean(pairs.iter().map(|(wanted, found)| (wanted - found).powi(2)));
    Some(1.0 - error / variance)
}

/// 1-based ranks in ascending order; equal values share the mean of their ranks. The values hold no NaN.
pub(super) fn average_ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    // Zeros of both signs are one value, which total_cmp alone would not see.
    order.sort_by(|&a, &b| (values[a] + 0.0).total_cmp(&(values[b] + 0.0)));
    let mut ranks = vec![0.0; values.len()];
    let mut n_below = 0;
    for ties in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = n_below as f64 + (ties.len() as f64 + 1.0) / 2.0;
        ties.iter().for_each(|&row| ranks[row] = rank);
        n_below += ties.len();
    }
    ranks
}

fn finite_pairs(wanted: &[f32], found: &[f32]) -> Option<Vec<(f64, f64)>> {
    assert_eq!(wanted.len(), found.len(), "a prediction for each value");
    let is_usable = !wanted.is_empty() && wanted.iter().chain(found).all(|value| value.is_finite());
    is_usable.then(|| {
        wanted.iter().zip(found).map(|(&wanted, &found)| (f64::from(wanted), f64::from(found))).collect()
    })
}

fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    // Asked of the values themselves: the computed variance of equal values need not be an exact zero.
    if is_constant(pairs.iter().map(|pair| pair.0)) || is_constant(pairs.iter().map(|pair| pair.1)) {
        return None;
    }
    let mean_a = mean(pairs.iter().map(|pair| pair.0));
    let mean_b = mean(pairs.iter().map(|pair| pair.1));
    let covariance = mean(pairs.iter().map(|(a, b)| (a - mean_a) * (b - mean_b)));
    let variance_a = mean(pairs.iter().map(|(a, _)| (a - mean_a).powi(2)));
    let variance_b = mean(pairs.iter().map(|(_, b)| (b - mean_b).powi(2)));
    let value = covariance / (variance_a.sqrt() * variance_b.sqrt());
    value.is_finite().then(|| value.clamp(-1.0, 1.0))
}

fn is_constant(mut values: impl Iterator<Item = f64>) -> bool {
    let first = values.next();
    values.all(|value| Some(value) == first)
}

/// Mean of at least one value.
fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

//! Statistics of a tensor: mean, standard deviation, range, histogram.

use crate::Error;
use crate::nearest::nearest;
use bertlab_compute::Tensor;
use bertlab_model::Model;
use serde::Serialize;

/// Statistics of a tensor. Values that are not finite are only counted; without finite values, the others are
/// NaN.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TensorStats {
    /// HuggingFace's name of the tensor.
    pub name: String,
    /// Size of each axis.
    pub shape: Vec<usize>,
    /// Number of values.
    pub n: usize,
    /// Number of NaN values.
    pub n_nan: usize,
    /// Number of infinite values.
    pub n_inf: usize,
    /// Mean.
    pub mean: f64,
    /// Standard deviation with n - 1 in the denominator, as in `torch.std`; NaN for a single value.
    pub std: f64,
    /// Minimum.
    pub min: f32,
    /// Maximum.
    pub max: f32,
    /// Histogram.
    pub histogram: Histogram,
}

/// A histogram with bins of equal width over `low..=high`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    /// Start of the first bin: the minimum, or 0.5 below it if all values are equal.
    pub low: f32,
    /// End of the last bin, inclusive: the maximum, or 0.5 above it if all values are equal.
    pub high: f32,
    /// Number of values in each bin.
    pub counts: Vec<usize>,
}

/// Computes the statistics of a tensor by name, with a histogram of `n_bins` bins. Names of the base model
/// also work on a model with a head: `embeddings.LayerNorm.bias` finds `bert.embeddings.LayerNorm.bias`.
///
/// # Errors
/// An unknown name (with the most similar names), or no bins.
pub fn tensor_stats(model: &Model, name: &str, n_bins: usize) -> Result<TensorStats, Error> {
    if n_bins == 0 {
        return Err(Error::NoBins);
    }
    let named = model.named_tensors();
    let in_base = |full: &str| full.split_once('.').is_some_and(|(_, rest)| rest == name);
    let found = named.iter().find(|(full, _)| full == name);
    match found.or_else(|| named.iter().find(|(full, _)| in_base(full))) {
        Some((full, tensor)) => Ok(describe(full, tensor, n_bins)),
        None => Err(Error::NoSuchTensor {
            name: name.to_owned(),
            nearest: nearest(name, named.iter().map(|(full, _)| full.as_str()), 3),
            n_tensors: named.len(),
        }),
    }
}

fn describe(name: &str, tensor: &Tensor, n_bins: usize) -> TensorStats {
    let numbers = tensor.as_slice();
    let finite = || numbers.iter().copied().filter(|x| x.is_finite());
    let n_finite = finite().count();
    let mean = finite().map(f64::from).sum::<f64>() / n_finite as f64;
    let squares: f64 = finite().map(|x| (f64::from(x) - mean).powi(2)).sum();
    let std = if n_finite > 1 { (squares / (n_finite - 1) as f64).sqrt() } else { f64::NAN };
    let (min, max) = (finite().fold(f32::NAN, f32::min), finite().fold(f32::NAN, f32::max));
    TensorStats {
        name: name.to_owned(),
        shape: tensor.shape().to_vec(),
        n: numbers.len(),
        n_nan: numbers.iter().filter(|x| x.is_nan()).count(),
        n_inf: numbers.iter().filter(|x| x.is_infinite()).count(),
        mean,
        std,
        min,
        max,
        histogram: histogram(finite(), min, max, n_bins),
    }
}

fn histogram(numbers: impl Iterator<Item = f32>, min: f32, max: f32, n_bins: usize) -> Histogram {
    let (low, high) = if min == max { (min - 0.5, max + 0.5) } else { (min, max) };
    // In f64, because the width of the range may overflow f32.
    let bins_per_unit = n_bins as f64 / (f64::from(high) - f64::from(low));
    let mut counts = vec![0; n_bins];
    for x in numbers {
        // The cast saturates, which also handles an empty range (values so large that adding 0.5 has no
        // effect).
        let bin = ((f64::from(x) - f64::from(low)) * bins_per_unit) as usize;
        counts[bin.min(n_bins - 1)] += 1;
    }
    Histogram { low, high, counts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{bare_model, masked_lm};

    fn stats(numbers: &[f32], n_bins: usize) -> TensorStats {
        describe("x", &Tensor::from_vec(&[numbers.len()], numbers.to_vec()), n_bins)
    }

    #[test]
    fn the_numbers_are_torchs() {
        let stats = stats(&[1.0, 2.0, 3.0, 6.0], 5);
        assert_eq!((stats.mean, stats.min, stats.max), (3.0, 1.0, 6.0));
        // torch.tensor([1., 2., 3., 6.]).std() is 2.1602468...
        assert!((stats.std - (14.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(stats.histogram, Histogram { low: 1.0, high: 6.0, counts: vec![1, 1, 1, 0, 1] });
    }

    #[test]
    fn numbers_that_are_none_are_counted_apart() {
        let stats = stats(&[f32::NAN, 1.0, f32::INFINITY, 3.0, f32::NEG_INFINITY], 2);
        assert_eq!((stats.n, stats.n_nan, stats.n_inf), (5, 1, 2));
        assert_eq!((stats.mean, stats.min, stats.max), (2.0, 1.0, 3.0));
        assert_eq!(stats.histogram.counts, [1, 1]);
    }

    #[test]
    fn equal_numbers_a_single_one_and_none_are_described() {
        let equal = stats(&[2.0, 2.0, 2.0], 4);
        assert_eq!(equal.std, 0.0);
        assert_eq!(equal.histogram, Histogram { low: 1.5, high: 2.5, counts: vec![0, 0, 3, 0] });
        assert!(stats(&[7.0], 1).std.is_nan());
        let none = stats(&[f32::NAN], 2);
        assert!(none.mean.is_nan() && none.min.is_nan());
        assert_eq!(none.histogram.counts, [0, 0]);
        assert_eq!(stats(&[3e38, -3e38, 3e38], 2).histogram.counts, [1, 2]);
        assert_eq!(stats(&[1e30, 1e30], 3).histogram.counts.iter().sum::<usize>(), 2);
    }

    #[test]
    fn tensors_are_found_by_name_with_and_without_the_base_models() {
        let stats = tensor_stats(&bare_model(), "embeddings.LayerNorm.weight", 3).expect("it is there");
        assert_eq!((stats.shape, stats.mean, stats.std), (vec![8], 1.0, 0.0));
        let model = masked_lm();
        let long = tensor_stats(&model, "bert.encoder.layer.2.output.dense.weight", 10).expect("it is there");
        let short = tensor_stats(&model, "encoder.layer.2.output.dense.weight", 10).expect("it is there");
        assert_eq!(long, short);
        assert_eq!(long.histogram.counts.iter().sum::<usize>(), long.n);
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_nearest() {
        let error =
            tensor_stats(&bare_model(), "encoder.layer.0.output.dens.weight", 3).expect_err("no such");
        assert!(error.to_string().contains("encoder.layer.0.output.dense.weight"), "{error}");
        assert!(tensor_stats(&bare_model(), "embeddings.LayerNorm.weight", 0).is_err());
    }
}

//! Cosine similarity of vectors.

/// The cosine similarity of two vectors, a·b / (‖a‖ ‖b‖), computed in f64; `None` if one of them is zero or
/// not finite.
///
/// ```
/// assert_eq!(bertlab_explore::cosine(&[1.0, 0.0], &[2.0, 0.0]), Some(1.0));
/// assert_eq!(bertlab_explore::cosine(&[1.0, 0.0], &[0.0, 0.0]), None);
/// ```
///
/// # Panics
/// If the lengths differ.
pub fn cosine(a: &[f32], b: &[f32]) -> Option<f32> {
    assert_eq!(a.len(), b.len(), "vectors of different width");
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    // Rounding may give a value slightly above 1.
    cosine.is_finite().then(|| cosine.clamp(-1.0, 1.0) as f32)
}

/// The cosine similarities of all pairs of vectors: symmetric, `[n, n]`.
///
/// # Panics
/// If the lengths differ.
pub fn cosine_matrix(vectors: &[&[f32]]) -> Vec<Vec<Option<f32>>> {
    vectors.iter().map(|a| vectors.iter().map(|b| cosine(a, b)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_does_not_count_and_direction_does() {
        assert_eq!(cosine(&[1.0, 0.0], &[3.0, 0.0]), Some(1.0));
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 2.0]), Some(0.0));
        assert_eq!(cosine(&[1.0, 2.0], &[-2.0, -4.0]), Some(-1.0));
        assert_eq!(cosine(&[1.0, 0.0], &[1.0, 1.0]), Some(0.5f32.sqrt()));
        assert_eq!(cosine(&[1e30, 0.0], &[1e30, 0.0]), Some(1.0));
    }

    #[test]
    fn a_vector_without_direction_has_no_cosine() {
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 0.0]), None);
        assert_eq!(cosine(&[f32::NAN, 0.0], &[1.0, 0.0]), None);
    }

    #[test]
    fn the_matrix_is_symmetric_with_ones() {
        let vectors: [&[f32]; 3] = [&[1.0, 2.0, 3.0], &[-1.0, 0.5, 2.0], &[0.0, 0.0, 0.0]];
        let matrix = cosine_matrix(&vectors);
        assert_eq!(matrix[0][0], Some(1.0));
        assert_eq!(matrix[0][1], matrix[1][0]);
        assert_eq!(matrix[2], [None, None, None]);
    }
}

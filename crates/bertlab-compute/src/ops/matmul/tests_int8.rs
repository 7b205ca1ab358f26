//! int8: against the products of the rounded numbers, at every level that the machine has; and the law that a
//! row stands alone.

use super::*;
use crate::ops::testing::{NON_FINITE, normals};

/// Integers numbers go from minus this to this.
const LARGEST: f32 = 127.0;

fn product(
    level: Level,
    a: &[f32],
    weight: &[f32],
    bias: &[f32],
    activation: Option<Activation>,
) -> Vec<f32> {
    let n = bias.len();
    let k = weight.len() / n;
    let mut b = Panels::uninitialised(level, ElementType::Int8, k, n);
    b.put(level, 0, 0, MatrixView::new(weight, n, k).transposed());
    let mut out = vec![f32::NAN; a.len() / k * n];
    let a = MatrixView::new(a, a.len() / k, k);
    let epilogue = Epilogue { bias: Some(bias.into()), activation, before_activation: None };
    let b = &b.into();
    cpu::multiply(level, Matmul { a, b, out: (&mut out).into(), accumulate: false, epilogue });
    out
}

/// The integers of a row, and their scale.
fn rounded(row: &[f32]) -> (Vec<i64>, f32) {
    let scale = row.iter().fold(0.0f32, |max, x| max.max(x.abs())) / LARGEST;
    let factor = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    (row.iter().map(|x| (x * factor).min(LARGEST).round_ties_even() as i64).collect(), scale)
}

/// `a [m, k]`, `weight [n, k]`: sums of integer products, times both scales.
fn wanted(a: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f64> {
    let k = weight.len() / bias.len();
    let columns: Vec<(Vec<i64>, f32)> = weight.chunks_exact(k).map(rounded).collect();
    let mut out = Vec::new();
    for row in a.chunks_exact(k) {
        let (numbers, scale) = rounded(row);
        for ((column, column_scale), bias) in columns.iter().zip(bias) {
            let sum: i64 = numbers.iter().zip(column).map(|(a, b)| a * b).sum();
            out.push(sum as f64 * f64::from(scale) * f64::from(*column_scale) + f64::from(*bias));
        }
    }
    out
}

#[test]
fn products_are_those_of_the_rounded_numbers() {
    for (m, k, n) in
        [(1, 1, 1), (3, 7, 5), (2, 64, 16), (15, 65, 40), (9, 130, 48), (150, 3080, 49), (2, 768, 200)]
    {
        let (a, weight, bias) = (normals(m * k, 1), normals(n * k, 2), normals(n, 3));
        let want = wanted(&a, &weight, &bias);
        let mut first: Option<Vec<f32>> = None;
        for level in Level::available() {
            let got = product(level, &a, &weight, &bias, None);
            crate::ops::testing::assert_close(
                &got,
                &want,
                1e-6,
                &format!("{m} x {k} x {n} at {}", level.name()),
            );
            assert_eq!(*first.get_or_insert(got.clone()), got, "{} gives other bits", level.name());
        }
    }
}

#[test]
fn they_are_near_those_of_the_numbers_themselves() {
    let (m, k, n) = (20, 768, 96);
    let (a, weight, bias) = (normals(m * k, 4), normals(n * k, 5), vec![0.0; n]);
    let got = product(Level::current(), &a, &weight, &bias, None);
    let exact = |i: usize| -> f64 {
        let (row, column) = (&a[i / n * k..][..k], &weight[i % n * k..][..k]);
        row.iter().zip(column).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let squares: f64 = got.iter().enumerate().map(|(i, &x)| (f64::from(x) - exact(i)).powi(2)).sum();
    let error = (squares / got.len() as f64).sqrt() / (k as f64).sqrt();
    assert!(error < 0.015, "{error} of a product's size");
    assert!(error > 1e-4, "nothing was rounded");
}

#[test]
fn a_row_stands_alone_and_zeros_stay_zero() {
    let (m, k, n) = (301, 300, 70);
    let (mut a, weight, bias) = (normals(m * k, 6), normals(n * k, 7), normals(n, 8));
    a[..k].fill(0.0);
    let all = product(Level::current(), &a, &weight, &bias, None);
    assert_eq!(all[..n], bias);
    for row in [7, 150, 300] {
        let alone = product(Level::current(), &a[row * k..(row + 1) * k], &weight, &bias, None);
        assert_eq!(alone, all[row * n..(row + 1) * n]);
    }
}

#[test]
fn parts_are_put_side_by_side_and_activated() {
    let (m, k, n) = (5, 20, 24);
    let (a, weight, bias) = (normals(m * k, 9), normals(2 * n * k, 10), normals(2 * n, 11));
    let level = Level::current();
    let mut parts = PackedMatrix::uninitialised(Device::Cpu, ElementType::Int8, k, 2 * n);
    parts.put(0, n, MatrixView::new(&weight[n * k..], n, k).transposed());
    parts.put(0, 0, MatrixView::new(&weight[..n * k], n, k).transposed());
    let relu = Some(Activation::Relu);
    let got = linear(MatrixView::new(&a, m, k), &parts, Some((&bias).into()), relu);
    let got = got.cpu();
    assert_eq!(got, product(level, &a, &weight, &bias, relu));
    let plain = product(level, &a, &weight, &bias, None);
    assert!(got.iter().zip(&plain).all(|(&after, &before)| after == before.max(0.0)));
}

#[test]
fn products_are_added_to_out() {
    let (m, k, n) = (9, 70, 20);
    let (a, weight) = (normals(m * k, 12), normals(n * k, 13));
    let b = PackedMatrix::pack(ElementType::Int8, MatrixView::new(&weight, n, k).transposed());
    let a = MatrixView::new(&a, m, k);
    let once = linear(a, &b, None, None);
    let mut twice = once.clone();
    matmul(Matmul { a, b: &b, out: twice.view_mut(), accumulate: true, epilogue: Epilogue::default() });
    assert!(once.cpu().iter().zip(twice.cpu()).all(|(once, twice)| 2.0 * once == *twice));
}

#[test]
#[should_panic(expected = "contiguous columns")]
fn columns_that_are_not_contiguous_are_refused() {
    PackedMatrix::pack(ElementType::Int8, MatrixView::new(&normals(12, 14), 4, 3));
}

#[test]
fn nan_and_infinity_make_every_product_that_reads_them_nan_and_no_other() {
    let (m, k, n) = (9, 150, 21);
    let bias = vec![0.0; n];
    for level in Level::available() {
        for (bad, place) in NON_FINITE.into_iter().flat_map(|bad| [(bad, 0), (bad, 77), (bad, 149)]) {
            let at = format!("{bad} at {place} at {}", level.name());
            let (mut a, weight) = (normals(m * k, 1), normals(n * k, 2));
            a[4 * k + place] = bad;
            let got = product(level, &a, &weight, &bias, None);
            assert!(got.iter().enumerate().all(|(i, x)| x.is_nan() == (i / n == 4)), "{at}");
            let (a, mut weight) = (normals(m * k, 1), normals(n * k, 2));
            weight[17 * k + place] = bad;
            let got = product(level, &a, &weight, &bias, Some(Activation::Relu));
            assert!(got.iter().enumerate().all(|(i, x)| x.is_nan() == (i % n == 17)), "{at}");
        }
    }
}

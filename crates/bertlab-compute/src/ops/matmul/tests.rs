//! Against the oracle, at every level that the machine has; and the law that a row stands alone.

use super::*;
use crate::ops::testing::{NON_FINITE, assert_close, normals, wide};

fn product(level: Level, a: MatrixView<'_>, b: MatrixView<'_>, bias: &[f32]) -> Vec<f32> {
    product_in(ElementType::F32, level, a, b, bias)
}

fn product_in(
    precision: ElementType,
    level: Level,
    a: MatrixView<'_>,
    b: MatrixView<'_>,
    bias: &[f32],
) -> Vec<f32> {
    let mut packed = Panels::uninitialised(level, precision, b.n_rows(), b.n_columns());
    packed.put(level, 0, 0, b);
    let mut out = vec![f32::NAN; a.n_rows() * b.n_columns()];
    let epilogue = Epilogue { bias: Some(bias.into()), ..Epilogue::default() };
    let b = &packed.into();
    cpu::multiply(level, Matmul { a, b, out: (&mut out).into(), accumulate: false, epilogue });
    out
}

fn check(m: usize, k: usize, n: usize) {
    let (a, b, bias) = (normals(m * k, 1), normals(k * n, 2), normals(n, 3));
    let want = reference::matmul(&wide(&a), &wide(&b), &wide(&bias), (m, k, n));
    let mut first: Option<Vec<f32>> = None;
    for level in Level::available() {
        let got = product(level, MatrixView::new(&a, m, k), MatrixView::new(&b, k, n), &bias);
        assert_close(&got, &want, 2e-6, &format!("{m} x {k} x {n} at {}", level.name()));
        assert_eq!(*first.get_or_insert(got.clone()), got, "{} gives other bits", level.name());
    }
}

#[test]
fn products_of_all_sizes_agree_with_the_oracle() {
    for m in [0, 1, 2, 13, 14, 15, 29, 201] {
        for (k, n) in [(0, 3), (1, 1), (15, 16), (16, 17), (33, 31), (64, 96), (257, 65), (600, 5)] {
            check(m, k, n);
        }
    }
}

/// x rounded to bf16, to nearest even.
fn bf16(x: f32) -> f32 {
    let bits = x.to_bits();
    f32::from_bits((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
}

#[test]
fn bf16_products_are_those_of_the_rounded_numbers() {
    for (m, k, n) in [(1, 1, 1), (3, 7, 5), (15, 33, 40), (29, 600, 33), (2, 1025, 70)] {
        let (a, b, bias) = (normals(m * k, 1), normals(k * n, 2), normals(n, 3));
        let round = |x: &[f32]| x.iter().map(|&x| f64::from(bf16(x))).collect::<Vec<f64>>();
        let want = reference::matmul(&round(&a), &round(&b), &wide(&bias), (m, k, n));
        let bt: Vec<f32> = (0..n * k).map(|i| b[(i % k) * n + i / k]).collect();
        let turned = MatrixView::new(&bt, n, k).transposed();
        for level in Level::available() {
            for b in [MatrixView::new(&b, k, n), turned] {
                let got = product_in(ElementType::Bf16, level, MatrixView::new(&a, m, k), b, &bias);
                assert_close(&got, &want, 3e-6, &format!("{m} x {k} x {n} at {}", level.name()));
            }
        }
    }
}

#[test]
fn transposed_and_partial_views_read_the_right_numbers() {
    let (m, k, n) = (19, 40, 33);
    let (a, b) = (normals(m * k, 4), normals(k * n, 5));
    let at: Vec<f32> = (0..k * m).map(|i| a[(i % m) * k + i / m]).collect();
    let bt: Vec<f32> = (0..n * k).map(|i| b[(i % k) * n + i / k]).collect();
    let zeros = vec![0.0; n];
    let level = Level::current();
    let plain = product(level, MatrixView::new(&a, m, k), MatrixView::new(&b, k, n), &zeros);
    let turned = product(
        level,
        MatrixView::new(&at, k, m).transposed(),
        MatrixView::new(&bt, n, k).transposed(),
        &zeros,
    );
    assert_eq!(plain, turned);
    let part = product(
        level,
        MatrixView::new(&a, m, k).rows(3, 5),
        MatrixView::new(&b, k, n).columns(7, 9),
        &zeros[..9],
    );
    for i in 0..5 {
        assert_eq!(part[i * 9..(i + 1) * 9], plain[(i + 3) * n + 7..(i + 3) * n + 16]);
    }
}

#[test]
fn a_row_stands_alone() {
    let (m, k, n) = (301, 300, 70);
    let (a, b, bias) = (normals(m * k, 6), normals(k * n, 7), normals(n, 8));
    let all = product(Level::current(), MatrixView::new(&a, m, k), MatrixView::new(&b, k, n), &bias);
    for row in [0, 7, 150, 300] {
        let alone = MatrixView::new(&a[row * k..(row + 1) * k], 1, k);
        let alone = product(Level::current(), alone, MatrixView::new(&b, k, n), &bias);
        assert_eq!(alone, all[row * n..(row + 1) * n]);
    }
}

#[test]
fn parts_are_packed_side_by_side_and_added_to() {
    let (m, k, n) = (5, 20, 24);
    let (a, b) = (normals(m * k, 9), normals(k * 2 * n, 10));
    let whole = MatrixView::new(&b, k, 2 * n);
    let mut parts = PackedMatrix::uninitialised(Device::Cpu, ElementType::F32, k, 2 * n);
    parts.put(0, n, whole.columns(n, n));
    parts.put(0, 0, whole.columns(0, n));
    let a = MatrixView::new(&a, m, k);
    let once = linear(a, &PackedMatrix::pack(ElementType::F32, whole), None, None);
    let mut twice = linear(a, &parts, None, None);
    assert_eq!(once.cpu(), twice.cpu());
    let epilogue = Epilogue::default();
    matmul(Matmul { a, b: &parts, out: twice.view_mut(), accumulate: true, epilogue });
    assert!(once.cpu().iter().zip(twice.cpu()).all(|(one, two)| (2.0 * one - two).abs() < 1e-6));
}

#[test]
fn what_stood_before_the_activation_is_kept() {
    let (m, k, n) = (9, 12, 20);
    let (a, b) = (
        normals(m * k, 11),
        PackedMatrix::pack(ElementType::F32, MatrixView::new(&normals(k * n, 12), k, n)),
    );
    let a = MatrixView::new(&a, m, k);
    let (out, kept) = linear_keeping(a, &b, None, Activation::Relu);
    assert_eq!(kept.cpu(), linear(a, &b, None, None).cpu());
    assert!(out.cpu().iter().zip(kept.cpu()).all(|(&after, &before)| after == before.max(0.0)));
    assert!(kept.cpu().iter().any(|&x| x < 0.0));
}

#[test]
fn nan_and_infinity_reach_every_product_that_reads_them_and_no_other() {
    let (m, k, n) = (9, 37, 21);
    let bias = vec![0.0; n];
    for (precision, level) in [ElementType::F32, ElementType::Bf16]
        .into_iter()
        .flat_map(|precision| Level::available().into_iter().map(move |level| (precision, level)))
    {
        for (bad, place) in NON_FINITE.into_iter().flat_map(|bad| [(bad, 0), (bad, 15), (bad, 36)]) {
            let at = format!("{bad} at {place}, {precision:?} at {}", level.name());
            let (mut a, b) = (normals(m * k, 1), normals(k * n, 2));
            a[4 * k + place] = bad;
            let got =
                product_in(precision, level, MatrixView::new(&a, m, k), MatrixView::new(&b, k, n), &bias);
            assert!(got.iter().enumerate().all(|(i, x)| x.is_finite() != (i / n == 4)), "{at}");
            assert!(!bad.is_nan() || got[4 * n..5 * n].iter().all(|x| x.is_nan()), "{at}");

            let (a, mut b) = (normals(m * k, 1), normals(k * n, 2));
            b[place * n + 17] = bad;
            let bt: Vec<f32> = (0..n * k).map(|i| b[(i % k) * n + i / k]).collect();
            for b in [MatrixView::new(&b, k, n), MatrixView::new(&bt, n, k).transposed()] {
                let got = product_in(precision, level, MatrixView::new(&a, m, k), b, &bias);
                assert!(got.iter().enumerate().all(|(i, x)| x.is_finite() != (i % n == 17)), "{at}");
            }
        }
    }
}

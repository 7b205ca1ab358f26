//! Against the oracle and finite differences, at every level, with and without dropout.

use super::*;
use crate::ops::dropout::cpu::fill_mask;
use crate::ops::testing::{NON_FINITE, assert_close, normals, numeric_gradient, wide};

fn mask_of(dropout: Option<Dropout>, n_heads: usize, longest: usize) -> impl Fn(usize, usize, usize) -> f64 {
    move |token, head, j| {
        let Some(dropout) = dropout else { return 1.0 };
        let mut mask = vec![0.0; longest];
        fill_mask(dropout, (token * n_heads + head) as u64, &mut mask);
        f64::from(mask[j])
    }
}

fn heads(row_starts: &[usize], n_heads: usize, width: usize) -> Heads<'_> {
    Heads { row_starts, n_heads, width, queries: Queries::All, window: None, precision: ElementType::F32 }
}

fn gradient_job<'a>(
    qkv: &'a Vec<f32>,
    done: &'a Attended,
    d_out: &'a [f32],
    dropout: Option<Dropout>,
) -> AttentionGradient<'a> {
    let (out, log_sums) = (done.out.view(), done.log_sums.view());
    AttentionGradient { qkv: qkv.into(), out, log_sums, d_out: d_out.into(), dropout }
}

fn check(heads: Heads<'_>, dropout: Option<Dropout>) {
    let Heads { n_heads, width, .. } = heads;
    // A number in bf16 is off by one part in 512 at most; weights and gradients are sums of many.
    let (tolerance, gradient_tolerance) = match heads.precision {
        ElementType::F32 => (2e-6, 1e-5),
        ElementType::Bf16 => (1e-2, 2e-2),
        ElementType::Int8 => unreachable!("attention is computed in f32 or bf16"),
    };
    let n_tokens = heads.n_tokens();
    let (qkv, d_out) = (normals(n_tokens * 3 * width, 1), normals(n_tokens * width, 2));
    let mask = mask_of(dropout, n_heads, 200);
    let oracle = |qkv: &[f64]| reference::attention(heads, qkv, &mask);
    let want = oracle(&wide(&qkv));
    let loss = |qkv: &[f64]| -> f64 { oracle(qkv).iter().zip(&d_out).map(|(y, &d)| y * f64::from(d)).sum() };
    let small = n_tokens * width < 200;
    let want_gradient = if small { numeric_gradient(&wide(&qkv), loss) } else { Vec::new() };
    let mut first: Option<Vec<f32>> = None;
    for level in Level::available() {
        let done = cpu::forward(level, heads, &qkv, dropout, true);
        assert_close(done.out.cpu(), &want, tolerance, "attention");
        let maps = done.maps.as_ref().unwrap();
        assert!(maps.iter().flat_map(|map| map.cpu()).all(|p| (0.0..=1.0).contains(p)));
        let job = gradient_job(&qkv, &done, &d_out, dropout);
        let gradient = backward::backward(level, heads, job.cpu());
        let gradient = gradient.cpu();
        if small {
            assert_close(gradient, &want_gradient, gradient_tolerance, "d_qkv");
        }
        if heads.precision == ElementType::F32 || level != Level::Avx512Bf16 {
            let first = first.get_or_insert_with(|| gradient.to_vec());
            assert_eq!(first[..], *gradient, "{} gives other bits", level.name());
        }
    }
}

#[test]
fn values_and_gradients_agree_with_the_oracle() {
    for precision in [ElementType::F32, ElementType::Bf16] {
        let check = |row_starts, n_heads, width, dropout| {
            check(Heads { precision, ..heads(row_starts, n_heads, width) }, dropout);
        };
        check(&[0, 3, 4, 9], 2, 6, None);
        check(&[0, 3, 4, 9], 2, 6, Dropout::new(0.3, 5));
        check(&[0, 17], 1, 8, None);
        check(&[0, 120, 121, 190], 3, 48, None);
        check(&[0, 120, 121, 190], 3, 48, Dropout::new(0.1, 6));
    }
}

#[test]
fn windows_agree_with_the_oracle() {
    for precision in [ElementType::F32, ElementType::Bf16] {
        let check = |row_starts, n_heads, width, reach, dropout| {
            check(Heads { precision, window: Some(reach), ..heads(row_starts, n_heads, width) }, dropout);
        };
        check(&[0, 3, 4, 9], 2, 6, 0, None);
        check(&[0, 3, 4, 9], 2, 6, 1, None);
        check(&[0, 3, 4, 9], 2, 6, 2, Dropout::new(0.3, 5));
        // Rows of several strips, windows shorter and longer than a strip, and one that holds the row.
        check(&[0, 150, 151, 190], 3, 48, 9, Dropout::new(0.1, 6));
        check(&[0, 190], 3, 48, 71, None);
    }
}

#[test]
fn gradients_of_windows_agree_across_strips() {
    // 130 tokens make three strips; one head of width 1 keeps finite differences cheap.
    let (row_starts, reach) = ([0, 130], 5);
    let windowed = Heads { window: Some(reach), ..heads(&row_starts, 1, 1) };
    let (qkv, d_out) = (normals(390, 1), normals(130, 2));
    let loss = |qkv: &[f64]| -> f64 {
        let out = reference::attention(windowed, qkv, |_, _, _| 1.0);
        out.iter().zip(&d_out).map(|(y, &d)| y * f64::from(d)).sum()
    };
    let done = forward(windowed, &qkv, None, false);
    let d_qkv = backward(windowed, gradient_job(&qkv, &done, &d_out, None));
    assert_close(d_qkv.cpu(), &numeric_gradient(&wide(&qkv), loss), 1e-5, "d_qkv");
}

#[test]
fn a_window_that_holds_every_row_changes_no_bit() {
    let (width, row_starts) = (32, [0, 70, 100]);
    let (qkv, d_out) = (normals(100 * 3 * width, 3), normals(100 * width, 4));
    let run = |window| {
        let heads = Heads { window, ..heads(&row_starts, 2, width) };
        let dropout = Dropout::new(0.2, 7);
        let done = forward(heads, &qkv, dropout, true);
        let d_qkv = backward(heads, gradient_job(&qkv, &done, &d_out, dropout));
        let maps: Vec<f32> = done.maps.iter().flatten().flat_map(|map| map.cpu()).copied().collect();
        (done.out.cpu().to_vec(), maps, d_qkv.cpu().to_vec())
    };
    assert!(run(None) == run(Some(70)));
}

#[test]
fn a_row_stands_alone() {
    let width = 32;
    let qkv = normals(100 * 3 * width, 3);
    let all = forward(heads(&[0, 30, 100], 2, width), &qkv, None, false);
    let alone = forward(heads(&[0, 70], 2, width), &qkv[30 * 3 * width..], None, false);
    assert_eq!(all.out.cpu()[30 * width..], *alone.out.cpu());
}

#[test]
fn queries_of_first_tokens_alone_give_the_same_bits_and_gradients() {
    let (width, row_starts) = (32, [0, 70, 71, 100]);
    let (qkv, d_firsts) = (normals(100 * 3 * width, 3), normals(3 * width, 4));
    let mut d_all = vec![0.0; 100 * width];
    let places = || row_starts[..3].iter().enumerate();
    for (row, &first) in places() {
        d_all[first * width..][..width].copy_from_slice(&d_firsts[row * width..][..width]);
    }
    for (precision, dropout) in [ElementType::F32, ElementType::Bf16].map(|it| (it, Dropout::new(0.2, 7))) {
        for window in [None, Some(5)] {
            let all = Heads { precision, window, ..heads(&row_starts, 2, width) };
            let firsts = Heads { queries: Queries::Firsts, ..all };
            let run = |heads, d_out: &[f32]| {
                let done = forward(heads, &qkv, dropout, false);
                let d_qkv = backward(heads, gradient_job(&qkv, &done, d_out, dropout));
                (done.out.cpu().to_vec(), d_qkv.cpu().to_vec())
            };
            let ((out, d_qkv), (out_firsts, d_qkv_firsts)) = (run(all, &d_all), run(firsts, &d_firsts));
            for (row, &first) in places() {
                assert_eq!(out[first * width..][..width], out_firsts[row * width..][..width]);
            }
            assert_eq!(d_qkv, d_qkv_firsts);
        }
    }
}

#[test]
fn maps_sum_to_one() {
    let qkv = normals(70 * 3 * 16, 4);
    let done = forward(heads(&[0, 70], 2, 16), &qkv, None, true);
    for row in done.maps.unwrap()[0].cpu().chunks(70) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}

#[test]
fn nan_and_infinity_reach_the_outputs_of_their_row_and_head_alone() {
    let (width, n_heads, row_starts) = (12, 2, [0, 20, 21, 40]);
    let d_out = normals(40 * width, 2);
    for precision in [ElementType::F32, ElementType::Bf16] {
        let heads = Heads { precision, ..heads(&row_starts, n_heads, width) };
        for level in Level::available() {
            for bad in NON_FINITE {
                for part in 0..3 {
                    // Row 2, token 30, the second head's columns.
                    let mut qkv = normals(40 * 3 * width, 1);
                    qkv[30 * 3 * width + part * width + 7] = bad;
                    let done = cpu::forward(level, heads, &qkv, None, false);
                    let at = format!("{bad} in part {part}, {precision:?} at {}", level.name());
                    let is_in = |i: usize| i / width >= 21 && i % width >= 6;
                    let wrong = |x: &f32| !x.is_finite();
                    let hit = done.out.cpu().iter().enumerate().filter(|(_, x)| wrong(x)).map(|(i, _)| i);
                    assert!(hit.clone().count() > 0 && hit.clone().all(is_in), "{at}");
                    // A NaN key or value concerns every query of its row and head, a query itself alone.
                    let wanted = [6, 19 * 6, 19][part];
                    assert!(!bad.is_nan() || hit.count() == wanted, "{at}");
                    let job = gradient_job(&qkv, &done, &d_out, None).cpu();
                    let gradient = backward::backward(level, heads, job);
                    let mut hit = gradient.cpu().iter().enumerate().filter(|(_, x)| wrong(x));
                    assert!(hit.clone().count() > 0, "{at}");
                    assert!(hit.all(|(i, _)| is_in(i / (3 * width) * width + i % width)), "{at}");
                }
            }
        }
    }
}

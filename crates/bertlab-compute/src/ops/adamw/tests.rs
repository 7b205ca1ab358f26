//! Against the formula in f64, at every level; and rows without gradients against gradients of zero.

use super::cpu::{step, step_rows};
use super::*;
use crate::ops::testing::{assert_close, normals, wide};
use crate::simd::Level;

const SETTINGS: AdamW = AdamW {
    learning_rate: 0.01,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weight_decay: 0.1,
    gradient_scale: 0.5,
    step: 0,
};

fn moments_of<'a>(
    p: &'a mut Vec<f32>,
    g: &'a Vec<f32>,
    m: &'a mut Vec<f32>,
    v: &'a mut Vec<f32>,
) -> Moments<'a> {
    Moments { parameter: p.into(), gradient: g.into(), first: m.into(), second: v.into() }
}

#[test]
fn steps_agree_with_the_formula() {
    let n = 77;
    for level in Level::available() {
        let mut p = normals(n, 1);
        let (mut m, mut v) = (vec![0.0; n], vec![0.0; n]);
        let (mut p64, mut m64, mut v64) = (wide(&p), vec![0.0; n], vec![0.0; n]);
        for t in 1..=5 {
            let g = normals(n, 10 + t);
            let adamw = AdamW { step: t, ..SETTINGS };
            let job = moments_of(&mut p, &g, &mut m, &mut v);
            step(level, adamw, job);
            for i in 0..n {
                let g = 0.5 * f64::from(g[i]);
                p64[i] *= 1.0 - 0.01 * 0.1;
                m64[i] = 0.9 * m64[i] + 0.1 * g;
                v64[i] = 0.999 * v64[i] + 0.001 * g * g;
                let root: f64 = v64[i] / (1.0 - 0.999f64.powi(t as i32));
                p64[i] -= 0.01 * (m64[i] / (1.0 - 0.9f64.powi(t as i32))) / (root.sqrt() + 1e-8);
            }
        }
        assert_close(&p, &p64, 1e-6, "parameters");
        assert_close(&v, &v64, 1e-6, "second moments");
    }
}

#[test]
fn rows_without_gradients_step_as_if_they_were_zero() {
    let (width, n_rows) = (21, 9);
    let start = normals(n_rows * width, 1);
    for level in Level::available() {
        let zeros = || vec![0.0; n_rows * width];
        let (mut p, mut m, mut v) = (start.clone(), zeros(), zeros());
        let (mut all_p, mut all_m, mut all_v) = (start.clone(), zeros(), zeros());
        let mut is_moved = vec![false; n_rows];
        for (t, words) in [(1, [4, 2]), (2, [2, 8])] {
            let g = normals(2 * width, 10 + t);
            let (mut rows, mut all_g) = (vec![None; n_rows], zeros());
            for (place, word) in words.into_iter().enumerate() {
                (rows[word], is_moved[word]) = (Some(place as u32), true);
                all_g[word * width..][..width].copy_from_slice(&g[place * width..][..width]);
            }
            let adamw = AdamW { step: t, ..SETTINGS };
            let moments = moments_of(&mut p, &g, &mut m, &mut v);
            step_rows(level, adamw, RowMoments { moments, rows: &rows, is_moved: &is_moved });
            let all = moments_of(&mut all_p, &all_g, &mut all_m, &mut all_v);
            step(level, adamw, all);
        }
        let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&p), bits(&all_p), "{level:?}");
        assert_eq!((m, v), (all_m, all_v), "{level:?}");
    }
}

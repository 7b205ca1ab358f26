//! Against the oracle and finite differences, at every level.

use super::*;
use crate::ops::testing::{NON_FINITE, assert_close, normals, numeric_gradient, wide};

const WIDTHS: [usize; 5] = [1, 15, 16, 33, 100];

#[test]
fn values_agree_with_the_oracle() {
    for width in WIDTHS {
        let rows = 67;
        let (x, residual) = (normals(rows * width, 1), normals(rows * width, 2));
        let (weight, bias) = (normals(width, 3), normals(width, 4));
        let want: Vec<f64> = (0..rows)
            .flat_map(|r| {
                let z: Vec<f64> =
                    (r * width..(r + 1) * width).map(|i| f64::from(x[i] + residual[i])).collect();
                reference::layer_norm(&z, &wide(&weight), &wide(&bias), 1e-5)
            })
            .collect();
        for level in Level::available() {
            let (mut z, mut out) = (x.clone(), vec![0.0; x.len()]);
            let affine = Affine { weight: (&weight).into(), bias: Some((&bias).into()), epsilon: 1e-5 };
            let job = AddNorm {
                x: (&mut z).into(),
                residual: Some((&residual).into()),
                dropout: None,
                out: (&mut out).into(),
            };
            cpu::forward(level, affine, job);
            assert_close(&out, &want, 3e-6, &format!("width {width} at {}", level.name()));
            assert_eq!(z[3], x[3] + residual[3]);
        }
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for width in [2, 16, 19] {
        let rows = 3;
        let (z, dy) = (normals(rows * width, 5), normals(rows * width, 6));
        let (weight, bias) = (normals(width, 7), normals(width, 8));
        let loss = |z: &[f64], weight: &[f64], bias: &[f64]| -> f64 {
            let y = z.chunks(width).flat_map(|z| reference::layer_norm(z, weight, bias, 1e-5));
            y.zip(&dy).map(|(y, &d)| y * f64::from(d)).sum()
        };
        let (z64, w64, b64) = (wide(&z), wide(&weight), wide(&bias));
        for level in Level::available() {
            let (mut d, mut dw, mut db) = (dy.clone(), vec![1.0; width], vec![0.0; width]);
            let affine = Affine { weight: (&weight).into(), bias: Some((&bias).into()), epsilon: 1e-5 };
            cpu::backward(
                level,
                affine,
                NormGradient {
                    z: (&z).into(),
                    d: (&mut d).into(),
                    d_weight: Some((&mut dw).into()),
                    d_bias: Some((&mut db).into()),
                },
            );
            assert_close(&d, &numeric_gradient(&z64, |z| loss(z, &w64, &b64)), 2e-5, "d_z");
            dw.iter_mut().for_each(|d| *d -= 1.0); // Gradients are added to what was there.
            assert_close(&dw, &numeric_gradient(&w64, |w| loss(&z64, w, &b64)), 2e-5, "d_weight");
            assert_close(&db, &numeric_gradient(&b64, |b| loss(&z64, &w64, b)), 2e-5, "d_bias");
        }
    }
}

#[test]
fn a_row_with_nan_or_infinity_is_nan_and_the_others_are_not() {
    for width in [15, 16, 33] {
        let (weight, bias) = (normals(width, 3), normals(width, 4));
        let affine = Affine { weight: (&weight).into(), bias: Some((&bias).into()), epsilon: 1e-5 };
        for bad in NON_FINITE {
            for level in Level::available() {
                for place in 0..width {
                    let mut x = normals(3 * width, 1);
                    x[width + place] = bad;
                    let mut out = vec![0.0; x.len()];
                    let (mut z, to) = (x.clone(), (&mut out).into());
                    let job = AddNorm { x: (&mut z).into(), residual: None, dropout: None, out: to };
                    cpu::forward(level, affine, job);
                    let mut d = normals(3 * width, 2);
                    let (mut d_weight, mut d_bias) = (vec![0.0; width], vec![0.0; width]);
                    let job = NormGradient {
                        z: (&x).into(),
                        d: (&mut d).into(),
                        d_weight: Some((&mut d_weight).into()),
                        d_bias: Some((&mut d_bias).into()),
                    };
                    cpu::backward(level, affine, job);
                    for (what, values) in [("y", &out), ("d_x", &d)] {
                        let at = format!("{what}: {bad} at {place} of {width} at {}", level.name());
                        assert!(values[width..2 * width].iter().all(|y| y.is_nan()), "{at}");
                        let mut others = values[..width].iter().chain(&values[2 * width..]);
                        assert!(others.all(|y| y.is_finite()), "{at}");
                    }
                    assert!(d_weight.iter().all(|d| d.is_nan()));
                }
            }
        }
    }
}

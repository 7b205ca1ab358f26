//! Row after row, on the calling thread.

use crate::buffer::Buffer;
use crate::device::Device;

pub(super) fn gather(x: &[f32], width: usize, indices: &[usize]) -> Buffer {
    let mut out = Buffer::uninitialised(Device::Cpu, indices.len() * width);
    for (to, &index) in out.cpu_mut().chunks_exact_mut(width).zip(indices) {
        to.copy_from_slice(&x[index * width..][..width]);
    }
    out
}

pub(super) fn scatter(rows: &[f32], width: usize, indices: &[usize], n_rows: usize) -> Buffer {
    let mut out = Buffer::zeros(Device::Cpu, n_rows * width);
    for (row, &index) in rows.chunks_exact(width).zip(indices) {
        out.cpu_mut()[index * width..][..width].copy_from_slice(row);
    }
    out
}

pub(super) fn scatter_add(rows: &[f32], width: usize, indices: &[usize], sum: &mut [f32]) {
    for (row, &index) in rows.chunks_exact(width).zip(indices) {
        sum[index * width..][..width].iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
}

pub(super) fn means(x: &[f32], width: usize, starts: &[usize]) -> Buffer {
    let mut out = Buffer::zeros(Device::Cpu, (starts.len() - 1) * width);
    for (mean, run) in out.cpu_mut().chunks_exact_mut(width).zip(starts.windows(2)) {
        for row in x[run[0] * width..run[1] * width].chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        mean.iter_mut().for_each(|sum| *sum /= (run[1] - run[0]) as f32);
    }
    out
}

pub(super) fn means_backward(d: &[f32], width: usize, starts: &[usize], sum: &mut [f32]) {
    for (d, run) in d.chunks_exact(width).zip(starts.windows(2)) {
        let n = (run[1] - run[0]) as f32;
        for row in sum[run[0] * width..run[1] * width].chunks_exact_mut(width) {
            row.iter_mut().zip(d).for_each(|(sum, d)| *sum += d / n);
        }
    }
}

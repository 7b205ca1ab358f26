//! `Tensor`: a shape and its numbers, in C order.

use crate::buffer::Buffer;
use crate::device::Device;
use crate::ops::rows;
use crate::view::{View, ViewMut};
use std::sync::Arc;

/// Numbers that somebody else owns (a memory-mapped file, say), read without a copy.
pub trait SharedData: Send + Sync {
    /// All the numbers, in C order.
    fn as_f32(&self) -> &[f32];
}

/// A dense array of f32 in C order.
// Invariant: the product of `shape` is the length of `data`.
#[derive(Clone)]
pub struct Tensor {
    shape: Vec<usize>,
    data: Data,
}

#[derive(Clone)]
enum Data {
    Owned(Vec<f32>),
    Buffer(Buffer),
    Shared(Arc<dyn SharedData>),
}

impl Tensor {
    /// All zeros, in host memory.
    pub fn zeros(shape: &[usize]) -> Self {
        Self::zeros_on(Device::Cpu, shape)
    }

    /// All zeros, on a device.
    pub fn zeros_on(device: Device, shape: &[usize]) -> Self {
        Self::from_buffer(shape, Buffer::zeros(device, shape.iter().product()))
    }

    /// From numbers in C order. Panics when their count is not the product of `shape`.
    pub fn from_vec(shape: &[usize], data: Vec<f32>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), data.len(), "shape {shape:?}");
        Self { shape: shape.to_vec(), data: Data::Owned(data) }
    }

    /// A buffer in C order. Panics when its length is not the product of `shape`.
    pub fn from_buffer(shape: &[usize], data: Buffer) -> Self {
        assert_eq!(shape.iter().product::<usize>(), data.len(), "shape {shape:?}");
        Self { shape: shape.to_vec(), data: Data::Buffer(data) }
    }

    /// Over numbers that somebody else owns; copied at the first change.
    /// Panics when their count is not the product of `shape`.
    pub fn from_shared(shape: &[usize], data: Arc<dyn SharedData>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), data.as_f32().len(), "shape {shape:?}");
        Self { shape: shape.to_vec(), data: Data::Shared(data) }
    }

    /// The size of every axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Whether the numbers are somebody else's, read without a copy.
    pub fn is_shared(&self) -> bool {
        matches!(self.data, Data::Shared(_))
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.view().len()
    }

    /// Whether there are no numbers.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The size of the last axis; 1 for a scalar.
    pub fn width(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// How many rows of `width()` there are.
    pub fn n_rows(&self) -> usize {
        self.shape.iter().rev().skip(1).product()
    }

    /// Where the numbers are.
    pub fn device(&self) -> Device {
        self.view().device()
    }

    /// All numbers where they are, in C order.
    pub fn view(&self) -> View<'_> {
        match &self.data {
            Data::Owned(data) => data.into(),
            Data::Buffer(data) => data.into(),
            Data::Shared(data) => data.as_f32().into(),
        }
    }

    /// All numbers where they are, to be changed; shared numbers are copied first.
    pub fn view_mut(&mut self) -> ViewMut<'_> {
        if let Data::Shared(data) = &self.data {
            self.data = Data::Buffer(Buffer::copy_of(data.as_f32()));
        }
        match &mut self.data {
            Data::Owned(data) => data.into(),
            Data::Buffer(data) => data.into(),
            Data::Shared(_) => unreachable!("shared numbers were copied above"),
        }
    }

    /// All numbers, in C order. Panics when they are not in host memory.
    pub fn as_slice(&self) -> &[f32] {
        self.view().cpu()
    }

    /// All numbers, to be changed; shared numbers are copied first. Panics when they are not in host memory.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        self.view_mut().cpu()
    }

    /// Row `index` of the last axis.
    pub fn row(&self, index: usize) -> &[f32] {
        let width = self.width();
        &self.as_slice()[index * width..(index + 1) * width]
    }

    /// Row `index` of the last axis, to be changed.
    pub fn row_mut(&mut self, index: usize) -> &mut [f32] {
        let width = self.width();
        &mut self.as_mut_slice()[index * width..(index + 1) * width]
    }

    /// The numbers alone. Panics when they are not in host memory.
    pub fn into_vec(self) -> Vec<f32> {
        match self.data {
            Data::Owned(data) => data,
            Data::Buffer(data) => data.cpu().to_vec(),
            Data::Shared(data) => data.as_f32().to_vec(),
        }
    }

    /// The numbers alone, in a buffer.
    pub fn into_buffer(self) -> Buffer {
        match self.data {
            Data::Buffer(data) => data,
            Data::Owned(data) => Buffer::copy_of(&data),
            Data::Shared(data) => Buffer::copy_of(data.as_f32()),
        }
    }

    /// The same numbers under another shape of the same size.
    pub fn reshaped(mut self, shape: &[usize]) -> Self {
        assert_eq!(shape.iter().product::<usize>(), self.len(), "{:?} to {shape:?}", self.shape);
        self.shape = shape.to_vec();
        self
    }

    /// A new tensor of the rows `indices`, in that order: `[indices.len(), width]`. Panics when one lies
    /// outside.
    pub fn gather_rows(&self, indices: &[usize]) -> Self {
        let width = self.width();
        Self::from_buffer(&[indices.len(), width], rows::gather(self, width, indices))
    }
}

impl<'a> From<&'a Tensor> for View<'a> {
    fn from(tensor: &'a Tensor) -> Self {
        tensor.view()
    }
}

impl<'a> From<&'a mut Tensor> for ViewMut<'a> {
    fn from(tensor: &'a mut Tensor) -> Self {
        tensor.view_mut()
    }
}

impl std::fmt::Debug for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tensor{:?}", self.shape)
    }
}

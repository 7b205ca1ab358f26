//! `View` and `ViewMut`: numbers of a buffer or a tensor, borrowed where they are.

use crate::device::Device;
use crate::element::ElementType;
use std::ops::Range;

/// Numbers borrowed where they are: on a device, of an element type.
#[derive(Clone, Copy)]
pub struct View<'a>(Numbers<'a>);

#[derive(Clone, Copy)]
enum Numbers<'a> {
    Cpu(&'a [f32]),
}

/// As [`View`], to be changed.
pub struct ViewMut<'a>(NumbersMut<'a>);

enum NumbersMut<'a> {
    Cpu(&'a mut [f32]),
}

impl<'a> View<'a> {
    /// How many numbers there are.
    pub fn len(self) -> usize {
        match self.0 {
            Numbers::Cpu(numbers) => numbers.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Where they are.
    pub fn device(self) -> Device {
        match self.0 {
            Numbers::Cpu(_) => Device::Cpu,
        }
    }

    /// How they are held.
    pub fn element(self) -> ElementType {
        match self.0 {
            Numbers::Cpu(_) => ElementType::F32,
        }
    }

    /// A part of them. Panics when it is not inside.
    pub fn part(self, range: Range<usize>) -> Self {
        match self.0 {
            Numbers::Cpu(numbers) => Self(Numbers::Cpu(&numbers[range])),
        }
    }

    /// The numbers, in host memory. Panics when they are on another device.
    #[inline(always)]
    pub(crate) fn cpu(self) -> &'a [f32] {
        match self.0 {
            Numbers::Cpu(numbers) => numbers,
        }
    }
}

impl<'a> ViewMut<'a> {
    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.as_view().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where they are.
    pub fn device(&self) -> Device {
        self.as_view().device()
    }

    /// How they are held.
    pub fn element(&self) -> ElementType {
        self.as_view().element()
    }

    /// The same numbers, borrowed again.
    pub fn reborrow(&mut self) -> ViewMut<'_> {
        match &mut self.0 {
            NumbersMut::Cpu(numbers) => ViewMut(NumbersMut::Cpu(numbers)),
        }
    }

    /// The same numbers, to be read.
    pub fn as_view(&self) -> View<'_> {
        match &self.0 {
            NumbersMut::Cpu(numbers) => View(Numbers::Cpu(numbers)),
        }
    }

    /// A part of them. Panics when it is not inside.
    pub fn part(self, range: Range<usize>) -> Self {
        match self.0 {
            NumbersMut::Cpu(numbers) => Self(NumbersMut::Cpu(&mut numbers[range])),
        }
    }

    /// Sets all of them to `x`.
    pub fn fill(self, x: f32) {
        match self.0 {
            NumbersMut::Cpu(numbers) => numbers.fill(x),
        }
    }

    /// Replaces them by as many others on the same device. Panics when they are more or fewer, or elsewhere.
    pub fn copy_from<'b>(self, numbers: impl Into<View<'b>>) {
        let numbers = numbers.into();
        match Device::common([self.device(), numbers.device()]) {
            Device::Cpu => self.cpu().copy_from_slice(numbers.cpu()),
        }
    }

    /// The numbers, in host memory. Panics when they are on another device.
    #[inline(always)]
    pub(crate) fn cpu(self) -> &'a mut [f32] {
        match self.0 {
            NumbersMut::Cpu(numbers) => numbers,
        }
    }
}

/// Numbers in host memory are on the processor.
impl<'a> From<&'a [f32]> for View<'a> {
    fn from(numbers: &'a [f32]) -> Self {
        Self(Numbers::Cpu(numbers))
    }
}

impl<'a> From<&'a Vec<f32>> for View<'a> {
    fn from(numbers: &'a Vec<f32>) -> Self {
        Self(Numbers::Cpu(numbers))
    }
}

impl<'a> From<&'a mut [f32]> for ViewMut<'a> {
    fn from(numbers: &'a mut [f32]) -> Self {
        Self(NumbersMut::Cpu(numbers))
    }
}

impl<'a> From<&'a mut Vec<f32>> for ViewMut<'a> {
    fn from(numbers: &'a mut Vec<f32>) -> Self {
        Self(NumbersMut::Cpu(numbers))
    }
}

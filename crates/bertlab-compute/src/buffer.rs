//! `Buffer`: numbers that one owner holds on a device.

use crate::device::Device;
use crate::element::ElementType;
use crate::host_memory::{HostMemory, Use};
use crate::view::{View, ViewMut};

/// `len` numbers of one element type on one device. In host memory they are 64-byte aligned.
// Invariant: the memory has room for `len` numbers.
pub struct Buffer {
    memory: Memory,
    element: ElementType,
    len: usize,
}

enum Memory {
    Cpu(HostMemory),
}

impl Default for Buffer {
    fn default() -> Self {
        Self::of_host(HostMemory::default(), ElementType::F32, 0)
    }
}

impl Buffer {
    fn of_host(memory: HostMemory, element: ElementType, len: usize) -> Self {
        Self { memory: Memory::Cpu(memory), element, len }
    }

    /// `len` f32 of no meaning, all to be overwritten. In debug builds they are NaN, so that one which is not
    /// shows.
    pub fn uninitialised(device: Device, len: usize) -> Self {
        match device {
            Device::Cpu => Self::uninitialised_units(ElementType::F32, len),
        }
    }

    /// `len` f32 zeros.
    pub fn zeros(device: Device, len: usize) -> Self {
        match device {
            Device::Cpu => Self::of_host(HostMemory::zeros(len, Use::Sparse), ElementType::F32, len),
        }
    }

    /// `len` f32 zeros, all to be written to soon.
    pub fn zeros_to_be_filled(device: Device, len: usize) -> Self {
        match device {
            Device::Cpu => Self::of_host(HostMemory::zeros(len, Use::Dense), ElementType::F32, len),
        }
    }

    /// A copy of these numbers, on their device.
    pub fn copy_of<'a>(numbers: impl Into<View<'a>>) -> Self {
        let numbers = numbers.into();
        let mut buffer = Self::uninitialised(numbers.device(), numbers.len());
        buffer.view_mut().copy_from(numbers);
        buffer
    }

    /// In host memory, numbers of any element type in `n` units of four bytes.
    pub(crate) fn uninitialised_units(element: ElementType, n: usize) -> Self {
        let len = n * (size_of::<f32>() / element.size_bytes());
        let mut buffer = Self::of_host(HostMemory::uninitialised(n), element, len);
        if cfg!(debug_assertions) {
            buffer.units_mut().fill(f32::NAN);
        }
        buffer
    }

    /// Becomes zeros of an element type in `n` units, in the same memory where that is enough.
    pub(crate) fn reset_units(&mut self, element: ElementType, n: usize) {
        let Memory::Cpu(memory) = &mut self.memory;
        if n > memory.capacity() {
            *memory = HostMemory::zeros(n, Use::Sparse);
        } else {
            memory.words_mut(n).fill(0.0);
        }
        (self.element, self.len) = (element, n * (size_of::<f32>() / element.size_bytes()));
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where they are.
    pub fn device(&self) -> Device {
        match self.memory {
            Memory::Cpu(_) => Device::Cpu,
        }
    }

    /// How they are held.
    pub fn element(&self) -> ElementType {
        self.element
    }

    /// Bytes that they take.
    pub fn size_bytes(&self) -> usize {
        self.len * self.element.size_bytes()
    }

    /// The numbers, borrowed.
    pub fn view(&self) -> View<'_> {
        match self.memory {
            Memory::Cpu(_) => self.cpu().into(),
        }
    }

    /// The numbers, borrowed to be changed.
    pub fn view_mut(&mut self) -> ViewMut<'_> {
        match self.memory {
            Memory::Cpu(_) => self.cpu_mut().into(),
        }
    }

    /// Its f32 in host memory. Panics when it is something else.
    #[inline(always)]
    pub(crate) fn cpu(&self) -> &[f32] {
        assert_eq!(self.element, ElementType::F32);
        self.units()
    }

    /// As [`Self::cpu`], to be changed.
    #[inline(always)]
    pub(crate) fn cpu_mut(&mut self) -> &mut [f32] {
        assert_eq!(self.element, ElementType::F32);
        self.units_mut()
    }

    /// Its numbers in host memory as units of four bytes. Panics when they are on another device.
    #[inline(always)]
    pub(crate) fn units(&self) -> &[f32] {
        let Memory::Cpu(memory) = &self.memory;
        memory.words(self.size_bytes() / size_of::<f32>())
    }

    /// As [`Self::units`], to be changed.
    #[inline(always)]
    pub(crate) fn units_mut(&mut self) -> &mut [f32] {
        let n = self.size_bytes() / size_of::<f32>();
        let Memory::Cpu(memory) = &mut self.memory;
        memory.words_mut(n)
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        match &self.memory {
            Memory::Cpu(_) => {
                let mut copy = Self::uninitialised_units(self.element, self.units().len());
                copy.units_mut().copy_from_slice(self.units());
                copy
            }
        }
    }
}

impl<'a> From<&'a Buffer> for View<'a> {
    fn from(buffer: &'a Buffer) -> Self {
        buffer.view()
    }
}

impl<'a> From<&'a mut Buffer> for ViewMut<'a> {
    fn from(buffer: &'a mut Buffer) -> Self {
        buffer.view_mut()
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer[{}; {:?} on {:?}]", self.len, self.element, self.device())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_hold_the_same_numbers() {
        let numbers: Vec<f32> = (0..40_000).map(|i| i as f32).collect();
        let copy = Buffer::copy_of(&numbers);
        assert_eq!((copy.device(), copy.element(), copy.len()), (Device::Cpu, ElementType::F32, 40_000));
        assert_eq!(copy.clone().cpu(), &numbers[..]);
    }

    #[test]
    fn memory_serves_numbers_of_other_types_and_lengths() {
        let mut buffer = Buffer::uninitialised_units(ElementType::Int8, 1000);
        assert_eq!((buffer.len(), buffer.size_bytes()), (4000, 4000));
        let before = buffer.units().as_ptr();
        buffer.reset_units(ElementType::Bf16, 500);
        assert_eq!((buffer.len(), buffer.element()), (1000, ElementType::Bf16));
        assert!(buffer.units().iter().all(|&unit| unit == 0.0) && buffer.units().as_ptr() == before);
        buffer.reset_units(ElementType::F32, 5000);
        assert_eq!(buffer.cpu(), [0.0; 5000]);
    }

    #[test]
    #[should_panic(expected = "Bf16")]
    fn packed_numbers_are_not_read_as_f32() {
        Buffer::uninitialised_units(ElementType::Bf16, 4).view();
    }
}

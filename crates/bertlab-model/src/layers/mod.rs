//! The layers: each file owns a layer's parameters, packed form, cost, forward and backward passes, and says which slots
//! its tensors have.
//!
//! A structure of parameters is generic over what stands in its slots: the weights themselves ([`Parameter`]) or the sums
//! of their gradients ([`GradientSum`]). Its `build` makes one slot after the other, in the order in which [`Walk`] finds
//! them.

pub(crate) mod attention;
pub(crate) mod block;
pub(crate) mod embeddings;
pub(crate) mod feed_forward;
pub(crate) mod linear;
pub(crate) mod norm;
pub(crate) mod pooling;
pub(crate) mod rotation;
pub(crate) mod transform;

use crate::slot::{GradientSum, Initial, Parameter, Place, Role, Slot};

/// Makes the slots of a part of a model.
pub(crate) struct Builder<'a, P> {
    name: String,
    place: Place,
    make: &'a mut dyn FnMut(Slot) -> P,
}

impl<'a, P> Builder<'a, P> {
    pub(crate) fn new(name: &str, place: Place, make: &'a mut dyn FnMut(Slot) -> P) -> Self {
        Self { name: name.to_owned(), place, make }
    }

    /// For the part of this name.
    pub(crate) fn at(&mut self, name: &str) -> Builder<'_, P> {
        Builder { name: self.path(name), place: self.place, make: self.make }
    }

    /// Fills a slot of this part.
    pub(crate) fn slot(&mut self, name: &str, shape: &[usize], role: Role, initial: Initial) -> P {
        let slot = self.describe(name, shape, role, initial);
        (self.make)(slot)
    }

    /// Fills the slot of a table of words.
    pub(crate) fn words(
        &mut self,
        name: &str,
        shape: &[usize],
        initial: Initial,
        padding_row: Option<usize>,
    ) -> P {
        let slot = self.describe(name, shape, Role::WordTable, initial);
        (self.make)(Slot { padding_row, ..slot })
    }

    fn describe(&self, name: &str, shape: &[usize], role: Role, initial: Initial) -> Slot {
        let place = self.place;
        let (name, shape) = (self.path(name), shape.to_vec());
        Slot { name, shape, role, place, initial, padding_row: None }
    }

    fn path(&self, name: &str) -> String {
        if self.name.is_empty() { name.to_owned() } else { format!("{}.{name}", self.name) }
    }
}

/// A part of a model whose slots hold a `P` each.
pub trait Walk<P> {
    /// Appends all of them, in order.
    fn walk<'a>(&'a self, out: &mut Vec<&'a P>);
    /// As [`Self::walk`], to be changed.
    fn walk_mut<'a>(&'a mut self, out: &mut Vec<&'a mut P>);
}

macro_rules! walk_itself {
    ($($type:ty),*) => {$(
        impl Walk<$type> for $type {
            fn walk<'a>(&'a self, out: &mut Vec<&'a $type>) {
                out.push(self);
            }
            fn walk_mut<'a>(&'a mut self, out: &mut Vec<&'a mut $type>) {
                out.push(self);
            }
        }
    )*};
}

walk_itself!(Parameter, GradientSum);

impl<P, N: Walk<P>> Walk<P> for Option<N> {
    fn walk<'a>(&'a self, out: &mut Vec<&'a P>) {
        self.iter().for_each(|inner| inner.walk(out));
    }
    fn walk_mut<'a>(&'a mut self, out: &mut Vec<&'a mut P>) {
        self.iter_mut().for_each(|inner| inner.walk_mut(out));
    }
}

impl<P, N: Walk<P>> Walk<P> for Vec<N> {
    fn walk<'a>(&'a self, out: &mut Vec<&'a P>) {
        self.iter().for_each(|inner| inner.walk(out));
    }
    fn walk_mut<'a>(&'a mut self, out: &mut Vec<&'a mut P>) {
        self.iter_mut().for_each(|inner| inner.walk_mut(out));
    }
}

/// Walks the named fields of a structure of parameters.
macro_rules! walk_fields {
    ($type:ident { $($field:ident),* $(,)? }) => {
        impl<P: $crate::layers::Walk<P>> $crate::layers::Walk<P> for $type<P> {
            fn walk<'a>(&'a self, out: &mut Vec<&'a P>) {
                $(self.$field.walk(out);)*
            }
            fn walk_mut<'a>(&'a mut self, out: &mut Vec<&'a mut P>) {
                $(self.$field.walk_mut(out);)*
            }
        }
    };
}
pub(crate) use walk_fields;

//! In which order PyTorch counts a model's weights: that of the modules, which HuggingFace's optimizers go by.

use crate::model::Model;
use crate::modules::Module;
use crate::slot::{Role, Slot};
use std::sync::Arc;

impl Model {
    /// All weights in the order of `named_parameters()`; a weight with two names comes once, under the first. More than
    /// one order where versions of transformers differ, the older one first.
    pub fn weight_orders(&self) -> Vec<Vec<Arc<Slot>>> {
        let mut orders = vec![self.weight_order(&[])];
        if !self.family.late_weights.is_empty() {
            orders.push(self.weight_order(self.family.late_weights));
        }
        orders
    }

    /// With weights of some roles after their siblings.
    fn weight_order(&self, late: &[Role]) -> Vec<Arc<Slot>> {
        let tree = self.module_tree();
        let mut slots: Vec<Arc<Slot>> =
            self.params().weights().into_iter().map(|weight| weight.slot().clone()).collect();
        // Within a module weights come in their own order already, and before those of the modules in it.
        slots.sort_by_cached_key(|slot| {
            let mut place = place(&tree, &self.name_of(&slot.name));
            if late.contains(&slot.role) {
                *place.last_mut().expect("it lies in a module") = usize::MAX;
            }
            place
        });
        slots
    }
}

/// Where the module of a weight stands in the tree: its number among the children, from the root on.
fn place(tree: &Module, weight: &str) -> Vec<usize> {
    let mut module = tree;
    let mut place = Vec::new();
    let (path, _) = weight.rsplit_once('.').unwrap_or_default();
    for name in path.split('.') {
        let child = module.children.iter().position(|child| child.name == name);
        let child = child.unwrap_or_else(|| panic!("{weight}: no module {name} in {}", module.class));
        place.push(child);
        module = &module.children[child];
    }
    place
}

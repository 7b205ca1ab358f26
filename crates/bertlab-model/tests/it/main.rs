//! The model against the reference, its laws, and what it refuses.

mod freezing;
mod golden;
mod goldens;
mod law;
mod losses;
mod new_head;
mod padded;
mod refusal;
mod rows;
mod slots;

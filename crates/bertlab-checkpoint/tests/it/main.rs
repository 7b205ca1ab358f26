//! Checkpoint files, damaged ones, and a hub that stands in for the real one.

mod damage;
mod fixtures;
mod forge;
mod hub;
mod hub_dataset;
mod pytorch;
mod pytorch_optimizer;
mod safetensors;
mod stand_in_hub;

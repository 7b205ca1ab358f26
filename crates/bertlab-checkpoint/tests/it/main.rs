//! Checkpoint files, damaged ones, and a hub that stands in for the real one.

mod damage;
mod fixtures;
mod forge;
mod hub;
mod hub_dataset;
mod hub_hostile;
mod pytorch;
mod pytorch_optimizer;
mod safetensors;
mod stand_in_hub;

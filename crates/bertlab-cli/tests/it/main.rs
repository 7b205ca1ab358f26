//! The program as a person runs it: a process with arguments, files and outputs.

mod check;
mod config;
mod dataset;
mod faults;
mod forecast;
mod guides;
mod lab;
mod law_bits;
mod looking;
mod plain_text;
mod pretrain;
mod refusals;
mod report;
mod resume;
mod seeds;
mod sources;
#[path = "../../../bertlab-checkpoint/tests/it/stand_in_hub.rs"]
mod stand_in_hub;
mod support;
mod tokens;
mod vectors;

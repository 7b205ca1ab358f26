//! The lab on whole models.

mod lab;

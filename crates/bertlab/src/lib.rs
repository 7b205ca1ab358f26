//! The front desk: everything bertlab can do, as plain functions over plain data.

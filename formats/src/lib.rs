//! The .inr container.

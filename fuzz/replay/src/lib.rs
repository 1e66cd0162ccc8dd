//! Replays the inputs in `fuzz/seeds` on a stable compiler: `cargo test -p inr-fuzz-replay`. The fuzz targets themselves are a
//! workspace of their own, which needs a nightly one.

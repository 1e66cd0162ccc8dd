//! Fields: functions of continuous coordinates, how they are stored in memory and evaluated.

pub(crate) mod coords;
pub(crate) mod estimate;
pub(crate) mod jets;
pub(crate) mod network;
pub(crate) mod pyramid;
pub(crate) mod region;
pub(crate) mod trunk;

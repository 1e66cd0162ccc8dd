//! Convolutional networks for `inr` with user-supplied weights: a loss on VGG19's features, and SRGAN's generator for
//! enlarging pictures, with its training. Everything runs on candle.

mod device;
mod enlarge;
mod error;
mod ops;
mod parameters;
mod srresnet;
mod training;
mod vgg;
mod weights;

pub use enlarge::{SrOptions, enlarge_srgan};
pub use error::Error;
pub use srresnet::SrShape;
pub use training::{SrLoss, SrRecipe, SrScore, SrStep, SrTrainer};
pub use vgg::{VggLoss, VggOptions};
pub use weights::{Weights, WeightsError};

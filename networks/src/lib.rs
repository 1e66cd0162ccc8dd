//! Convolutional networks for `inr` whose weights are the user's own: VGG19's features as a loss, and SRGAN's generator,
//! which enlarges pictures, with its training. All of it runs on candle.

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

//! VGG19 (Simonyan and Zisserman 2015, arXiv:1409.1556) up to its last convolution, as a loss on its features (Johnson et
//! al. 2016, arXiv:1603.08155).

use std::fmt;
use std::path::Path;

use candle_core::{Device, Result as CandleResult, Tensor, Var};

use super::ops::{convolve, pool, resize, shifted};
use super::weights::Weights;
use crate::device::{candle_device, device_error, failed};
use crate::error::Error;
use inr::DeviceChoice;
use inr::fit::PictureLoss;

/// Convolutions before each of VGG19's poolings.
const CONVOLUTIONS: [usize; 5] = [2, 2, 4, 4, 4];
/// Mean and deviation of ImageNet's red, green and blue, 0.0..=1.0, as in torchvision.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];
/// Maximum number of channels of a layer: VGG19 has 512.
const MOST_CHANNELS: usize = 4096;

/// A layer of torchvision's `features`.
enum Layer {
    /// Kernel `[outputs, channels, 3, 3]` and bias `[outputs]`.
    Convolution(Tensor, Tensor),
    Relu,
    Pool,
}

/// VGG19 without its classifier. The widths follow from the weights, so that tests can use a narrow network.
pub(super) struct Vgg19 {
    layers: Vec<Layer>,
    device: Device,
}

impl Vgg19 {
    /// Opens the first `count` layers of torchvision's `features`, named `features.0.weight` and so on.
    ///
    /// # Errors
    /// [`Error::Weights`] for files that do not hold this network.
    pub(super) fn open(path: &Path, count: usize, device: &Device) -> Result<Self, Error> {
        let weights = Weights::open(path)?;
        let mut layers = Vec::new();
        let mut channels = 3;
        'all: for convolutions in CONVOLUTIONS {
            for _ in 0..convolutions {
                if layers.len() >= count {
                    break 'all;
                }
                let name = |part: &str| format!("features.{}.{part}", layers.len());
                let (kernel, bias) = (name("weight"), name("bias"));
                let outputs = weights.shape(&kernel)?.first().copied().unwrap_or(0);
                let shape = [outputs.clamp(1, MOST_CHANNELS), channels, 3, 3];
                let kernel = weights.read(&kernel, &shape)?;
                let bias = weights.read(&bias, &shape[..1])?;
                let tensors = || -> CandleResult<Layer> {
                    Ok(Layer::Convolution(
                        Tensor::from_vec(kernel, &shape, device)?,
                        Tensor::from_vec(bias, shape[0], device)?,
                    ))
                };
                layers.push(tensors().map_err(|error| failed(device, error))?);
                layers.push(Layer::Relu);
                channels = shape[0];
            }
            layers.push(Layer::Pool);
        }
        layers.truncate(count);
        Ok(Self {
            layers,
            device: device.clone(),
        })
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// Returns the features of [`normalised`] pictures `[n, 3, height, width]` after each number of layers in `after`,
    /// which must be ascending.
    pub(super) fn features(&self, x: &Tensor, after: &[usize]) -> CandleResult<Vec<Tensor>> {
        let mut x = x.clone();
        let mut found = Vec::new();
        let mut done = 0;
        for &count in after {
            for layer in &self.layers[done..count] {
                x = match layer {
                    Layer::Convolution(kernel, bias) => shifted(&convolve(&x, kernel)?, bias)?,
                    Layer::Relu => x.relu()?,
                    Layer::Pool => pool(&x)?,
                };
            }
            done = count;
            found.push(x.clone());
        }
        Ok(found)
    }

    /// The sum of the features' mean squared differences.
    pub(super) fn difference(
        &self,
        x: &Tensor,
        wanted: &[Tensor],
        after: &[usize],
    ) -> CandleResult<Tensor> {
        let mut sum = Tensor::new(0.0_f32, &self.device)?;
        for (found, wanted) in self.features(x, after)?.iter().zip(wanted) {
            sum = (sum + (found - wanted)?.sqr()?.mean_all()?)?;
        }
        Ok(sum)
    }
}

/// Normalises pictures `[n, 3, height, width]` with ImageNet's mean and deviation.
pub(super) fn normalised(x: &Tensor) -> CandleResult<Tensor> {
    let row = |values: &[f32; 3]| Tensor::new(values, x.device())?.reshape((1, 3, 1, 1));
    x.broadcast_sub(&row(&MEAN)?)?
        .broadcast_div(&row(&DEVIATION)?)
}

/// Features to compare, and the preprocessing of pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct VggOptions {
    /// Numbers of layers of torchvision's `features` after which features are taken, ascending, 1..=37. The study's
    /// five blocks end at 4, 9, 18, 27 and 36: before each pooling.
    pub after: Vec<usize>,
    /// Side to which pictures are first resized, by bilinear interpolation; `None` keeps their size. The study uses
    /// 224.
    pub side: Option<usize>,
    /// Whether the network gets field values, -1.0..=1.0, as in the study, rather than samples, 0.0..=1.0, on which its
    /// weights were trained.
    pub raw: bool,
}

impl Default for VggOptions {
    fn default() -> Self {
        Self {
            after: vec![4, 9, 18, 27, 36],
            side: Some(224),
            raw: false,
        }
    }
}

impl VggOptions {
    fn check(&self) -> Result<(), Error> {
        let rising = self.after.windows(2).all(|pair| pair[0] < pair[1]);
        let inside = self.after.iter().all(|count| (1..=37).contains(count));
        if self.after.is_empty() || !rising || !inside {
            return Err(Error::Field(inr::Error::Misuse {
                what: format!("features after {:?} layers", self.after),
                want: "give rising numbers of layers, each 1 to 37",
            }));
        }
        if self.side.is_some_and(|side| !(16..=4096).contains(&side)) {
            return Err(Error::Field(inr::Error::Misuse {
                what: format!("pictures of {:?} pixels for VGG19", self.side),
                want: "give a side of 16 to 4096, or none for the picture's own",
            }));
        }
        Ok(())
    }
}

/// Sum over layers of the mean squared differences between VGG19's features of a field's picture and of the target.
pub struct VggLoss {
    network: Vgg19,
    options: VggOptions,
    /// Width, height.
    size: [u32; 2],
    channels: usize,
    /// Features of the target picture.
    wanted: Vec<Tensor>,
}

impl fmt::Debug for VggLoss {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let size = self.size;
        write!(formatter, "VggLoss({size:?}, {:?})", self.options)
    }
}

impl VggLoss {
    /// Creates the loss against `values`, shape `[height, width, channels]`, -1.0..=1.0, with 1 or 3 channels; a single
    /// channel is used for all three. `weights` is the user's file with torchvision's VGG19 (`.safetensors` or `.pth`);
    /// its classifier is not read and may be absent.
    ///
    /// # Errors
    /// [`Error::Weights`] for files that do not hold this network, [`inr::Error::Misuse`] for invalid options and
    /// shapes, [`inr::Error::Device`] when the device fails.
    pub fn new(
        weights: &Path,
        values: &[f32],
        size: [u32; 2],
        channels: usize,
        options: VggOptions,
        device: DeviceChoice,
    ) -> Result<Self, Error> {
        options.check()?;
        let count = size[0] as usize * size[1] as usize * channels;
        let deepest = options.after.iter().max().copied().unwrap_or(0);
        let poolings = (0..CONVOLUTIONS.len()).filter(|n| {
            let before: usize = CONVOLUTIONS[..=*n].iter().map(|c| 2 * c + 1).sum();
            before <= deepest
        });
        let least = 1 << poolings.count();
        let smallest = size[0].min(size[1]) as usize;
        let small = options.side.unwrap_or(smallest) < least;
        if !(matches!(channels, 1 | 3) && values.len() == count && count > 0) || small {
            return Err(Error::Field(inr::Error::Misuse {
                what: format!(
                    "{} values for a picture of {size:?} pixels and {channels} channels",
                    values.len()
                ),
                want: "VGG19 takes 1 or 3 channels, and at least 32 pixels on each side for all of its layers",
            }));
        }
        let device = candle_device(device)?;
        let network = Vgg19::open(weights, deepest, &device)?;
        let mut loss = Self {
            network,
            options,
            size,
            channels,
            wanted: Vec::new(),
        };
        let wanted = loss.picture(values).and_then(|x| loss.features(&x));
        loss.wanted = wanted.map_err(|error| failed(&device, error))?;
        Ok(loss)
    }

    /// Values as `[1, channels, height, width]`.
    fn picture(&self, values: &[f32]) -> CandleResult<Tensor> {
        let [width, height] = self.size.map(|side| side as usize);
        Tensor::from_slice(
            values,
            (1, height, width, self.channels),
            self.network.device(),
        )?
        .permute((0, 3, 1, 2))?
        .contiguous()
    }

    /// Preprocesses such a picture into the network's input.
    fn input(&self, x: &Tensor) -> CandleResult<Tensor> {
        let samples = match self.options.raw {
            true => x.clone(),
            false => x.affine(0.5, 0.5)?,
        };
        let colours = match self.channels {
            1 => samples.repeat((1, 3, 1, 1))?,
            _ => samples,
        };
        let x = normalised(&colours)?;
        match self.options.side {
            Some(side) => resize(&x, side, side),
            None => Ok(x),
        }
    }

    fn features(&self, x: &Tensor) -> CandleResult<Vec<Tensor>> {
        self.network.features(&self.input(x)?, &self.options.after)
    }

    /// Returns the features of `values` after each selected layer, `[channels, height, width]` each, concatenated.
    ///
    /// # Errors
    /// [`inr::Error::Device`] when the device fails.
    pub fn features_of(&self, values: &[f32]) -> Result<Vec<Vec<f32>>, Error> {
        let found = || -> CandleResult<Vec<Vec<f32>>> {
            let features = self.features(&self.picture(values)?)?;
            features
                .iter()
                .map(|tensor| tensor.flatten_all()?.to_vec1())
                .collect()
        };
        found().map_err(|error| failed(self.network.device(), error))
    }

    fn descend(&self, values: &[f32], gradient: &mut [f32]) -> CandleResult<f64> {
        let x = Var::from_tensor(&self.picture(values)?)?;
        let after = &self.options.after;
        let input = self.input(&x)?;
        let loss = self.network.difference(&input, &self.wanted, after)?;
        let gradients = loss.backward()?;
        match gradients.get(&x) {
            None => gradient.fill(0.0),
            Some(found) => {
                let found = found.permute((0, 2, 3, 1))?.flatten_all()?;
                gradient.copy_from_slice(&found.to_vec1::<f32>()?);
            }
        }
        Ok(f64::from(loss.to_scalar::<f32>()?))
    }
}

impl PictureLoss for VggLoss {
    fn loss_and_gradient(&self, values: &[f32], gradient: &mut [f32]) -> Result<f64, inr::Error> {
        self.descend(values, gradient)
            .map_err(|error| device_error(self.network.device(), error))
    }
}

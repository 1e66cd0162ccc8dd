//! SRResNet, the generator of SRGAN (Ledig et al. 2017, arXiv:1609.04802): residual blocks at the small size, then
//! pixel shuffles to the large size.

use std::path::Path;

use candle_core::{Device, Result as CandleResult, Tensor};

use super::ops::shuffle;
use super::parameters::{Mode, Parameters};
use super::weights::{Weights, WeightsError};
use crate::device::failed;
use crate::error::Error;

/// Architecture of an SRResNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SrShape {
    /// Channels of the hidden layers, 1..=1024; the paper has 64.
    pub width: usize,
    /// Residual blocks, 1..=64; the paper has 16.
    pub blocks: usize,
    /// Number of times that the side is doubled, 1..=3; the paper has 2.
    pub doublings: usize,
    /// Whether the network has batch normalisations, as in the paper.
    pub norm: bool,
}

impl Default for SrShape {
    fn default() -> Self {
        Self {
            width: 64,
            blocks: 16,
            doublings: 2,
            norm: true,
        }
    }
}

/// Channels of pictures.
const COLOURS: usize = 3;
/// Side of the first and the last kernel, and of all others.
const OUTER: usize = 9;
const INNER: usize = 3;

impl SrShape {
    /// Output pixels per input pixel along a side.
    pub fn scale(&self) -> u32 {
        1 << self.doublings
    }

    /// # Errors
    /// [`inr::Error::Misuse`] for sizes out of range.
    pub(super) fn check(&self) -> Result<(), Error> {
        let fits = (1..=1024).contains(&self.width)
            && (1..=64).contains(&self.blocks)
            && (1..=3).contains(&self.doublings);
        match fits {
            true => Ok(()),
            false => Err(Error::Field(inr::Error::Misuse {
                what: format!("an SRResNet of {self:?}"),
                want: "a width of 1 to 1024, 1 to 64 blocks and a scale of 2, 4 or 8",
            })),
        }
    }

    /// Radius of the blocks' receptive field, in small pixels.
    pub(super) fn reach_of_body(&self) -> usize {
        OUTER / 2 + (2 * self.blocks + 1) * (INNER / 2)
    }

    /// Radius of the receptive field of the layers after the blocks, in small pixels.
    pub(super) fn reach_of_tail(&self) -> usize {
        // One pixel at each size; the last kernel applies at the largest.
        let own = (0..self.doublings).map(|n| 1.0 / f64::from(1 << n));
        let last = (OUTER / 2) as f64 / f64::from(self.scale());
        (own.sum::<f64>() + last).ceil() as usize
    }

    /// The modules by canonical name.
    pub(super) fn modules(&self) -> Vec<(String, Kind)> {
        Names::own(self).modules(self)
    }

    /// Name and shape of the trained parameters, in the order of the network.
    pub(super) fn parameters(&self) -> Vec<(String, Vec<usize>)> {
        let modules = self.modules();
        let mut all = Vec::new();
        for (index, (module, kind)) in modules.iter().enumerate() {
            let normed = modules
                .get(index + 1)
                .is_some_and(|(_, kind)| *kind == Kind::Norm);
            let mut add = |part: &str, shape: &[usize]| {
                all.push((format!("{module}.{part}"), shape.to_vec()));
            };
            match *kind {
                Kind::Convolution(outputs, inputs, side) => {
                    add("weight", &[outputs, inputs, side, side]);
                    // A normalisation would cancel the bias.
                    if !normed {
                        add("bias", &[outputs]);
                    }
                }
                Kind::Norm => ["weight", "bias"]
                    .iter()
                    .for_each(|part| add(part, &[self.width])),
                Kind::Slope => add("weight", &[1]),
            }
        }
        all
    }
}

/// Kind of a module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// Outputs, inputs and the kernel's side.
    Convolution(usize, usize, usize),
    /// Batch normalisation.
    Norm,
    /// Parametric ReLU (He et al. 2015, arXiv:1502.01852).
    Slope,
}

/// Names of modules: `{i}` is a block's index, `{n}` the number of blocks, `{k}` a doubling's index, `{u}` the number
/// of doublings, and `{i+2}` is two more than `{i}`.
struct Layout {
    head: &'static str,
    head_slope: &'static str,
    first: [&'static str; 3],
    second: [&'static str; 2],
    join: [&'static str; 2],
    up: [&'static str; 2],
    last: &'static str,
    /// Whether outputs are hyperbolic tangents, with -1.0..=1.0 for the range of samples.
    tanh: bool,
}

/// Lornatang's current names, which are the canonical ones; Lornatang's former ones, two of twhui's, and leftthomas'.
const LAYOUTS: [Layout; 5] = [
    Layout {
        head: "conv1.0",
        head_slope: "conv1.1",
        first: ["trunk.{i}.rcb.0", "trunk.{i}.rcb.1", "trunk.{i}.rcb.2"],
        second: ["trunk.{i}.rcb.3", "trunk.{i}.rcb.4"],
        join: ["conv2.0", "conv2.1"],
        up: [
            "upsampling.{k}.upsample_block.0",
            "upsampling.{k}.upsample_block.2",
        ],
        last: "conv3",
        tanh: false,
    },
    Layout {
        head: "conv_block1.0",
        head_slope: "conv_block1.1",
        first: ["trunk.{i}.rcb.0", "trunk.{i}.rcb.1", "trunk.{i}.rcb.2"],
        second: ["trunk.{i}.rcb.3", "trunk.{i}.rcb.4"],
        join: ["conv_block2.0", "conv_block2.1"],
        up: [
            "upsampling.{k}.upsample_block.0",
            "upsampling.{k}.upsample_block.2",
        ],
        last: "conv_block3",
        tanh: false,
    },
    Layout {
        head: "features_LR.0.C",
        head_slope: "features_LR.0.A",
        first: [
            "features_LR.1.submodule.{i}.submodule.0.C",
            "features_LR.1.submodule.{i}.submodule.0.N",
            "features_LR.1.submodule.{i}.submodule.0.A",
        ],
        second: [
            "features_LR.1.submodule.{i}.submodule.1.C",
            "features_LR.1.submodule.{i}.submodule.1.N",
        ],
        join: [
            "features_LR.1.submodule.{n}.C",
            "features_LR.1.submodule.{n}.N",
        ],
        up: [
            "features_HR.{k}.conv_block.C",
            "features_HR.{k}.conv_block.A",
        ],
        last: "reducer.C",
        tanh: false,
    },
    Layout {
        head: "net_LR.0.C",
        head_slope: "net_LR.0.A",
        first: [
            "net_LR.1.submodule.{i}.submodule.0.C",
            "net_LR.1.submodule.{i}.submodule.0.N",
            "net_LR.1.submodule.{i}.submodule.0.A",
        ],
        second: [
            "net_LR.1.submodule.{i}.submodule.1.C",
            "net_LR.1.submodule.{i}.submodule.1.N",
        ],
        join: ["net_LR.1.submodule.{n}.C", "net_LR.1.submodule.{n}.N"],
        up: ["net_HR.{k}.conv_block.C", "net_HR.{k}.conv_block.A"],
        last: "reducer.C",
        tanh: false,
    },
    Layout {
        head: "block1.0",
        head_slope: "block1.1",
        first: ["block{i+2}.conv1", "block{i+2}.bn1", "block{i+2}.prelu"],
        second: ["block{i+2}.conv2", "block{i+2}.bn2"],
        join: ["block{n+2}.0", "block{n+2}.1"],
        up: ["block{n+3}.{k}.conv", "block{n+3}.{k}.prelu"],
        last: "block{n+3}.{u}",
        tanh: true,
    },
];

/// The names of one network's modules.
struct Names<'l> {
    layout: &'l Layout,
    blocks: usize,
    doublings: usize,
}

impl Names<'_> {
    fn own(shape: &SrShape) -> Self {
        Names {
            layout: &LAYOUTS[0],
            blocks: shape.blocks,
            doublings: shape.doublings,
        }
    }

    fn modules(&self, shape: &SrShape) -> Vec<(String, Kind)> {
        let width = shape.width;
        let inner = |outputs| Kind::Convolution(outputs, width, INNER);
        let mut all = vec![
            (self.head(), Kind::Convolution(width, COLOURS, OUTER)),
            (self.head_slope(), Kind::Slope),
        ];
        for block in 0..shape.blocks {
            all.extend([
                (self.first(block), inner(width)),
                (self.first_norm(block), Kind::Norm),
                (self.slope(block), Kind::Slope),
                (self.second(block), inner(width)),
                (self.second_norm(block), Kind::Norm),
            ]);
        }
        all.extend([(self.join(), inner(width)), (self.join_norm(), Kind::Norm)]);
        for index in 0..shape.doublings {
            all.extend([
                (self.up(index), inner(4 * width)),
                (self.up_slope(index), Kind::Slope),
            ]);
        }
        all.push((self.last(), Kind::Convolution(COLOURS, width, OUTER)));
        all.retain(|(_, kind)| shape.norm || *kind != Kind::Norm);
        all
    }

    fn fill(&self, pattern: &str, block: usize, doubling: usize) -> String {
        let number = |of: usize| of.to_string();
        pattern
            .replace("{i}", &number(block))
            .replace("{i+2}", &number(block + 2))
            .replace("{n}", &number(self.blocks))
            .replace("{n+2}", &number(self.blocks + 2))
            .replace("{n+3}", &number(self.blocks + 3))
            .replace("{k}", &number(doubling))
            .replace("{u}", &number(self.doublings))
    }

    fn head(&self) -> String {
        self.fill(self.layout.head, 0, 0)
    }

    fn head_slope(&self) -> String {
        self.fill(self.layout.head_slope, 0, 0)
    }

    fn first(&self, block: usize) -> String {
        self.fill(self.layout.first[0], block, 0)
    }

    fn first_norm(&self, block: usize) -> String {
        self.fill(self.layout.first[1], block, 0)
    }

    fn slope(&self, block: usize) -> String {
        self.fill(self.layout.first[2], block, 0)
    }

    fn second(&self, block: usize) -> String {
        self.fill(self.layout.second[0], block, 0)
    }

    fn second_norm(&self, block: usize) -> String {
        self.fill(self.layout.second[1], block, 0)
    }

    fn join(&self) -> String {
        self.fill(self.layout.join[0], 0, 0)
    }

    fn join_norm(&self) -> String {
        self.fill(self.layout.join[1], 0, 0)
    }

    fn up(&self, doubling: usize) -> String {
        self.fill(self.layout.up[0], 0, doubling)
    }

    fn up_slope(&self, doubling: usize) -> String {
        self.fill(self.layout.up[1], 0, doubling)
    }

    fn last(&self) -> String {
        self.fill(self.layout.last, 0, 0)
    }
}

/// An SRResNet with its weights. Pictures are `[n, 3, height, width]`, samples 0.0..=1.0.
pub(super) struct SrResNet {
    pub(super) shape: SrShape,
    tanh: bool,
    pub(super) parameters: Parameters,
    pub(super) device: Device,
}

impl SrResNet {
    /// Creates a network from parameters named as in [`SrShape::parameters`].
    pub(super) fn new(shape: SrShape, parameters: Parameters, device: &Device) -> Self {
        Self {
            shape,
            tanh: false,
            parameters,
            device: device.clone(),
        }
    }

    /// Opens the network in the user's file for inference; its size follows from the shapes of the tensors.
    /// Normalisations are folded into the preceding convolutions.
    ///
    /// # Errors
    /// [`Error::Weights`] for files that do not hold such a network.
    pub(super) fn open(path: &Path, device: &Device) -> Result<Self, Error> {
        let weights = Weights::open(path)?;
        let (names, shape) = found(&weights)?;
        let mut parameters = Parameters::default();
        let width = shape.width;
        for ((to, kind), (from, _)) in shape.modules().into_iter().zip(names.modules(&shape)) {
            let mut parts = match kind {
                Kind::Convolution(outputs, inputs, side) => {
                    vec![("weight", vec![outputs, inputs, side, side])]
                }
                Kind::Norm => ["weight", "bias", "running_mean", "running_var"]
                    .map(|part| (part, vec![width]))
                    .to_vec(),
                Kind::Slope => match weights.shape(&format!("{from}.weight"))? {
                    [1] => vec![("weight", vec![1])],
                    _ => vec![("weight", vec![width])],
                },
            };
            if let Kind::Convolution(outputs, ..) = kind
                && weights.has(&format!("{from}.bias"))
            {
                parts.push(("bias", vec![outputs]));
            }
            for (part, wanted) in parts {
                let values = weights.read(&format!("{from}.{part}"), &wanted)?;
                let tensor = Tensor::from_vec(values, wanted, device);
                let tensor = tensor.map_err(|error| failed(device, error))?;
                parameters.0.insert(format!("{to}.{part}"), tensor);
            }
        }
        let network = Self {
            tanh: names.layout.tanh,
            ..Self::new(shape, parameters, device)
        };
        network.folded().map_err(|error| failed(device, error))
    }

    /// Folds the normalisations into the convolutions.
    pub(super) fn folded(mut self) -> CandleResult<Self> {
        for pair in self.shape.modules().windows(2) {
            if pair[1].1 == Kind::Norm {
                self.parameters.fold(&pair[0].0, &pair[1].0)?;
            }
        }
        Ok(self)
    }

    /// Applies the blocks to `x`, shape `[n, width, height, width]`.
    pub(super) fn body(&self, x: &Tensor, mode: &mut Mode) -> CandleResult<Tensor> {
        let (names, all) = (Names::own(&self.shape), &self.parameters);
        let head = all.activated(&names.head_slope(), &all.convolved(&names.head(), x)?)?;
        let mut x = head.clone();
        for block in 0..self.shape.blocks {
            let y = all.convolved(&names.first(block), &x)?;
            let y = all.normed(&names.first_norm(block), y, mode)?;
            let y = all.activated(&names.slope(block), &y)?;
            let y = all.convolved(&names.second(block), &y)?;
            x = (x + all.normed(&names.second_norm(block), y, mode)?)?;
        }
        let y = all.convolved(&names.join(), &x)?;
        head + all.normed(&names.join_norm(), y, mode)?
    }

    /// Applies the layers after the blocks, which return the large picture.
    pub(super) fn tail(&self, x: &Tensor) -> CandleResult<Tensor> {
        let (names, all) = (Names::own(&self.shape), &self.parameters);
        let mut x = x.clone();
        for index in 0..self.shape.doublings {
            x = shuffle(&all.convolved(&names.up(index), &x)?)?;
            x = all.activated(&names.up_slope(index), &x)?;
        }
        let y = all.convolved(&names.last(), &x)?;
        match self.tanh {
            true => y.tanh()?.affine(0.5, 0.5),
            false => Ok(y),
        }
    }
}

/// Determines the naming scheme of a file, and the size of its network.
fn found(weights: &Weights) -> Result<(Names<'static>, SrShape), Error> {
    for layout in &LAYOUTS {
        let mut names = Names {
            layout,
            blocks: 0,
            doublings: 0,
        };
        let has = |module: String| weights.has(&format!("{module}.weight"));
        if !has(names.head()) || !has(names.first(0)) {
            continue;
        }
        while names.blocks <= 64 && has(names.first(names.blocks)) {
            names.blocks += 1;
        }
        while names.doublings <= 3 && has(names.up(names.doublings)) {
            names.doublings += 1;
        }
        let head = weights.shape(&format!("{}.weight", names.head()))?;
        let shape = SrShape {
            width: head.first().copied().unwrap_or(0),
            blocks: names.blocks,
            doublings: names.doublings,
            norm: has(names.join_norm()),
        };
        shape.check()?;
        return Ok((names, shape));
    }
    let all = weights.names();
    Err(WeightsError::UnknownGenerator {
        path: weights.path().to_owned(),
        count: all.len(),
        first: all
            .first()
            .map_or_else(String::new, |name| (*name).to_owned()),
    }
    .into())
}

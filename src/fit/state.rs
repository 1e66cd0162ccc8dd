//! How far a fit has come: what a checkpoint stores and the training loop goes on from.

/// Times that a fit starts again, or goes back, at most.
pub(super) const RESTARTS: u32 = 4;

/// Why a fit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum StopReason {
    /// All planned epochs were done.
    Finished,
    /// The wanted PSNR was reached.
    #[strum(to_string = "target reached")]
    TargetReached,
    /// The time budget was spent.
    #[strum(to_string = "time budget spent")]
    TimeBudget,
    /// The observer ended it.
    Cancelled,
}

/// A trained network in the trainer's terms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FitOutcome {
    /// Before omega0 is multiplied in; see [`super::engine::Trainee::fold`].
    pub(crate) parameters: Vec<f32>,
    /// Visits of every pixel.
    pub(crate) epochs: f64,
    /// The peak learning rate that worked.
    pub(crate) rate: f32,
    pub(crate) stopped: StopReason,
}

/// Where a fit was while all was well.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) step: u64,
    pub(crate) parameters: Vec<f32>,
}

/// What earlier tries of a fit came to, and where this one began.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tries {
    /// Peak learning rate.
    pub(crate) rate: f32,
    pub(crate) restarts: u32,
    /// Times that the fit lost what it had learnt.
    pub(crate) losses: u32,
    /// Epochs that were undone.
    pub(crate) wasted: f64,
    pub(crate) from: Kept,
}

impl Tries {
    pub(super) fn new(start: &[f32], rate: f32) -> Self {
        Self {
            rate,
            restarts: 0,
            losses: 0,
            wasted: 0.0,
            from: Kept {
                step: 0,
                parameters: start.to_vec(),
            },
        }
    }

    /// False for those of another network.
    pub(super) fn fit(&self, parameters: usize) -> bool {
        self.from.parameters.len() == parameters
            && self.restarts <= RESTARTS
            && self.losses <= RESTARTS
    }
}

/// All that decides how a fit goes on.
#[derive(Debug, PartialEq)]
pub(crate) struct FitState {
    pub(crate) tries: Tries,
    pub(crate) run: RunState,
}

/// All that decides how one try of a fit goes on; the order of pixels and the schedule follow from its steps.
#[derive(Debug, PartialEq)]
pub(crate) struct RunState {
    pub(crate) step: u64,
    pub(crate) loss: f64,
    pub(crate) told: u64,
    pub(crate) least: f64,
    pub(crate) kept: Option<Kept>,
    /// The optimiser's state, shape `[3, n]`.
    pub(crate) descent: Vec<f32>,
    /// Spent on this try.
    pub(crate) seconds: f64,
}

impl RunState {
    /// A run at `step` without losses, optimiser's state and past.
    pub(super) fn at(step: u64) -> Self {
        Self {
            step,
            loss: f64::NAN,
            told: 0,
            least: f64::INFINITY,
            kept: None,
            descent: Vec::new(),
            seconds: 0.0,
        }
    }
}

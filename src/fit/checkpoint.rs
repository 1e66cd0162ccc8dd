//! What an interrupted encode needs to go on: the fits that are done, and all that decides how the one under way goes on.
//!
//! Little-endian: the signature, the key (`u32` bytes, UTF-8), the picture's digest (`u64`), seconds spent (`f64`), fits that are
//! done (`u32`, then each), the fit under way, and a digest (`u64`) of all before it. Vectors are a `u32` and so many `f32`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::checkpoint_error::{CheckpointError, damaged};
use super::samples::Samples as TrainingSamples;
use super::state::{FitOutcome, FitState, Kept, RunState, StopReason, Tries};
use crate::error::Error;
use crate::progress::Observer;
use inr_image::{Picture, Samples};

const SIGNATURE: [u8; 8] = *b"inrfit\r\n";

/// FNV-1a in 64 bits: tells accidents, not forgeries.
fn digest(start: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

/// Of everything about `picture` that its file depends on.
pub(crate) fn picture_digest(picture: &Picture) -> u64 {
    let shape = format!(
        "{}x{} {:?} {:?} {:?}",
        picture.width(),
        picture.height(),
        picture.layout(),
        picture.depth(),
        picture.metadata()
    );
    let hash = digest(EMPTY, shape.into_bytes());
    match picture.samples() {
        Samples::U8(samples) => digest(hash, samples.iter().copied()),
        Samples::U16(samples) => digest(hash, samples.iter().flat_map(|v| v.to_le_bytes())),
        Samples::F32(samples) => digest(hash, samples.iter().flat_map(|v| v.to_le_bytes())),
    }
}

/// Of all that a fit to `samples` depends on.
pub(super) fn samples_digest(samples: &TrainingSamples) -> u64 {
    let TrainingSamples {
        width,
        height,
        channels,
        targets,
        alpha,
        grid,
        footprint,
        terms,
        ..
    } = samples;
    let shape = format!("{width}x{height} {channels} {alpha} {grid:?} {footprint:?}");
    let floats = |hash, values: &[f32]| digest(hash, values.iter().flat_map(|v| v.to_le_bytes()));
    let hash = floats(digest(EMPTY, shape.into_bytes()), targets);
    terms.iter().fold(hash, |hash, term| {
        let hash = digest(hash, format!("{:?}", term.taps).into_bytes());
        let Some(goal) = &term.goal else {
            return hash;
        };
        let hash = floats(floats(hash, &[goal.weight]), &goal.targets);
        floats(hash, goal.mask.as_deref().unwrap_or_default())
    })
}

/// The fits of one encode, of earlier runs and of this one.
pub(crate) struct Journal {
    key: String,
    picture: u64,
    started: Instant,
    /// Done in earlier runs, and not yet asked for in this one.
    earlier: VecDeque<FitOutcome>,
    /// Under way when an earlier run ended.
    under_way: Option<FitState>,
    done: Vec<FitOutcome>,
}

impl Journal {
    /// An encode that begins.
    pub(crate) fn new(key: String, picture: u64) -> Self {
        Self {
            key,
            picture,
            started: Instant::now(),
            earlier: VecDeque::new(),
            under_way: None,
            done: Vec::new(),
        }
    }

    /// An encode that goes on where the one of `bytes` was.
    ///
    /// # Errors
    /// [`CheckpointError`] for bytes that are no checkpoint of such an encode.
    pub(crate) fn resumed(key: String, picture: u64, bytes: &[u8]) -> Result<Self, Error> {
        let checkpoint = Checkpoint::read(bytes)?;
        if checkpoint.picture != picture {
            return Err(CheckpointError::OtherPicture.into());
        }
        if checkpoint.key != key {
            return Err(CheckpointError::other_fit(&checkpoint.key, &key).into());
        }
        Ok(Self {
            started: before_now(checkpoint.seconds),
            earlier: checkpoint.done.into(),
            under_way: Some(checkpoint.under_way),
            ..Self::new(key, picture)
        })
    }

    /// When the encode began; earlier runs count as if they had been just before this one.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// The next fit's outcome, if an earlier run came to it. It is of `parameters` parameters.
    pub(crate) fn earlier(&mut self, parameters: usize) -> Result<Option<FitOutcome>, Error> {
        let Some(outcome) = self.earlier.pop_front() else {
            return Ok(None);
        };
        if outcome.parameters.len() != parameters {
            return Err(damaged("a network of another size").into());
        }
        self.done.push(outcome.clone());
        Ok(Some(outcome))
    }

    /// What the next fit goes on from.
    pub(crate) fn under_way(&mut self) -> Option<FitState> {
        self.under_way.take()
    }

    /// Notes the outcome of a fit.
    pub(crate) fn note(&mut self, outcome: &FitOutcome) {
        self.done.push(outcome.clone());
    }

    /// Hands a checkpoint at `under_way` to `observer`.
    pub(crate) fn keep(&self, under_way: FitState, observer: &mut dyn Observer) {
        observer.checkpoint(&self.bytes(under_way));
    }

    /// The checkpoint at `under_way`.
    pub(super) fn bytes(&self, under_way: FitState) -> Vec<u8> {
        let checkpoint = Checkpoint {
            key: self.key.clone(),
            picture: self.picture,
            seconds: self.started.elapsed().as_secs_f64(),
            done: self.done.clone(),
            under_way,
        };
        checkpoint.write()
    }
}

/// The moment `seconds` ago.
pub(super) fn before_now(seconds: f64) -> Instant {
    let now = Instant::now();
    let ago = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    now.checked_sub(ago).unwrap_or(now)
}

#[derive(Debug, PartialEq)]
struct Checkpoint {
    key: String,
    picture: u64,
    seconds: f64,
    done: Vec<FitOutcome>,
    under_way: FitState,
}

impl Checkpoint {
    fn write(&self) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        put_count(&mut bytes, self.key.len());
        bytes.extend(self.key.as_bytes());
        bytes.extend(self.picture.to_le_bytes());
        bytes.extend(self.seconds.to_le_bytes());
        put_count(&mut bytes, self.done.len());
        for outcome in &self.done {
            put_floats(&mut bytes, &outcome.parameters);
            bytes.extend(outcome.epochs.to_le_bytes());
            bytes.extend(outcome.rate.to_le_bytes());
            bytes.push(stop_code(outcome.stopped));
        }
        let FitState { tries, run } = &self.under_way;
        bytes.extend(tries.rate.to_le_bytes());
        bytes.extend(tries.restarts.to_le_bytes());
        bytes.extend(tries.losses.to_le_bytes());
        bytes.extend(tries.wasted.to_le_bytes());
        put_kept(&mut bytes, &tries.from);
        bytes.extend(run.step.to_le_bytes());
        bytes.extend(run.loss.to_le_bytes());
        bytes.extend(run.told.to_le_bytes());
        bytes.extend(run.least.to_le_bytes());
        bytes.extend(run.seconds.to_le_bytes());
        bytes.push(u8::from(run.kept.is_some()));
        if let Some(kept) = &run.kept {
            put_kept(&mut bytes, kept);
        }
        put_floats(&mut bytes, &run.descent);
        let sum = digest(EMPTY, bytes.iter().copied());
        bytes.extend(sum.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Self, CheckpointError> {
        if !bytes.starts_with(&SIGNATURE) {
            return Err(CheckpointError::Signature);
        }
        let (content, sum) = bytes.split_last_chunk::<8>().ok_or(TRUNCATED)?;
        if digest(EMPTY, content.iter().copied()) != u64::from_le_bytes(*sum) {
            return Err(damaged("its digest is another"));
        }
        let mut from = Reader(&content[SIGNATURE.len()..]);
        let key = std::str::from_utf8(from.counted(1)?);
        let key = key.map_err(|_| damaged("its key is no text"))?.to_owned();
        let (picture, seconds) = (from.u64()?, from.f64()?);
        let done = (0..from.u32()?).map(|_| from.outcome());
        let done = done.collect::<Result<_, _>>()?;
        let tries = Tries {
            rate: from.f32()?,
            restarts: from.u32()?,
            losses: from.u32()?,
            wasted: from.f64()?,
            from: from.kept()?,
        };
        let run = RunState {
            step: from.u64()?,
            loss: from.f64()?,
            told: from.u64()?,
            least: from.f64()?,
            seconds: from.f64()?,
            kept: match from.u8()? {
                0 => None,
                _ => Some(from.kept()?),
            },
            descent: from.floats()?,
        };
        if !from.0.is_empty() {
            return Err(damaged("bytes are left over"));
        }
        let under_way = FitState { tries, run };
        Ok(Self {
            key,
            picture,
            seconds,
            done,
            under_way,
        })
    }
}

/// No fit with losses that are numbers comes near it.
const LARGEST_WEIGHT: f32 = 1e15;

const TRUNCATED: CheckpointError = damaged("it is cut short");

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    let count = u32::try_from(count).expect("limits keep networks and texts far below it");
    bytes.extend(count.to_le_bytes());
}

fn put_floats(bytes: &mut Vec<u8>, values: &[f32]) {
    put_count(bytes, values.len());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn put_kept(bytes: &mut Vec<u8>, kept: &Kept) {
    bytes.extend(kept.step.to_le_bytes());
    put_floats(bytes, &kept.parameters);
}

const STOPS: [StopReason; 4] = [
    StopReason::Finished,
    StopReason::TargetReached,
    StopReason::TimeBudget,
    StopReason::Cancelled,
];

fn stop_code(reason: StopReason) -> u8 {
    let place = STOPS.iter().position(|stop| *stop == reason);
    place.map_or(u8::MAX, |place| place as u8)
}

/// What is not yet read. No length is believed before so many bytes are there.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], CheckpointError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(TRUNCATED)?;
        self.0 = rest;
        Ok(*array)
    }

    fn u8(&mut self) -> Result<u8, CheckpointError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, CheckpointError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, CheckpointError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn f32(&mut self) -> Result<f32, CheckpointError> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    fn f64(&mut self) -> Result<f64, CheckpointError> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    /// The bytes of as many items of `size` as a count before them says.
    fn counted(&mut self, size: usize) -> Result<&'a [u8], CheckpointError> {
        let length = (self.u32()? as usize).checked_mul(size).ok_or(TRUNCATED)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(TRUNCATED)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn floats(&mut self) -> Result<Vec<f32>, CheckpointError> {
        let values = self.counted(4)?.chunks_exact(4);
        Ok(values
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect())
    }

    fn parameters(&mut self) -> Result<Vec<f32>, CheckpointError> {
        let values = self.floats()?;
        let sound = values.iter().all(|value| value.abs() <= LARGEST_WEIGHT);
        sound
            .then_some(values)
            .ok_or(damaged("a weight is out of range"))
    }

    fn kept(&mut self) -> Result<Kept, CheckpointError> {
        Ok(Kept {
            step: self.u64()?,
            parameters: self.parameters()?,
        })
    }

    fn outcome(&mut self) -> Result<FitOutcome, CheckpointError> {
        Ok(FitOutcome {
            parameters: self.parameters()?,
            epochs: self.f64()?,
            rate: self.f32()?,
            stopped: *STOPS
                .get(usize::from(self.u8()?))
                .ok_or(damaged("a fit ended as none does"))?,
        })
    }
}

#[cfg(test)]
mod tests;

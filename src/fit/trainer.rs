//! The training loop: batches to the engine, gradients to the optimiser, progress to the observer.

use std::time::{Duration, Instant};

use super::checkpoint::{Journal, before_now};
use super::checkpoint_error::damaged;
use super::course::{Course, batches};
use super::descent::Method;
use super::engine::{Engine, Trainee};
use super::optimiser::OptimizerChoice;
use super::samples::Samples;
use super::state::{FitOutcome, FitState, Kept, RESTARTS, RunState, StopReason, Tries};
use crate::error::Error;
use crate::progress::{Control, Observer, Phase, Progress};
use inr_image::metrics;

/// How to train.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) phase: Phase,
    pub(crate) optimizer: OptimizerChoice,
    pub(crate) rate: f32,
    pub(crate) epochs: f64,
    pub(crate) batch: usize,
    /// Share of the steps over which the learning rate rises.
    pub(crate) warm_up: f64,
    /// Step size of every parameter, for quantisation-aware training.
    pub(crate) rounding: Option<Vec<f32>>,
    pub(crate) seed: u64,
    pub(crate) target_psnr: Option<f64>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) started: Instant,
}

const REPORT_EVERY: Duration = Duration::from_millis(500);
/// Pixels that decide whether a wanted PSNR is reached.
const MEASURED: usize = 65_536;
/// Pixels that the PSNR shown is measured on.
const GLANCED: usize = 2_048;
/// Steps that every fit is given before it can count as stuck.
const GUARD_AFTER: u64 = 500;
/// Times by which the running loss may exceed its least before the fit goes back: a step that undoes what deep nets have
/// learnt can come at any time (kodim10, 6 x 49: 15 dB instead of 27).
const LOST: f64 = 1.25;
/// Parameters are kept while the running loss is below its least times this.
const SOUND: f64 = 1.1;

/// Trains `start` on `samples`; a fit that diverges starts again at a third of the rate, and one that loses what it has
/// learnt goes back to where it had it, and on at half the rate. One that stays at the mean of
/// the samples whatever the rate is run to its end at the lowest: it may be all that the network can do.
///
/// Goes on from what `journal` has under way, and keeps checkpoints there.
///
/// # Errors
/// [`Error::Diverged`] when no rate gives finite losses, and whatever the engine reports.
pub(crate) fn train(
    trainee: &Trainee,
    samples: &Samples,
    engine: &mut dyn Engine,
    start: &[f32],
    recipe: &Recipe,
    journal: &mut Journal,
    observer: &mut dyn Observer,
) -> Result<FitOutcome, Error> {
    let (mut tries, mut under_way) = match journal.under_way() {
        Some(state) => (state.tries, Some(state.run)),
        None => (Tries::new(start, recipe.rate), None),
    };
    if !tries.fit(start.len()) {
        return Err(damaged("tries of another fit").into());
    }
    loop {
        let mut run = Run::new(trainee, samples, &mut *engine, &tries, recipe)?;
        if let Some(state) = under_way.take() {
            run.restore(state)?;
        }
        let ended = run.finish(&tries, journal, observer)?;
        if let (Ended::Lost, Some(kept)) = (ended, run.kept.take()) {
            tries.wasted += run.course.epochs_of(run.course.step - kept.step);
            tries.losses += 1;
            tries.from = kept;
            tries.rate /= 2.0;
            observer.note(&format!(
                "the fit lost what it had learnt, going back to step {} with learning rate {:.1e}",
                tries.from.step, tries.rate
            ));
            continue;
        }
        let Ended::With(stopped) = ended else {
            let step = run.course.step;
            if run.tolerant {
                let restarts = tries.restarts;
                return Err(Error::Diverged { step, restarts });
            }
            tries.restarts += 1;
            let hopeless = tries.restarts == RESTARTS && ended == Ended::AtTheMean;
            tries.rate = if hopeless {
                recipe.rate
            } else {
                tries.rate / 3.0
            };
            observer.note(&format!(
                "the fit diverged at step {step}, starting again with learning rate {:.1e}",
                tries.rate
            ));
            continue;
        };
        return Ok(FitOutcome {
            parameters: run.course.solution()?,
            epochs: run.epoch() + tries.wasted,
            rate: tries.rate,
            stopped,
        });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    With(StopReason),
    /// Losses became infinite or no numbers.
    NotFinite,
    /// The network knows no more than the mean long after the warm-up.
    AtTheMean,
    /// The loss rose far above what it was.
    Lost,
}

struct Run<'a> {
    trainee: &'a Trainee,
    samples: &'a Samples,
    recipe: Recipe,
    method: Method,
    course: Course<'a>,
    /// Running mean of the losses that were told, and their number.
    loss: f64,
    told: u64,
    /// Loss of a constant; a fit that stays there has diverged.
    nothing_learnt: f64,
    began: Instant,
    reported: Instant,
    psnr: Option<f64>,
    /// Accepts that the network learns nothing.
    tolerant: bool,
    /// Whether the fit may go back.
    watched: bool,
    /// The least running loss.
    least: f64,
    kept: Option<Kept>,
    /// A checkpoint is wanted.
    owed: bool,
}

impl<'a> Run<'a> {
    fn new(
        trainee: &'a Trainee,
        samples: &'a Samples,
        engine: &'a mut dyn Engine,
        tries: &Tries,
        recipe: &Recipe,
    ) -> Result<Self, Error> {
        let recipe = Recipe {
            rate: tries.rate,
            ..recipe.clone()
        };
        let sampler = batches(samples.pixels(), recipe.batch, recipe.seed);
        let steps = (recipe.epochs * samples.pixels() as f64 / sampler.batch() as f64)
            .ceil()
            .max(1.0) as u64;
        let warm_up = (recipe.warm_up * steps as f64) as u64;
        let method = Method {
            choice: recipe.optimizer,
            rate: recipe.rate,
            warm_up,
            rounding: recipe.rounding.clone(),
        };
        let start = &tries.from.parameters;
        let mut course = Course::new(engine, start, &method, sampler, steps)?;
        course.step = tries.from.step;
        let now = Instant::now();
        Ok(Self {
            trainee,
            samples,
            method,
            course,
            recipe,
            loss: f64::NAN,
            told: 0,
            nothing_learnt: samples.variance(),
            began: now,
            reported: now,
            psnr: None,
            tolerant: tries.restarts == RESTARTS,
            watched: tries.losses < RESTARTS,
            least: f64::INFINITY,
            kept: None,
            owed: false,
        })
    }

    /// Goes on from where a run like this one, which has taken no step, was.
    fn restore(&mut self, state: RunState) -> Result<(), Error> {
        let parameters = self.course.solution()?.len();
        let kept = state.kept.as_ref().is_none_or(|kept| {
            (self.course.step..=state.step).contains(&kept.step)
                && kept.parameters.len() == parameters
        });
        if !kept {
            return Err(damaged("parameters of another size or step").into());
        }
        self.course.restore(&state.descent, state.step)?;
        self.loss = state.loss;
        self.told = state.told;
        self.least = state.least;
        self.kept = state.kept;
        self.began = before_now(state.seconds);
        Ok(())
    }

    /// What [`Run::restore`] takes, unless the device has losses that it has not told.
    fn state(&self) -> Result<Option<RunState>, Error> {
        let state = self.course.state()?;
        Ok(state.map(|descent| RunState {
            step: self.course.step,
            loss: self.loss,
            told: self.told,
            least: self.least,
            kept: self.kept.clone(),
            descent,
            seconds: self.began.elapsed().as_secs_f64(),
        }))
    }

    fn epoch(&self) -> f64 {
        self.course.epochs_of(self.course.step)
    }

    /// Share of the steps, or of the time if that is shorter, that is spent.
    fn progress(&self) -> f64 {
        let steps = self.course.step as f64 / self.course.steps as f64;
        let time = self.recipe.deadline.map_or(0.0, |deadline| {
            let whole = deadline.saturating_duration_since(self.began).as_secs_f64();
            self.began.elapsed().as_secs_f64() / whole.max(1e-9)
        });
        steps.max(time).min(1.0)
    }

    fn finish(
        &mut self,
        tries: &Tries,
        journal: &Journal,
        observer: &mut dyn Observer,
    ) -> Result<Ended, Error> {
        let check_every = (self.course.steps / 40).max(1);
        while self.course.step < self.course.steps {
            self.advance()?;
            if let Some(diverged) = self.diverged() {
                return Ok(diverged);
            }
            if self.watched
                && self.course.step.is_multiple_of(check_every)
                && self.loss < SOUND * self.least
            {
                self.kept = Some(Kept {
                    step: self.course.step,
                    parameters: self.course.solution()?,
                });
            }
            if let Some(target) = self.recipe.target_psnr
                && self.course.step.is_multiple_of(check_every)
                && self.measure(MEASURED)? >= target
            {
                self.report(observer)?;
                return Ok(Ended::With(StopReason::TargetReached));
            }
            if self
                .recipe
                .deadline
                .is_some_and(|deadline| Instant::now() >= deadline)
            {
                return Ok(Ended::With(StopReason::TimeBudget));
            }
            let due =
                self.reported.elapsed() >= REPORT_EVERY || self.course.step == self.course.steps;
            self.owed |= due && observer.wants_checkpoint();
            if self.owed
                && let Some(run) = self.state()?
            {
                let tries = tries.clone();
                journal.keep(FitState { tries, run }, observer);
                self.owed = false;
            }
            if due && self.report(observer)? == Control::Stop {
                return Ok(Ended::With(StopReason::Cancelled));
            }
        }
        Ok(Ended::With(StopReason::Finished))
    }

    fn advance(&mut self) -> Result<(), Error> {
        let progress = self.progress();
        let loss = self.course.advance(progress)?;
        if let Some(loss) = loss {
            self.told += 1;
            let share = (1.0 / self.told as f64).max(0.02);
            self.loss = if self.told == 1 {
                loss
            } else {
                self.loss + share * (loss - self.loss)
            };
        }
        Ok(())
    }

    fn diverged(&mut self) -> Option<Ended> {
        if self.told > 0 && !self.loss.is_finite() {
            return Some(Ended::NotFinite);
        }
        // The mean of the first losses says little, and the losses of a warm-up rise as they please.
        if self.told > 100 {
            self.least = self.least.min(self.loss);
            if self.watched && self.kept.is_some() && self.loss > LOST * self.least {
                return Some(Ended::Lost);
            }
        }
        let settled = self.course.step > GUARD_AFTER.max(self.course.steps / 8);
        let flat = self.nothing_learnt < 1e-6;
        let stuck = settled && !flat && !self.tolerant && self.loss > 0.97 * self.nothing_learnt;
        stuck.then_some(Ended::AtTheMean)
    }

    /// PSNR in dB of the present solution over at most about `pixels` pixels.
    fn measure(&mut self, pixels: usize) -> Result<f64, Error> {
        let mut parameters = Vec::new();
        self.method.seen(&self.course.solution()?, &mut parameters);
        let network = self.trainee.fold(&parameters);
        let psnr = metrics::decibels(self.samples.mean_square_error(&network, pixels));
        self.psnr = Some(psnr);
        Ok(psnr)
    }

    fn report(&mut self, observer: &mut dyn Observer) -> Result<Control, Error> {
        // The batches' losses are of another iterate than the solution, decibels worse.
        self.measure(GLANCED)?;
        self.reported = Instant::now();
        let done = self.progress();
        let spent = self.began.elapsed();
        let mut progress = Progress::new(self.recipe.phase, done, self.recipe.started);
        progress.psnr = self
            .psnr
            .or_else(|| Some(metrics::decibels(self.loss / 4.0)));
        progress.remaining = (done > 0.01).then(|| spent.mul_f64((1.0 - done) / done));
        let control = observer.progress(&progress);
        match control {
            Control::Abort => Err(Error::Cancelled),
            other => Ok(other),
        }
    }
}

//! Observers that several tests share.

use inr::{Control, Observer, Progress};

/// Records the shares that a job reports, and answers `Continue` until one of them reaches `until`.
#[derive(Default)]
pub struct Shares {
    pub seen: Vec<f64>,
    pub stop: Option<(f64, Control)>,
}

impl Shares {
    /// Answers `control` from the first report on that has at least this share.
    pub fn stopping(share: f64, control: Control) -> Self {
        Self {
            seen: Vec::new(),
            stop: Some((share, control)),
        }
    }

    /// Shares rise, from near 0 and within 0 to 1.
    pub fn check(&self) {
        assert!(!self.seen.is_empty());
        assert!(self.seen.is_sorted(), "{:?}", self.seen);
        assert!(self.seen[0] < 0.2, "{:?}", self.seen);
        assert!(self.seen.iter().all(|share| (0.0..=1.0).contains(share)));
    }
}

impl Observer for Shares {
    fn progress(&mut self, progress: &Progress) -> Control {
        self.seen.push(progress.share);
        match self.stop {
            Some((share, control)) if progress.share >= share => control,
            _ => Control::Continue,
        }
    }
}

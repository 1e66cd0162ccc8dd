//! A field's values with their derivatives.

/// What a jet holds of a field at a point: its value, first derivatives and Laplacian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// The value.
    Value,
    /// The derivative along x, to the right.
    Dx,
    /// The derivative along y, downwards.
    Dy,
    /// The sum of the second derivatives along x and y.
    Laplacian,
}

impl Component {
    /// All of them, in the order of jets.
    pub const ALL: [Self; 4] = [Self::Value, Self::Dx, Self::Dy, Self::Laplacian];
}

/// Values and derivatives of a field over a grid of pixels or a list of points.
///
/// Samples are not clamped: 0.0..=1.0 is their range unless the source is floating-point. Derivatives are samples per
/// source pixel, Laplacians samples per source pixel squared, at every scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Jets {
    width: usize,
    channels: usize,
    /// Shape `[height, components, channels, width]`.
    rows: Vec<f32>,
}

impl Jets {
    /// Jets of `width` columns; `rows` has the shape `[height, components, channels, width]`.
    pub(crate) fn new(width: usize, channels: usize, rows: Vec<f32>) -> Self {
        Self {
            width,
            channels,
            rows,
        }
    }

    /// Columns; the number of points of a list.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows; 1 for a list of points.
    pub fn height(&self) -> usize {
        self.rows.len() / (4 * self.channels * self.width).max(1)
    }

    /// Channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// One component of one channel, shape `[height, width]`.
    ///
    /// # Panics
    /// When there is no such channel.
    pub fn plane(&self, component: Component, channel: usize) -> Vec<f32> {
        assert!(channel < self.channels, "channel {channel}");
        let at = (component as usize * self.channels + channel) * self.width;
        let rows = self.rows.chunks_exact(4 * self.channels * self.width);
        rows.flat_map(|row| &row[at..at + self.width])
            .copied()
            .collect()
    }
}

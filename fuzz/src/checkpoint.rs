//! Checkpoints of an encode, changed behind a right digest.

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use inr::encode::{Architecture, NetworkOptions, encode_from};
use inr::{
    Control, EncodeOptions, Error, InrPicture, Layout, Limits, Metadata, Observer, Picture,
    Progress, Samples, encode,
};

static PICTURE: LazyLock<Picture> = LazyLock::new(|| {
    let samples = (0..64_u8).map(|index| index.wrapping_mul(37)).collect();
    let picture = Picture::new(
        8,
        8,
        Layout::Grey,
        Samples::U8(samples),
        Metadata::default(),
    );
    picture.expect("64 samples are 8 rows of 8")
});

static OPTIONS: LazyLock<EncodeOptions> = LazyLock::new(|| {
    EncodeOptions::default().threads(1).model(
        NetworkOptions::default()
            .architecture(Architecture::Siren)
            .hidden(vec![4])
            .epochs(8.0)
            .batch(16),
    )
});

/// Collects checkpoints.
#[derive(Default)]
struct Kept(Vec<Vec<u8>>);

impl Observer for Kept {
    fn progress(&mut self, _: &Progress) -> Control {
        Control::Continue
    }

    fn wants_checkpoint(&mut self) -> bool {
        true
    }

    fn checkpoint(&mut self, bytes: &[u8]) {
        self.0.push(bytes.to_vec());
    }
}

/// What is before the digests of the checkpoints at the ends of the fit and of its fine-tuning.
static GOOD: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut kept = Kept::default();
    encode(&PICTURE, &OPTIONS, &mut kept).expect("a picture of 8 x 8 can be fitted");
    let contents = kept.0.into_iter();
    contents
        .map(|mut bytes| {
            bytes.truncate(bytes.len() - 8);
            bytes
        })
        .collect()
});

/// FNV-1a in 64 bits.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A change: bytes over those that are there, in between, or in place of all that follows.
#[derive(Arbitrary, Debug)]
enum Change {
    Over(u16, Vec<u8>),
    Between(u16, Vec<u8>),
    End(u16, Vec<u8>),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        let (Self::Over(at, bytes) | Self::Between(at, bytes) | Self::End(at, bytes)) = self;
        // From the end: the key, which must be as it is, is at the front.
        let at = content.len() - usize::from(*at) % content.len().max(1);
        let end = match self {
            Self::Over(..) => (at + bytes.len()).min(content.len()),
            Self::Between(..) => at,
            Self::End(..) => content.len(),
        };
        content.splice(at..end, bytes.iter().copied());
    }
}

/// What is gone on from gives a file, and the rest is refused.
pub fn checkpoint(input: &[u8]) {
    let changes = <(u8, Vec<Change>)>::arbitrary_take_rest(Unstructured::new(input));
    let Ok((choice, changes)) = changes else {
        return;
    };
    let mut content = GOOD[usize::from(choice) % GOOD.len()].clone();
    changes.iter().for_each(|change| change.apply(&mut content));
    let digest = digest(&content);
    content.extend(digest.to_le_bytes());
    match encode_from(&PICTURE, &OPTIONS, &content, &mut ()) {
        Ok(encoded) => {
            InrPicture::open(&encoded.bytes, &Limits::default()).expect("what was encoded opens");
        }
        Err(Error::Checkpoint(_) | Error::Diverged { .. }) => {}
        Err(other) => panic!("{other}"),
    }
}

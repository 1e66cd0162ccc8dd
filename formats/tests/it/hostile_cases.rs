//! The table of hostile files: cause, bytes, and the variant of `FormatError` that must come of them.

use crate::common::hostile_grids;
use crate::common::*;

pub struct Case {
    pub cause: &'static str,
    pub error: &'static str,
    pub bytes: Vec<u8>,
}

fn case(cause: &'static str, error: &'static str, bytes: Vec<u8>) -> Case {
    Case {
        cause,
        error,
        bytes,
    }
}

pub fn cases() -> Vec<Case> {
    let mut all = signature_cases();
    all.extend(sequence_cases());
    all.extend(head_cases());
    all.extend(model_cases());
    all.extend(weight_cases());
    all.extend(coded_cases());
    all.extend(blob_cases());
    all.extend(metadata_cases());
    all.extend(grid_cases());
    all
}

fn grid_cases() -> Vec<Case> {
    let named = |(cause, error, bytes)| case(cause, error, bytes);
    hostile_grids::cases().into_iter().map(named).collect()
}

fn valid() -> Vec<u8> {
    file_with(&head(), &weights(), &[])
}

/// A valid file with its first bytes replaced.
fn starting(with: &[u8]) -> Vec<u8> {
    let mut bytes = valid();
    bytes[..with.len()].copy_from_slice(with);
    bytes
}

/// A valid file after a replacement of every `from` by `to`, as a transfer in text mode does it.
fn converted(from: &[u8], to: &[u8]) -> Vec<u8> {
    let bytes = valid();
    let mut out = Vec::new();
    let mut rest = bytes.as_slice();
    while let Some(&first) = rest.first() {
        match rest.strip_prefix(from) {
            Some(after) => {
                out.extend_from_slice(to);
                rest = after;
            }
            None => {
                out.push(first);
                rest = &rest[1..];
            }
        }
    }
    out
}

fn signature_cases() -> Vec<Case> {
    vec![
        case("empty", "TooShort", Vec::new()),
        case("signature-only", "TooShort", valid()[..8].to_vec()),
        case(
            "png",
            "Signature",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
        ),
        case("text-mode-lf", "TextMode", converted(b"\r\n", b"\n")),
        case("text-mode-crlf", "TextMode", converted(b"\n", b"\r\n")),
        case(
            "text-mode-utf8",
            "TextMode",
            converted(b"\x89", b"\xef\xbf\xbd"),
        ),
        case(
            "seven-bit",
            "SevenBit",
            valid().iter().map(|byte| byte & 0x7f).collect(),
        ),
        case(
            "version-0",
            "UnsupportedVersion",
            starting(b"\x89INR\r\n\x1a\n\0\0"),
        ),
        case(
            "version-2",
            "UnsupportedVersion",
            starting(b"\x89INR\r\n\x1a\n\x02\0"),
        ),
        case(
            "flags",
            "UnsupportedFlags",
            starting(b"\x89INR\r\n\x1a\n\x01\0\x01\0"),
        ),
    ]
}

fn sequence_cases() -> Vec<Case> {
    let head_chunk = || chunk(b"HEAD", &pack(&head()));
    let weights_chunk = || chunk(b"NETW", &pack(&weights()));
    let end = || chunk(b"IEND", &[]);
    let mut giant = chunk(b"zzzz", b"small");
    giant[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut damaged = weights_chunk();
    damaged[20] ^= 1;
    let mut trailing = valid();
    trailing.push(0);
    let twice = [valid(), valid()].concat();
    vec![
        case("no-chunks", "MissingEnd", container(&[])),
        case(
            "no-end",
            "MissingEnd",
            container(&[head_chunk(), weights_chunk()]),
        ),
        case(
            "no-weights",
            "MissingChunk",
            container(&[head_chunk(), end()]),
        ),
        case(
            "no-head",
            "HeadNotFirst",
            container(&[weights_chunk(), end()]),
        ),
        case("chunk-before-head", "HeadNotFirst", {
            container(&[chunk(b"zzzz", b""), head_chunk(), weights_chunk(), end()])
        }),
        case("duplicate-head", "Duplicate", {
            container(&[head_chunk(), head_chunk(), weights_chunk(), end()])
        }),
        case("duplicate-weights", "Duplicate", {
            container(&[head_chunk(), weights_chunk(), weights_chunk(), end()])
        }),
        case("duplicate-preview", "Duplicate", {
            file_with(
                &head(),
                &weights(),
                &[chunk(b"prev", b"1"), chunk(b"prev", b"2")],
            )
        }),
        case("chunk-type-not-letters", "ChunkType", {
            file_with(&head(), &weights(), &[chunk(b"a1b2", b"")])
        }),
        case("unknown-critical", "UnsupportedChunk", {
            file_with(&head(), &weights(), &[chunk(b"GRID", b"")])
        }),
        case("giant-length", "Truncated", {
            container(&[head_chunk(), weights_chunk(), giant, end()])
        }),
        case(
            "wrong-checksum",
            "Checksum",
            container(&[head_chunk(), damaged, end()]),
        ),
        case("end-not-empty", "EndNotEmpty", {
            container(&[head_chunk(), weights_chunk(), chunk(b"IEND", b"!")])
        }),
        case("trailing-byte", "TrailingBytes", trailing),
        case("two-files-joined", "TrailingBytes", twice),
    ]
}

/// A file with a changed `HEAD`.
fn with_head(change: impl Fn(&mut Head)) -> Vec<u8> {
    let mut head = head();
    change(&mut head);
    file_with(&head, &weights(), &[])
}

/// A file with the given bytes for `HEAD`.
fn with_head_bytes(payload: &[u8]) -> Vec<u8> {
    container(&[
        chunk(b"HEAD", payload),
        chunk(b"NETW", &pack(&weights())),
        chunk(b"IEND", &[]),
    ])
}

/// `HEAD` with one more field, given in MessagePack.
fn with_more_in_head(field: &[u8]) -> Vec<u8> {
    let mut payload = pack(&head());
    payload[0] += 1;
    payload.extend_from_slice(field);
    with_head_bytes(&payload)
}

fn head_cases() -> Vec<Case> {
    let mut surplus = pack(&head());
    surplus.push(0xc0);
    // A field "x" of arrays in arrays; within an unknown field, so that only the reader's own bound stops it.
    let nested = [b"\xa1x".as_slice(), &[0x91; 60_000], &[0xc0]].concat();
    vec![
        case("width-0", "Field", with_head(|head| head.width = 0)),
        case(
            "huge-size",
            "OverLimit",
            with_head(|head| (head.width, head.height) = (u32::MAX, u32::MAX)),
        ),
        case(
            "range-nan",
            "Field",
            with_head(|head| {
                head.depth = "f32";
                head.value_range = [f32::NAN, 1.0];
            }),
        ),
        case(
            "range-swapped",
            "Field",
            with_head(|head| {
                head.depth = "f32";
                head.value_range = [1.0, 0.0];
            }),
        ),
        case(
            "range-of-integers",
            "Field",
            with_head(|head| head.value_range = [0.0, 255.0]),
        ),
        case(
            "layout-unknown",
            "UnsupportedValue",
            with_head(|head| head.layout = "cmyk"),
        ),
        case(
            "depth-unknown",
            "UnsupportedValue",
            with_head(|head| head.depth = "f64"),
        ),
        case(
            "sampling-unknown",
            "UnsupportedValue",
            with_head(|head| head.sampling = "hex"),
        ),
        case("head-empty", "MessagePack", with_head_bytes(&[])),
        case("head-not-a-map", "MessagePack", with_head_bytes(&[0xc0])),
        case(
            "head-an-array",
            "MessagePack",
            with_head_bytes(&rmp_serde::to_vec(&head()).unwrap()),
        ),
        case(
            "head-giant-map",
            "MessagePack",
            with_head_bytes(&[0xdf, 0xff, 0xff, 0xff, 0xff]),
        ),
        case(
            "head-field-missing",
            "MessagePack",
            with_head_bytes(&pack(&head().model)),
        ),
        case(
            "head-field-twice",
            "MessagePack",
            with_more_in_head(b"\xa5width\x04"),
        ),
        case(
            "head-giant-string",
            "MessagePack",
            with_more_in_head(b"\xa1x\xdb\xff\xff\xff\xff"),
        ),
        case(
            "head-giant-array",
            "MessagePack",
            with_more_in_head(b"\xa1x\xdd\xff\xff\xff\xff"),
        ),
        case(
            "head-nested-deep",
            "MessagePack",
            with_more_in_head(&nested),
        ),
        case("head-surplus", "Surplus", with_head_bytes(&surplus)),
        case(
            "head-too-long",
            "OverLimit",
            with_head(|head| head.later = Some(vec![0; 70_000])),
        ),
    ]
}

fn model_cases() -> Vec<Case> {
    vec![
        case(
            "model-kind-unknown",
            "UnsupportedModel",
            with_head(|head| head.model.kind = "wavelet"),
        ),
        case(
            "activation-unknown",
            "UnsupportedValue",
            with_head(|head| head.model.activation = "gelu"),
        ),
        case(
            "grid-unknown",
            "UnsupportedValue",
            with_head(|head| head.model.grid = "polar"),
        ),
        case(
            "layer-width-0",
            "Field",
            with_head(|head| head.model.hidden = vec![2, 0]),
        ),
        case(
            "layer-too-wide",
            "OverLimit",
            with_head(|head| head.model.hidden = vec![4097]),
        ),
        case(
            "layer-widest",
            "OverLimit",
            with_head(|head| head.model.hidden = vec![u32::MAX; 3]),
        ),
        case(
            "too-many-layers",
            "OverLimit",
            with_head(|head| head.model.hidden = vec![1; 64]),
        ),
        case(
            "too-many-weights",
            "OverLimit",
            with_head(|head| head.model.hidden = vec![4096; 63]),
        ),
        case(
            "frequencies-255",
            "OverLimit",
            with_head(|head| head.model.frequencies = 255),
        ),
        case(
            "omega-infinite",
            "Field",
            with_head(|head| head.model.omega_first = f32::INFINITY),
        ),
        case(
            "layers-lie",
            "LayerCount",
            with_head(|head| head.model.hidden = vec![2, 2]),
        ),
        case(
            "widths-lie",
            "WeightBytes",
            with_head(|head| head.model.hidden = vec![3]),
        ),
        case(
            "channels-lie",
            "ValueRange",
            with_head(|head| head.layout = "rgb"),
        ),
    ]
}

/// A file with a changed `NETW`.
fn with_weights(change: impl Fn(&mut Weights)) -> Vec<u8> {
    let mut weights = weights();
    change(&mut weights);
    file_with(&head(), &weights, &[])
}

fn weight_cases() -> Vec<Case> {
    let with_step =
        |step: f32| with_weights(move |weights| weights.steps = floats(&[0.5, step, 0.125]));
    vec![
        case("weights-empty", "MessagePack", {
            container(&[
                chunk(b"HEAD", &pack(&head())),
                chunk(b"NETW", &[]),
                chunk(b"IEND", &[]),
            ])
        }),
        case(
            "weights-odd-tensors",
            "LayerCount",
            with_weights(|weights| weights.bits = vec![8, 32, 3]),
        ),
        case(
            "steps-short",
            "WeightBytes",
            with_weights(|weights| weights.steps.truncate(11)),
        ),
        case(
            "floats-short",
            "WeightBytes",
            with_weights(|weights| weights.floats.truncate(7)),
        ),
        case(
            "floats-long",
            "WeightBytes",
            with_weights(|weights| weights.floats.push(0)),
        ),
        case(
            "bits-0",
            "Bits",
            with_weights(|weights| weights.bits[0] = 0),
        ),
        case(
            "bits-1",
            "Bits",
            with_weights(|weights| weights.bits[0] = 1),
        ),
        case(
            "bits-17",
            "Bits",
            with_weights(|weights| weights.bits[0] = 17),
        ),
        case("step-0", "Step", with_step(0.0)),
        case("step-negative", "Step", with_step(-1.0)),
        case("step-nan", "Step", with_step(f32::NAN)),
        case("step-infinite", "Step", with_step(f32::INFINITY)),
        case("step-overflows", "Step", with_step(f32::MAX)),
        case(
            "float-nan",
            "NotFinite",
            with_weights(|weights| weights.floats = floats(&[0.0, f32::NAN])),
        ),
        case("float-infinite", "NotFinite", {
            with_weights(|weights| weights.floats = floats(&[f32::NEG_INFINITY, 0.0]))
        }),
    ]
}

fn zstd_of(data: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(data, 1).unwrap()
}

/// A file whose column `coded` is the given one.
fn with_coded(coded: &[u8]) -> Vec<u8> {
    let coded = coded.to_vec();
    with_weights(move |weights| weights.coded = coded.clone())
}

/// A file of many weights of 2 bits in a few coded bytes.
fn coded_of_many(coded: &[u8]) -> Vec<u8> {
    let mut head = head();
    head.model.hidden = vec![4096; 4];
    let many = Weights {
        bits: vec![2; 10],
        steps: floats(&[0.5; 10]),
        floats: Vec::new(),
        coded: coded.to_vec(),
    };
    file_with(&head, &many, &[])
}

/// What [`weights`] has in `coded`, but with 128 for 127.
const ABOVE_BITS: [u8; 7] = [0xf7, 0xa3, 0x24, 0x9f, 0x93, 0x83, 0x2c];

fn coded_cases() -> Vec<Case> {
    let whole = weights().coded;
    let mut surplus = whole.clone();
    surplus.extend([0; 4]);
    vec![
        case("coded-absent", "CodedWeights", coded_of_many(&[])),
        case("coded-bomb", "CodedWeights", coded_of_many(&[0xff; 4])),
        case("coded-surplus", "CodedWeights", with_coded(&surplus)),
        case("coded-of-nothing", "CodedWeights", {
            with_weights(|weights| {
                weights.bits = vec![32; 4];
                weights.steps.clear();
                weights.floats = floats(&[1.0; 9]);
            })
        }),
        case("coded-above-bits", "ValueRange", with_coded(&ABOVE_BITS)),
    ]
}

fn with_chunk(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    file_with(&head(), &weights(), &[chunk(kind, payload)])
}

fn blob_cases() -> Vec<Case> {
    let icc = |payload: &[u8]| with_chunk(b"iccp", payload);
    let five = zstd_of(&[1; 5]);
    let surplus = [&five, [0].as_slice()].concat();
    let two = [five.clone(), zstd_of(&[])].concat();
    let skippable = [b"\x50\x2a\x4d\x18\x03\0\0\0abc".as_slice(), &five].concat();
    let zstd = |cause, body: &[u8]| case(cause, "Zstd", icc(&blob(1, 5, body)));
    vec![
        case("icc-prefix-short", "BlobTooShort", icc(&[0, 5, 0, 0])),
        case(
            "icc-coding-unknown",
            "UnsupportedValue",
            icc(&blob(2, 5, &[0; 5])),
        ),
        case("icc-short", "BlobSize", icc(&blob(0, 5, &[0; 4]))),
        case(
            "icc-declares-4-gib",
            "OverLimit",
            icc(&blob(1, u32::MAX, &five)),
        ),
        case(
            "icc-frame-smaller",
            "BlobSize",
            icc(&blob(1, 5, &zstd_of(&[1; 4]))),
        ),
        zstd("icc-frame-cut", &five[..five.len() - 1]),
        zstd("icc-frame-surplus", &surplus),
        zstd("icc-two-frames", &two),
        zstd("icc-skippable-frame", &skippable),
        zstd("icc-not-zstd", b"not zstd"),
    ]
}

fn metadata_cases() -> Vec<Case> {
    const OVER: u32 = (64 << 20) + 1;
    let bomb = zstd_of(&vec![0; OVER as usize]);
    vec![
        case(
            "icc-bomb-declared",
            "OverLimit",
            with_chunk(b"iccp", &blob(1, OVER, &bomb)),
        ),
        case(
            "icc-bomb-hidden",
            "Zstd",
            with_chunk(b"iccp", &blob(1, 10, &bomb)),
        ),
        case(
            "exif-prefix-short",
            "BlobTooShort",
            with_chunk(b"exif", &[0]),
        ),
        case(
            "xmp-size-lies",
            "BlobSize",
            with_chunk(b"xmpk", &blob(0, 9, b"<x/>")),
        ),
        case(
            "preview-too-long",
            "OverLimit",
            with_chunk(b"prev", &[0; 65_537]),
        ),
        case(
            "provenance-not-a-map",
            "MessagePack",
            with_chunk(b"prov", &[0x01]),
        ),
        case(
            "provenance-nan",
            "Field",
            with_chunk(b"prov", b"\x81\xa4psnr\xca\x7f\xc0\0\0"),
        ),
        case(
            "provenance-seconds-negative",
            "Field",
            with_chunk(b"prov", b"\x81\xa7seconds\xff"),
        ),
        case(
            "provenance-surplus",
            "Surplus",
            with_chunk(b"prov", &[0x80, 0xc0]),
        ),
    ]
}

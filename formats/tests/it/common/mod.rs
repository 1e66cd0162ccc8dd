//! Files for the tests: one made through the public API, and parts to make wrong ones by hand.

pub mod grids;
pub mod hostile_grids;

use inr_formats::*;
use serde::{Serialize, Serializer};

/// A small file with every kind of chunk and tensor, one ancillary chunk of an unknown type among them.
pub fn small_file() -> InrFile {
    let mlp = Mlp {
        activation: Activation::Sine,
        frequencies: 0,
        hidden: vec![2, 3],
        omega_first: 30.0,
        omega_hidden: 30.0,
        grid: Grid::PixelCentre,
    };
    let mut layers = Vec::new();
    for (layer, (outputs, inputs)) in mlp.layer_shapes(1).into_iter().enumerate() {
        let bits = [5, 8, 11][layer];
        let values = (0..outputs * inputs)
            .map(|i| (i as i32 * 7) % 15 - 7)
            .collect();
        let matrix = Tensor::Quantised {
            step: 0.125,
            bits,
            values,
        };
        layers.push(LayerData {
            matrix,
            bias: Tensor::Float(vec![-0.5; outputs]),
        });
    }
    let header = Header {
        width: 7,
        height: 5,
        layout: Layout::Grey,
        depth: Depth::U8,
        value_range: [0.0, 1.0],
        sampling: Sampling::Area,
        cicp: Some([1, 13, 0, 1]),
        model: Model::Mlp(mlp),
    };
    let mut file = InrFile::new(header, layers);
    file.icc = Some(vec![7; 100]);
    file.exif = Some(b"II*\0".to_vec());
    file.xmp = Some(b"<x/>".to_vec());
    file.preview = Some(vec![0xff, 0xd8, 0xff]);
    file.provenance = Some(Provenance {
        seed: Some(u64::MAX),
        psnr: Some(31.5),
        ..Default::default()
    });
    file.unknown = vec![Chunk {
        kind: *b"test",
        payload: vec![1, 2, 3],
    }];
    file
}

/// `HEAD` as a map that a test can bend.
#[derive(Clone, Serialize)]
pub struct Head {
    pub width: u32,
    pub height: u32,
    pub layout: &'static str,
    pub depth: &'static str,
    pub value_range: [f32; 2],
    pub sampling: &'static str,
    pub model: HeadModel,
    /// A field of a later version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub later: Option<Vec<u32>>,
}

#[derive(Clone, Serialize)]
pub struct HeadModel {
    pub kind: &'static str,
    pub activation: &'static str,
    pub frequencies: u8,
    pub hidden: Vec<u32>,
    pub omega_first: f32,
    pub omega_hidden: f32,
    pub grid: &'static str,
}

/// A picture of 4 x 3 grey pixels, two hidden neurons.
pub fn head() -> Head {
    Head {
        width: 4,
        height: 3,
        layout: "grey",
        depth: "u8",
        value_range: [0.0, 1.0],
        sampling: "point",
        model: HeadModel {
            kind: "mlp",
            activation: "relu",
            frequencies: 0,
            hidden: vec![2],
            omega_first: 1.0,
            omega_hidden: 1.0,
            grid: "corner_aligned",
        },
        later: None,
    }
}

fn bin<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// `NETW` as a map that a test can bend.
#[derive(Clone, Serialize)]
pub struct Weights {
    #[serde(serialize_with = "bin")]
    pub bits: Vec<u8>,
    #[serde(serialize_with = "bin")]
    pub steps: Vec<u8>,
    #[serde(serialize_with = "bin")]
    pub floats: Vec<u8>,
    #[serde(serialize_with = "bin")]
    pub coded: Vec<u8>,
}

/// Weights for [`head`]: matrix 0 of the values 0, -128, 127, 1 in 8 bits, bias 0 of 2 floats, matrix 1 of 3 and -4 in 3
/// bits, and bias 1 of 84 in 10 bits.
pub fn weights() -> Weights {
    Weights {
        bits: vec![8, 32, 3, 10],
        steps: floats(&[0.5, 0.25, 0.125]),
        floats: floats(&[1.5, -2.5]),
        coded: CODED.to_vec(),
    }
}

const CODED: [u8; 7] = [0xf7, 0xa3, 0x24, 0xdb, 0xb7, 0x1d, 0xdb];

/// `f32` LE.
pub fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// A blob that says what it is told to say.
pub fn blob(coding: u8, declared: u32, body: &[u8]) -> Vec<u8> {
    let mut out = vec![coding];
    out.extend(declared.to_le_bytes());
    out.extend(body);
    out
}

/// MessagePack with named fields.
pub fn pack<T: Serialize>(value: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(value).unwrap()
}

/// A chunk with a right length and checksum.
pub fn chunk(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut out = kind.to_vec();
    out.extend((payload.len() as u32).to_le_bytes());
    out.extend(payload);
    out.extend(crc32fast::hash(&out).to_le_bytes());
    out
}

/// A file of version 1 of the given chunks, as they are.
pub fn container(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"\x89INR\r\n\x1a\n\x01\0\0\0".to_vec();
    chunks.iter().for_each(|chunk| out.extend(chunk));
    out
}

/// The payload of the chunk of a type in a file.
pub fn payload_of(kind: &[u8; 4], bytes: &[u8]) -> Vec<u8> {
    let chunks = inspect(bytes, &Limits::default()).0;
    let found = chunks.iter().find(|chunk| chunk.kind == ChunkKind(*kind));
    let found = found.unwrap();
    bytes[found.offset as usize + 8..][..found.length as usize].to_vec()
}

/// `HEAD`, `NETW`, the given chunks, `IEND`.
pub fn file_with(head: &Head, weights: &Weights, more: &[Vec<u8>]) -> Vec<u8> {
    let mut chunks = vec![chunk(b"HEAD", &pack(head)), chunk(b"NETW", &pack(weights))];
    chunks.extend_from_slice(more);
    chunks.push(chunk(b"IEND", &[]));
    container(&chunks)
}

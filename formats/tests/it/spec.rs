//! The example in SPEC.md: the bytes are those that the writer gives, and the samples those that a decoder written
//! from the document's formulas gives.

use inr_formats::*;

const SPEC: &str = include_str!("../../SPEC.md");

fn example() -> InrFile {
    let mlp = Mlp {
        activation: Activation::Relu,
        frequencies: 0,
        hidden: vec![2],
        omega_first: 30.0,
        omega_hidden: 30.0,
        grid: Grid::PixelCentre,
    };
    let header = Header {
        width: 2,
        height: 1,
        layout: Layout::Grey,
        depth: Depth::U8,
        value_range: [0.0, 1.0],
        sampling: Sampling::Point,
        cicp: None,
        model: Model::Mlp(mlp),
    };
    let quantised = |step, bits, values: &[i32]| Tensor::Quantised {
        step,
        bits,
        values: values.to_vec(),
    };
    let first = LayerData {
        matrix: quantised(0.5, 8, &[1, 0, -1, 0]),
        bias: quantised(0.25, 4, &[0, 0]),
    };
    let last = LayerData {
        matrix: quantised(1.0, 3, &[2, -2]),
        bias: Tensor::Float(vec![0.25]),
    };
    let mut file = InrFile::new(header, vec![first, last]);
    file.unknown.push(Chunk {
        kind: *b"note",
        payload: b"hi".to_vec(),
    });
    file
}

/// The bytes of the dump: lines of offset, two spaces, hex pairs, two spaces, remark.
fn dumped_bytes() -> Vec<u8> {
    let dump = SPEC
        .split("```dump\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let mut bytes = Vec::new();
    for line in dump.lines() {
        let mut parts = line.split("  ").filter(|part| !part.is_empty());
        let offset = usize::from_str_radix(parts.next().unwrap(), 16).unwrap();
        assert_eq!(offset, bytes.len(), "{line}");
        for pair in parts.next().unwrap().split(' ') {
            bytes.push(u8::from_str_radix(pair, 16).unwrap());
        }
    }
    bytes
}

#[test]
fn the_dump_is_what_the_writer_gives() {
    let written = example().write().unwrap();
    for (line, bytes) in written.chunks(16).enumerate() {
        let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        println!(
            "{:04x}  {}  {}",
            line * 16,
            hex.join(" "),
            bytes.escape_ascii()
        );
    }
    assert_eq!(dumped_bytes(), written);
    assert_eq!(
        InrFile::read(&dumped_bytes(), &Limits::default()).unwrap(),
        example()
    );
}

/// A layer by the formula of the document: row-major matrix times inputs, plus bias.
fn affine(layer: &LayerData, inputs: &[f32]) -> Vec<f32> {
    let (matrix, bias) = (layer.matrix.values(), layer.bias.values());
    let rows = matrix.chunks_exact(inputs.len()).zip(bias);
    rows.map(|(row, bias)| row.iter().zip(inputs).map(|(w, x)| w * x).sum::<f32>() + bias)
        .collect()
}

#[test]
fn the_samples_are_those_of_the_document() {
    let file = InrFile::read(&dumped_bytes(), &Limits::default()).unwrap();
    for (column, wanted) in [(0, 0.375), (1, 0.875)] {
        let x = (2 * column + 1 - 2) as f32 / 2.0;
        let hidden = affine(&file.layers[0], &[x, 0.0]);
        let hidden: Vec<f32> = hidden.into_iter().map(|value| value.max(0.0)).collect();
        let output = affine(&file.layers[1], &hidden)[0];
        let sample = (output + 1.0) / 2.0;
        assert_eq!(sample, wanted);
        assert!(SPEC.contains(&wanted.to_string()));
    }
}

/// Every word that `HEAD` can hold stands in the document.
#[test]
fn the_document_names_every_value_and_default() {
    let words = [
        "grey_alpha",
        "corner_aligned",
        "pixel_centre",
        "omega_hidden",
        "positional",
        "2^50",
    ];
    for word in words.iter().chain(&[
        "iccp",
        "exif",
        "xmpk",
        "prov",
        "prev",
        "opac",
        "TIDX",
        "GRID",
        "TILE",
        "`pyramid`",
    ]) {
        assert!(SPEC.contains(word), "{word}");
    }
}

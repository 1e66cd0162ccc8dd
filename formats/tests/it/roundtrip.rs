//! What is written is read back, and reading gives what the document says.

use crate::common::grids::*;
use crate::common::*;
use inr_formats::*;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Result<InrFile, FormatError> {
    InrFile::read(bytes, &Limits::default())
}

fn tensor(count: usize) -> BoxedStrategy<Tensor> {
    let float = vec(-1e6_f32..1e6, count).prop_map(Tensor::Float);
    let quantised = (2_u8..=16, 1e-6_f32..10.0).prop_flat_map(move |(bits, step)| {
        let half = 1_i32 << (bits - 1);
        vec(-half..half, count).prop_map(move |values| Tensor::Quantised { step, bits, values })
    });
    prop_oneof![1 => float, 3 => quantised].boxed()
}

fn layers(shapes: Vec<(usize, usize)>) -> impl Strategy<Value = Vec<LayerData>> {
    shapes
        .into_iter()
        .map(|(rows, columns)| {
            (tensor(rows * columns), tensor(rows))
                .prop_map(|(matrix, bias)| LayerData { matrix, bias })
        })
        .collect::<Vec<_>>()
}

fn header() -> impl Strategy<Value = Header> {
    let layout = prop::sample::select(vec![
        Layout::Grey,
        Layout::GreyAlpha,
        Layout::Rgb,
        Layout::Rgba,
    ]);
    let model = (
        any::<bool>(),
        0_u8..4,
        vec(1_u32..9, 0..4),
        any::<bool>(),
        0.5_f32..90.0,
    );
    let picture = (
        1_u32..9000,
        1_u32..9000,
        prop::sample::select(vec![0_u8, 1, 2]),
    );
    (picture, layout, any::<bool>(), of(any::<[u8; 4]>()), model).prop_map(
        |(
            (width, height, depth),
            layout,
            area,
            cicp,
            (sine, frequencies, hidden, corner, omega),
        )| {
            let depth = [Depth::U8, Depth::U16, Depth::F32][usize::from(depth)];
            Header {
                width,
                height,
                layout,
                depth,
                value_range: if depth == Depth::F32 {
                    [-0.5, 7.25]
                } else {
                    [0.0, 1.0]
                },
                sampling: if area {
                    Sampling::Area
                } else {
                    Sampling::Point
                },
                cicp,
                model: Model::Mlp(Mlp {
                    activation: if sine {
                        Activation::Sine
                    } else {
                        Activation::Relu
                    },
                    frequencies,
                    hidden,
                    omega_first: omega,
                    omega_hidden: omega + 1.0,
                    grid: if corner {
                        Grid::CornerAligned
                    } else {
                        Grid::PixelCentre
                    },
                }),
            }
        },
    )
}

fn provenance() -> impl Strategy<Value = Provenance> {
    let texts = (of(".{0,20}"), of(".{0,20}"), of(".{0,20}"));
    (
        texts,
        of(any::<u64>()),
        of(0.0..99.0),
        of(0.0..1e9),
        of(any::<u64>()),
    )
        .prop_map(
            |((encoder, recipe, device), seed, psnr, seconds, epochs)| Provenance {
                encoder,
                recipe,
                seed,
                psnr,
                seconds,
                epochs,
                device,
            },
        )
}

fn unknown_chunk() -> impl Strategy<Value = Chunk> {
    ("[a-z][A-Za-z]{3}", vec(any::<u8>(), 0..20))
        .prop_filter("types of this version", |(kind, _)| {
            !["iccp", "exif", "xmpk", "prov", "prev", "opac"].contains(&kind.as_str())
        })
        .prop_map(|(kind, payload)| Chunk {
            kind: kind.as_bytes().try_into().unwrap(),
            payload,
        })
}

/// Differences of the head's output layers, of some classes of levels.
fn fitted(planes: u8) -> impl Strategy<Value = [Vec<i8>; 3]> {
    let outputs = if planes >= 3 { 12 } else { 4 };
    let class = || of(vec(-16_i8..16, outputs * inr_formats::latents::HEAD_INPUTS));
    [class(), class(), class()].prop_map(|all| all.map(Option::unwrap_or_default))
}

/// Latents with segments of any bytes, which reading does not look into.
fn pyramids() -> impl Strategy<Value = InrFile> {
    let size = (1_u32..200, 1_u32..200);
    let shape = (size, 1_u8..=4, 0_u8..9, 2_u16..9);
    shape.prop_flat_map(|(size, planes, levels, tile)| {
        let partition = partition(size, planes, levels, tile * 8);
        let each = usize::from(planes);
        let grids = each * (usize::from(levels) + 1);
        let optional = (
            of(vec(any::<i8>(), grids)),
            of(any::<[[i16; 3]; 3]>()),
            vec(any::<[[i8; 2]; 3]>(), each),
            (
                of((vec(any::<u8>(), each), fitted(planes))),
                0_u8..=16,
                of(vec(any::<u8>(), 4 * each)),
                of(any::<[u8; 4]>()),
            ),
        );
        let segments = vec(vec(any::<u8>(), 0..300), partition.segments());
        (Just(partition), 1e-6_f32..1e6, optional, segments).prop_map(
            |(
                partition,
                step,
                (relative_steps, colour, centroids, (head, masking, grain, degradation)),
                segments,
            )| {
                let (gains, fitted) = head.unwrap_or_default();
                let latents = Latents {
                    partition,
                    step,
                    relative_steps: relative_steps.unwrap_or_default(),
                    colour: colour.filter(|_| partition.planes >= 3),
                    centroids,
                    gains,
                    masking,
                    fitted,
                    grain: grain.unwrap_or_default(),
                    degradation,
                    segments,
                };
                pyramid(latents)
            },
        )
    })
}

fn file() -> impl Strategy<Value = InrFile> {
    let bytes = || of(vec(any::<u8>(), 0..200));
    header().prop_flat_map(move |header| {
        let Model::Mlp(mlp) = &header.model else {
            unreachable!()
        };
        let shapes = mlp.layer_shapes(header.layout.channels());
        let metadata = (bytes(), bytes(), bytes(), bytes(), of(provenance()));
        (
            Just(header),
            layers(shapes),
            metadata,
            vec(unknown_chunk(), 0..3),
        )
            .prop_map(
                |(header, layers, (icc, exif, xmp, preview, provenance), unknown)| InrFile {
                    header,
                    layers,
                    latents: None,
                    icc,
                    exif,
                    xmp,
                    provenance,
                    preview,

                    opacity: None,
                    unknown,
                },
            )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn reading_gives_what_was_written(file in file()) {
        let bytes = file.write().unwrap();
        prop_assert_eq!(read(&bytes).unwrap(), file);
    }

    #[test]
    fn reading_gives_the_pyramid_that_was_written(file in pyramids()) {
        let bytes = file.write().unwrap();
        prop_assert_eq!(&read(&bytes).unwrap(), &file);
        prop_assert_eq!(InrFile::read_partial(&bytes, &Limits::default()).unwrap(), file);
    }

    #[test]
    fn inspecting_finds_every_chunk_intact(file in file()) {
        let bytes = file.write().unwrap();
        let (chunks, result) = inspect(&bytes, &Limits::default());
        prop_assert_eq!(result, Ok(()));
        prop_assert!(chunks.iter().all(|chunk| chunk.intact));
        let spelled: u64 = chunks.iter().map(|chunk| u64::from(chunk.length) + 12).sum();
        prop_assert_eq!(spelled + 12, bytes.len() as u64);
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&bytes).is_err());
        let after_signature = container(&[bytes]);
        prop_assert!(read(&after_signature).is_err());
        inspect(&after_signature, &Limits::default()).1.unwrap_err();
    }

    #[test]
    fn any_payloads_are_read_or_refused_without_a_panic(
        head_payload in vec(any::<u8>(), 0..60),
        weights_payload in vec(any::<u8>(), 0..60),
    ) {
        let end = chunk(b"IEND", &[]);
        let weights_chunk = chunk(b"NETW", &weights_payload);
        let _ = read(&container(&[chunk(b"HEAD", &head_payload), weights_chunk.clone(), end.clone()]));
        let _ = read(&container(&[chunk(b"HEAD", &pack(&head())), weights_chunk, end]));
    }

    #[test]
    fn any_payload_of_latents_is_read_or_refused_without_a_panic(
        mut payload in vec(any::<u8>(), 0..120),
        likely in any::<bool>(),
    ) {
        if likely && payload.len() > 9 {
            payload[..9].copy_from_slice(&grid_parts().payload()[..9]);
        }
        let bytes = pyramid_with(&pyramid_head(), &payload);
        let partial = InrFile::read_partial(&bytes[..bytes.len() - 13], &Limits::default());
        for file in [read(&bytes), partial].into_iter().flatten() {
            let _ = decode(file.latents.as_ref().unwrap());
        }
    }
}

#[test]
fn a_file_made_by_hand_from_the_document_reads_as_meant() {
    let file = read(&file_with(&head(), &weights(), &[])).unwrap();
    assert_eq!((file.header.width, file.header.height), (4, 3));
    assert_eq!(file.layers.len(), 2);
    let [first, last] = &file.layers[..] else {
        panic!("two layers")
    };
    assert_eq!(first.matrix.values(), [0.0, -64.0, 63.5, 0.5]);
    assert_eq!(first.bias.values(), [1.5, -2.5]);
    assert_eq!(last.matrix.values(), [0.75, -1.0]);
    assert_eq!(last.bias.values(), [84.0 * 0.125]);
    assert_eq!(read(&file.write().unwrap()).unwrap(), file);
}

#[test]
fn fields_of_later_versions_are_ignored() {
    let mut later = head();
    later.later = Some(vec![1, 2, 3]);
    assert_eq!(
        read(&file_with(&later, &weights(), &[])),
        read(&file_with(&head(), &weights(), &[]))
    );
}

#[test]
fn absent_fields_of_head_have_their_defaults() {
    let file = small_file();
    let mut relu = file.clone();
    let Model::Mlp(mlp) = &mut relu.header.model else {
        unreachable!()
    };
    (mlp.omega_first, mlp.grid) = (1.0, Grid::CornerAligned);
    let lengths = [&file, &relu].map(|file| file.write().unwrap().len());
    assert_eq!(
        lengths[0] + "omega_first".len() + "grid".len() + "corner_aligned".len() + 8,
        lengths[1]
    );
    assert_eq!(read(&relu.write().unwrap()).unwrap(), relu);
}

#[test]
fn unknown_ancillary_chunks_stay_in_order_and_may_repeat() {
    let chunks = [
        chunk(b"zzzz", b"2"),
        chunk(b"aaaa", b"1"),
        chunk(b"zzzz", b""),
    ];
    let file = read(&file_with(&head(), &weights(), &chunks)).unwrap();
    let kinds: Vec<_> = file.unknown.iter().map(|chunk| &chunk.kind).collect();
    assert_eq!(kinds, [b"zzzz", b"aaaa", b"zzzz"]);
    assert_eq!(read(&file.write().unwrap()).unwrap().unknown, file.unknown);
}

#[test]
fn dequantising_rounds_once() {
    let tensor = Tensor::Quantised {
        step: 0.1,
        bits: 16,
        values: vec![32767, -32768, 3],
    };
    assert_eq!(
        tensor.values(),
        [32767.0_f32 * 0.1, -32768.0_f32 * 0.1, 3.0_f32 * 0.1]
    );
}

#[test]
fn latents_made_by_hand_from_the_document_read_as_meant() {
    let mut grid = grid_parts();
    grid.flags = 1 | 2 | 4 | 8;
    grid.optional = (0..9_i16)
        .flat_map(|i| (i * 1000 - 3).to_le_bytes())
        .collect();
    grid.optional.extend([0, 1, 2, 0xff, 0x80, 0x7f]);
    grid.optional.extend((0..18).map(|i| i * 7));
    grid.optional.extend([9, 10, 11]);
    grid.optional.push(7);
    // A length may be longer than it need be.
    grid.lengths = vec![0x85, 0x80, 0x00, 0];
    let mut head = pyramid_head();
    head.layout = "rgb";
    let file = read(&pyramid_with(&head, &grid.payload())).unwrap();
    let latents = file.latents.unwrap();
    assert_eq!(latents.partition, partition((4, 3), 3, 1, 16));
    assert_eq!(latents.step, 0.125);
    assert_eq!(latents.relative_steps, [0, 1, 2, -1, -128, 127]);
    let colour = [[-3, 997, 1997], [2997, 3997, 4997], [5997, 6997, 7997]];
    assert_eq!(latents.colour, Some(colour));
    assert_eq!(latents.centroids[0], [[0, 7], [14, 21], [28, 35]]);
    assert_eq!(latents.centroids[2], [[84, 91], [98, 105], [112, 119]]);
    assert_eq!(latents.gains, [9, 10, 11]);
    assert_eq!(latents.masking, 7);
    assert_eq!(latents.segments, [vec![0x40, 1, 2, 3, 4], vec![]]);
}

#[test]
fn equal_files_give_equal_bytes() {
    assert_eq!(
        small_pyramid().write().unwrap(),
        small_pyramid().write().unwrap()
    );
    assert_eq!(small_file().write().unwrap(), small_file().write().unwrap());
}

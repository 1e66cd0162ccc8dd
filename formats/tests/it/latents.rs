//! Coefficients come back from their segments, whatever they are, as near as the quantiser has them; any bytes decode
//! to something or to an error.

use crate::common::grids::*;
use inr_formats::latents::Partition;
use inr_formats::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// Magnitudes that the arithmetic of contexts and escapes turns at.
const EDGES: [i32; 20] = [
    0,
    1,
    2,
    7,
    8,
    14,
    15,
    16,
    17,
    254,
    255,
    256,
    4095,
    32_767,
    65_536,
    1 << 20,
    (1 << 22) - 1,
    1 << 22,
    (1 << 23) - 1,
    -(1 << 23),
];

fn comes_back(partition: Partition, source: impl FnMut(Place) -> i32 + Clone) -> Coded {
    let coded = code(partition, source.clone());
    // The coder's own result is what was asked for or next to it, and a reader finds the same.
    let mut again = source;
    let size = partition.size(partition.levels);
    for (plane, values) in coded.low.iter().enumerate() {
        for (index, found) in values.iter().enumerate() {
            let (x, y) = (index % size.0, index / size.0);
            let place = Place {
                level: 0,
                plane,
                orientation: 0,
                x,
                y,
            };
            assert_eq!(*found, again(place), "{partition:?} {place:?}");
        }
    }
    for (tile, (level, x, y)) in coded.tiles.iter().zip(tiles(&partition)) {
        let wanted = exact(&partition, (level, x, y), &mut again);
        for (bands, wanted) in tile.planes.iter().zip(wanted) {
            for (band, wanted) in bands.iter().zip(wanted) {
                assert_eq!(band.width * band.height, wanted.len());
                for (found, wanted) in band.values.iter().zip(wanted) {
                    let wanted = wanted / 256;
                    let near = (found - wanted).abs() <= i32::from(wanted != 0);
                    assert!(near, "{partition:?}: {found} found, {wanted} wanted");
                }
            }
        }
    }
    let (low, tiles) = decode(&coded.latents).unwrap();
    assert_eq!(low, coded.low, "{partition:?}");
    assert!(tiles == coded.tiles, "{partition:?}");
    coded
}

fn partitions() -> impl Strategy<Value = Partition> {
    let side = || prop_oneof![3 => 1_u32..40, 2 => 60_u32..70, 1 => Just(129)];
    let tile = prop::sample::select(vec![16_u16, 24, 32, 64]);
    ((side(), side()), 1_u8..=4, 0_u8..7, tile)
        .prop_map(|(size, planes, levels, tile)| partition(size, planes, levels, tile))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn coefficients_as_of_pictures_come_back(partition in partitions(), seed in any::<u64>()) {
        let mut sequence = Sequence(seed);
        let values: Vec<i32> = (0..4099).map(|_| sequence.coefficient()).collect();
        comes_back(partition, |place| values[at(place) % values.len()]);
    }

    #[test]
    fn coefficients_of_any_size_come_back(partition in partitions(), seed in any::<u64>()) {
        let mut sequence = Sequence(seed);
        let values: Vec<i32> = (0..1021)
            .map(|_| {
                let edge = EDGES[sequence.next() as usize % EDGES.len()];
                if sequence.next() >> 31 == 0 { edge } else { (-edge).min((1 << 23) - 1) }
            })
            .collect();
        // The coarsest band codes differences of neighbours, which take one bit more.
        comes_back(partition, |place| values[at(place) % values.len()] >> u8::from(place.level == 0));
    }

    #[test]
    fn any_bytes_decode_to_something_or_to_an_error(
        partition in partitions(),
        segments in vec(vec(any::<u8>(), 0..200), 1..30),
    ) {
        decode_garbage(partition, |index| segments[index % segments.len()].clone());
    }

    #[test]
    fn prices_change_coefficients_but_not_what_a_reader_finds(seed in any::<u64>(), price in 0.01_f32..1e6) {
        let partition = partition((33, 20), 3, 1, 16);
        let mut sequence = Sequence(seed);
        let mut wish = |_| sequence.coefficient();
        let mut exact = exact(&partition, (1, 0, 0), &mut wish);
        exact.iter_mut().flatten().flatten().for_each(|x| *x = x.wrapping_mul(97) / 31);
        exact[0][0][0] = i32::MIN;
        exact[0][0][1..4].fill(i32::MAX);
        let (segment, tile) = partition.encode_tile(1, (0, 0), None, &exact, &[price, 0.0, f32::MAX]);
        let mut latents = code(partition, |_| 0).latents;
        latents.segments[1] = segment;
        prop_assert!(latents.decode_tile(1, (0, 0), None).unwrap() == tile);
    }
}

/// A number for each place.
fn at(place: Place) -> usize {
    let line = (usize::from(place.level) * 4 + place.plane) * 3 + place.orientation;
    (line * 131 + place.y) * 197 + place.x
}

fn decode_garbage(partition: Partition, segment: impl Fn(usize) -> Vec<u8>) {
    let mut latents = code(partition, |_| 0).latents;
    latents.segments = (0..partition.segments()).map(segment).collect();
    let (first, second) = (decode(&latents), decode(&latents));
    match &first {
        Err(FormatError::Segment { index }) => assert!(*index < latents.segments.len() as u64),
        Err(error) => panic!("{error}"),
        Ok(_) => {}
    }
    assert!(first == second);
}

#[test]
fn zeros_take_no_bytes_but_the_coarsest_band() {
    let coded = comes_back(partition((100, 75), 3, 4, 16), |_| 0);
    let [low, tiles @ ..] = &coded.latents.segments[..] else {
        panic!("one segment at least")
    };
    assert!(low.len() < 12, "{}", low.len());
    assert!(tiles.iter().all(Vec::is_empty));
}

#[test]
fn one_coefficient_comes_back_from_any_place() {
    let partition = partition((37, 35), 4, 2, 16);
    let mut places = Vec::new();
    code(partition, |place| {
        places.push(at(place));
        0
    });
    for (index, wanted) in places.iter().enumerate().step_by(61) {
        let value = [1, -1, 300, -(1 << 23)][index / 61 % 4];
        comes_back(
            partition,
            |place| if at(place) == *wanted { value } else { 0 },
        );
    }
}

#[test]
fn sides_of_one_and_of_tile_borders_come_back() {
    let mut sequence = Sequence(5);
    let values: Vec<i32> = (0..997).map(|_| sequence.coefficient()).collect();
    let sides = [1, 2, 3, 31, 32, 33, 34, 64, 65];
    for width in sides {
        for height in [1, 2, 32, 33] {
            for levels in [0, 1, 2, 7] {
                let partition = partition((width, height), 2, levels, 16);
                comes_back(partition, |place| values[at(place) % values.len()]);
            }
        }
    }
    comes_back(partition((1, 1), 4, 31, 16), |place| at(place) as i32 % 5);
    comes_back(partition((1, 4001), 3, 5, 4096), |place| {
        values[at(place) % values.len()]
    });
}

#[test]
fn the_largest_coefficients_come_back() {
    for value in [(1 << 23) - 1, -(1 << 23)] {
        for size in [(2, 1), (1, 2), (2, 2), (40, 40)] {
            let partition = partition(size, 1, 1, 16);
            let coded = comes_back(partition, |_| value);
            assert!(
                coded
                    .latents
                    .segments
                    .iter()
                    .all(|segment| !segment.is_empty())
            );
        }
    }
}

#[test]
fn the_coarsest_band_takes_values_up_to_the_longest_code() {
    let partition = partition((2, 2), 1, 0, 16);
    for value in [(1 << 24) - 2, -(1 << 24) + 2] {
        let mut planes = [vec![value, 0, value, 0]];
        let segment = partition.encode_low(&mut planes);
        assert_eq!(planes[0], [value, 0, value, 0]);
        let mut latents = code(partition, |_| 0).latents;
        latents.segments[0] = segment;
        assert_eq!(latents.decode_low().unwrap(), planes);
    }
    // Beyond, the coder says what a reader will have instead.
    let mut planes = [vec![i32::MIN, i32::MAX, i32::MIN, i32::MAX]];
    let segment = partition.encode_low(&mut planes);
    assert_eq!(planes[0][0], -(1 << 24) + 2);
    let mut latents = code(partition, |_| 0).latents;
    latents.segments[0] = segment;
    assert_eq!(latents.decode_low().unwrap(), planes);
}

#[test]
fn runs_of_one_byte_decode_to_something_or_to_an_error() {
    for byte in [0, 1, 0x55, 0x80, 0xfe, 0xff] {
        for length in [1, 2, 5, 40, 3000] {
            decode_garbage(partition((67, 40), 4, 3, 16), |_| vec![byte; length]);
        }
    }
}

#[test]
fn a_segment_that_ends_early_is_refused() {
    let mut sequence = Sequence(9);
    let coded = code(partition((64, 64), 1, 1, 32), |_| {
        sequence.coefficient() + 1
    });
    for index in 0..coded.latents.segments.len() {
        let mut latents = coded.latents.clone();
        latents.segments[index].truncate(20);
        let error = decode(&latents).unwrap_err();
        assert_eq!(
            error,
            FormatError::Segment {
                index: index as u64
            }
        );
        assert_eq!(error.family(), Family::Malformed);
        latents.segments.truncate(index);
        let error = decode(&latents).unwrap_err();
        assert_eq!(
            error,
            FormatError::Segment {
                index: index as u64
            }
        );
    }
}

#[test]
fn a_long_tile_behind_a_short_segment_is_refused_soon() {
    // 50 million coefficients; coding them would take a minute in this build.
    let partition = partition((8192, 8192), 1, 5, 4096);
    let mut latents = code(self::partition((8, 8), 1, 0, 16), |_| 0).latents;
    latents.partition = partition;
    latents.segments = vec![vec![0xa5; 100]; partition.segments()];
    let started = std::time::Instant::now();
    let error = latents.decode_tile(1, (0, 0), None).unwrap_err();
    assert!(matches!(error, FormatError::Segment { .. }), "{error}");
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn coding_is_the_same_every_time_and_on_every_thread() {
    let source = || {
        let mut sequence = Sequence(77);
        code(partition((90, 61), 3, 4, 16), move |_| {
            sequence.coefficient()
        })
        .latents
    };
    let first = source();
    let threads: Vec<_> = (0..3).map(|_| std::thread::spawn(source)).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), first);
    }
}

#[test]
fn steps_are_sixteenths_of_octaves() {
    for n in i8::MIN..=i8::MAX {
        let exact = (f64::from(n) / 16.0).exp2();
        let found = f64::from(latents::sixteenth_octaves(n));
        assert!((found / exact - 1.0).abs() < 1e-7, "{n}: {found}");
    }
    let latents = small_pyramid().latents.unwrap();
    assert_eq!(latents.step(0, 0), 0.125 * 1.5 / 256.0);
    assert_eq!(latents.step(2, 1), 0.125 * latents::sixteenth_octaves(25));
}

#[test]
fn every_tile_has_one_segment() {
    for (size, tile) in [
        ((1, 1), 16),
        ((300, 7), 16),
        ((257, 129), 24),
        ((64, 64), 4096),
    ] {
        for levels in 0..6 {
            let partition = partition(size, 1, levels, tile);
            let numbers: Vec<_> = tiles(&partition)
                .into_iter()
                .map(|(level, x, y)| partition.segment(level, x, y))
                .collect();
            assert!(numbers.iter().copied().eq(1..partition.segments()));
        }
    }
}

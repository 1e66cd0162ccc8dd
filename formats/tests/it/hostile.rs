//! Files made to mislead a reader: each is refused, for the reason meant.
//!
//! `INR_BLESS=1` writes those of at most 16 kB to `fixtures/hostile`.

use crate::hostile_cases::cases;
use inr_formats::*;
use std::path::PathBuf;

/// Longest fixture in bytes; longer cases exist in memory only.
const LONGEST: usize = 16_384;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/hostile")
}

/// The name of the variant.
fn name(error: &FormatError) -> String {
    let text = format!("{error:?}");
    text.chars()
        .take_while(|letter| letter.is_ascii_alphanumeric())
        .collect()
}

#[test]
fn each_case_is_refused_for_its_reason() {
    for case in cases() {
        match InrFile::read(&case.bytes, &Limits::default()) {
            Ok(_) => panic!("{} was read", case.cause),
            Err(error) => assert_eq!(name(&error), case.error, "{}: {error}", case.cause),
        }
        inspect(&case.bytes, &Limits::default()).1.unwrap_err();
    }
}

#[test]
fn causes_are_named_once() {
    let mut causes: Vec<_> = cases().into_iter().map(|case| case.cause).collect();
    let count = causes.len();
    causes.sort_unstable();
    causes.dedup();
    assert_eq!(causes.len(), count);
}

#[test]
fn each_hostile_fixture_is_refused_for_its_reason() {
    let cases = cases();
    if std::env::var_os("INR_BLESS").is_some() {
        for case in cases.iter().filter(|case| case.bytes.len() <= LONGEST) {
            std::fs::write(folder().join(format!("{}.inr", case.cause)), &case.bytes).unwrap();
        }
    }
    let mut seen = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "inr") {
            continue;
        }
        let cause = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let case = cases.iter().find(|case| case.cause == cause);
        let case = case.unwrap_or_else(|| panic!("{cause}.inr has no entry in hostile_cases.rs"));
        let bytes = std::fs::read(&path).unwrap();
        let error = InrFile::read(&bytes, &Limits::default()).unwrap_err();
        assert_eq!(name(&error), case.error, "{cause}: {error}");
        seen += 1;
    }
    let wanted = cases
        .iter()
        .filter(|case| case.bytes.len() <= LONGEST)
        .count();
    assert_eq!(seen, wanted, "a fixture is missing; INR_BLESS=1 writes it");
}

#[test]
fn families_follow_what_a_caller_can_do() {
    let family = |cause: &str| {
        let case = cases()
            .into_iter()
            .find(|case| case.cause == cause)
            .unwrap();
        InrFile::read(&case.bytes, &Limits::default())
            .unwrap_err()
            .family()
    };
    assert_eq!(family("duplicate-head"), Family::Malformed);
    assert_eq!(family("icc-bomb-declared"), Family::Limit);
    assert_eq!(family("version-2"), Family::Unsupported);
    assert_eq!(family("model-kind-unknown"), Family::Unsupported);
}

/// A cut file takes no more memory than what is left of it warrants: 16 million tiles need a table of as many bytes.
#[test]
fn a_cut_file_of_too_many_segments_is_refused() {
    let cases = cases();
    let case = cases
        .iter()
        .find(|case| case.cause == "grid-too-many-segments");
    let bytes = &case.unwrap().bytes;
    let error = InrFile::read_partial(&bytes[..bytes.len() - 13], &Limits::default()).unwrap_err();
    assert_eq!(name(&error), "GridTooShort");
    assert_eq!(error.family(), Family::Malformed);
}

#[test]
fn hostile_files_read_in_part_are_refused_or_decoded() {
    for case in cases() {
        for bytes in [
            &case.bytes[..],
            &case.bytes[..case.bytes.len().saturating_sub(13)],
        ] {
            if let Ok(file) = InrFile::read_partial(bytes, &Limits::default())
                && let Some(latents) = &file.latents
            {
                let found = crate::common::grids::decode(latents);
                assert!(
                    matches!(found, Ok(_) | Err(FormatError::Segment { .. })),
                    "{}",
                    case.cause
                );
            }
        }
    }
}

#[test]
fn limits_are_the_callers() {
    let bytes = crate::common::file_with(&crate::common::head(), &crate::common::weights(), &[]);
    let reading = |limits: Limits| InrFile::read(&bytes, &limits).map_err(|error| error.family());
    assert!(reading(Limits::default()).is_ok());
    // 4 x 3 pixels; two layers; hidden width 2; 9 weights of 4 bytes.
    let tight = Limits {
        pixels: 12,
        layers: 2,
        width: 2,
        decompressed_bytes: 36,
        file_bytes: bytes.len() as u64,
        ..Limits::default()
    };
    assert!(reading(tight.clone()).is_ok());
    for limits in [
        Limits {
            pixels: 11,
            ..tight.clone()
        },
        Limits {
            layers: 1,
            ..tight.clone()
        },
        Limits {
            width: 1,
            ..tight.clone()
        },
        Limits {
            decompressed_bytes: 35,
            ..tight.clone()
        },
        Limits {
            file_bytes: bytes.len() as u64 - 1,
            ..tight.clone()
        },
    ] {
        assert_eq!(reading(limits.clone()), Err(Family::Limit), "{limits:?}");
    }
}

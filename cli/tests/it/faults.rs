//! Faults of the machine around the program: it is killed, disks are full, memory is short. No output is ever damaged, no
//! input lost, and what went wrong is told.

use super::*;
use std::os::unix::process::ExitStatusExt;

/// The program under `limits` of the shell, such as `ulimit -v 500000`.
fn limited(folder: &Path, limits: &str, arguments: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_inr");
    let script = format!("{limits}; exec '{program}' {arguments}");
    let mut command = Command::new("sh");
    command.current_dir(folder).args(["-c", &script]);
    command
        .stdin(Stdio::null())
        .output()
        .expect("a shell starts")
}

/// Names that are not of a temporary file, which a program that was killed cannot remove.
fn lasting(folder: &TempDir) -> Vec<String> {
    let temporary = |name: &String| name.starts_with(".inr-") && name.ends_with(".tmp");
    names(folder)
        .into_iter()
        .filter(|n| !temporary(n))
        .collect()
}

pub fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("{}/../fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).expect("a fixture")
}

/// A photo of 451x300 pixels.
fn photo() -> Vec<u8> {
    fixture("chelsea.png")
}

#[test]
fn killed_at_any_moment_it_leaves_the_old_file_or_the_new_one() {
    let folder = folder(&[("a.png", &fixture("astronaut-96.png"))]);
    expect_code(&encode(&folder, &["a.png", "--quality", "40"]), 0);
    let old = read(&folder, "a.inr");
    let started = std::time::Instant::now();
    let again = ["encode", "a.png", "--quality", "70", "--force"];
    expect_code(&inr(folder.path(), &again), 0);
    let whole = started.elapsed();
    let new = read(&folder, "a.inr");
    let (mut killed, mut left_old) = (0, 0);
    for trial in 0..200_u32 {
        fs::write(folder.path().join("a.inr"), &old).expect("room");
        let mut command = Command::new(env!("CARGO_BIN_EXE_inr"));
        command.current_dir(folder.path()).args(again);
        command.stderr(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        // Spread over the run, most of them near its end, where files are written.
        let share = 1.0 - (f64::from(trial * 97 % 200) / 200.0).powi(2);
        std::thread::sleep(whole.mul_f64(share));
        child.kill().expect("it is ours");
        let status = child.wait().expect("it has ended");
        killed += u32::from(status.signal().is_some());
        let found = read(&folder, "a.inr");
        assert!(
            found == old || found == new,
            "trial {trial}: {} bytes",
            found.len()
        );
        left_old += u32::from(found == old);
        assert_eq!(read(&folder, "a.png"), fixture("astronaut-96.png"));
        assert_eq!(lasting(&folder), ["a.inr", "a.png"]);
    }
    assert!(
        killed > 50 && left_old > 50,
        "{killed} killed, {left_old} old"
    );
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    let folder = folder(&[("a.png", &photo()), ("b.inr", &INR)]);
    // A file may grow to 4 or 8 blocks of 512 bytes; the signal that says so is ignored, as on a disk that is full.
    for arguments in [
        "encode a.png --quality 90",
        "encode a.png --quality 90 --model siren --hidden 64,64 --epochs 1",
        "decode b.inr --scale 16",
        "decode b.inr --scale 16 --derivative laplacian -o b.tiff",
    ] {
        let output = limited(folder.path(), "trap '' XFSZ; ulimit -f 4", arguments);
        expect_code(&output, 1);
        assert!(
            stderr(&output).contains("cannot write"),
            "{}",
            stderr(&output)
        );
        assert_eq!(names(&folder), ["a.png", "b.inr"], "{arguments}");
    }
    let output = limited(folder.path(), "true", "decode b.inr -o - > /dev/full");
    expect_code(&output, 1);
    assert!(
        stderr(&output).contains("standard output"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn short_memory_is_enough_or_is_told() {
    let folder = folder(&[("a.png", &photo())]);
    let half_a_gibibyte = "ulimit -v 524288";
    for arguments in ["encode a.png", "decode a.inr --scale 4"] {
        expect_code(&limited(folder.path(), half_a_gibibyte, arguments), 0);
    }
}

/// Sides of 30,000 pixels and more, 17,000 where a reader takes no more; the animation's two frames are of one pixel each.
#[test]
fn pictures_that_claim_to_be_huge_take_no_memory() {
    let folder = folder(&[]);
    let mut png = photo();
    png[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let checksum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    let screen = &b"GIF89a\xff\xff\xff\xff\0\0\0"[..];
    let frame = &b"\x2c\0\0\0\0\x01\0\x01\0\x80\0\0\0\xff\xff\xff\x02\x02\x44\x01\0"[..];
    let bmp = b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x30\x75\0\0\x30\x75\0\0\x01\0\x18\0";
    let huge = [
        ("huge.png", "limit", png),
        (
            "moving.gif",
            "animated",
            [screen, frame, frame, b";"].concat(),
        ),
        ("still.gif", "limit", [screen, frame, b";"].concat()),
        ("huge.ppm", "limit", b"P6\n30000 30000\n255\n".to_vec()),
        (
            "huge.qoi",
            "limit",
            b"qoif\0\0\x42\x68\0\0\x42\x68\x03\0".to_vec(),
        ),
        ("huge.bmp", "limit", [&bmp[..], &[0; 24]].concat()),
    ];
    for (name, why, bytes) in huge {
        fs::write(folder.path().join(name), bytes).expect("room");
        let output = limited(folder.path(), "ulimit -v 524288", &format!("encode {name}"));
        expect_code(&output, 1);
        let told = stderr(&output);
        assert!(told.contains(name) && told.contains(why), "{told}");
    }
    assert!(names(&folder).iter().all(|name| !name.ends_with(".inr")));
}

/// PNG's checksum.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    !bytes.iter().fold(u32::MAX, byte)
}

#[test]
fn signals_end_it_and_leave_nothing() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let folder = folder(&[("a.png", &PNG)]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_inr"));
        command.current_dir(folder.path()).stderr(Stdio::piped());
        command.args(["encode", "a.png", "--model", "siren", "--epochs", "1000000"]);
        let child = command.spawn().expect("the program starts");
        let output = signalled(child, signal, 0.3);
        expect_code(&output, 1);
        assert!(
            stderr(&output).contains("nothing was written"),
            "{}",
            stderr(&output)
        );
        assert_eq!(names(&folder), ["a.png"]);
    }
}

#[test]
fn locales_clocks_and_odd_names_change_nothing() {
    use std::os::unix::ffi::OsStringExt;
    let folder = folder(&[("a.png", &PNG)]);
    let odd = std::ffi::OsString::from_vec(b"\xff\xfe name\n.png".to_vec());
    fs::copy(folder.path().join("a.png"), folder.path().join(&odd)).expect("such names are fine");
    let mut files = Vec::new();
    for (variable, value) in [
        ("LC_ALL", "tr_TR.UTF-8"),
        ("LC_ALL", "POSIX"),
        ("TZ", "Nowhere/Never"),
    ] {
        for input in [std::ffi::OsStr::new("a.png"), &odd] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_inr"));
            command.current_dir(folder.path()).env(variable, value);
            command.args(["encode", "--quality", "60.5", "-o", "out.inr", "--force"]);
            let output = command.arg(input).output().expect("the program starts");
            expect_code(&output, 0);
            files.push(read(&folder, "out.inr"));
        }
    }
    assert!(files.iter().all(|file| *file == files[0]));
}

/// The arguments of a fit of some seconds, with checkpoints.
const LONG: [&str; 9] = [
    "encode", "a.png", "--model", "siren", "--hidden", "32,32,32", "--epochs", "1500", "--resume",
];

/// Starts that fit and kills it with `signal` once there is a checkpoint.
fn interrupted(folder: &TempDir, signal: &str) -> Output {
    let checkpoint = folder.path().join("a.inr.checkpoint");
    let before = fs::metadata(&checkpoint)
        .and_then(|data| data.modified())
        .ok();
    let mut command = Command::new(env!("CARGO_BIN_EXE_inr"));
    command.current_dir(folder.path()).args(LONG);
    let child = command
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let newer = || {
        let now = fs::metadata(&checkpoint)
            .and_then(|data| data.modified())
            .ok();
        now.is_some() && now != before
    };
    let started = std::time::Instant::now();
    while !newer() && started.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    signalled(child, signal, 0.0)
}

#[test]
fn a_fit_that_was_killed_goes_on_to_the_same_file() {
    let folder = folder(&[("a.png", &fixture("astronaut-96.png"))]);
    expect_code(
        &inr(folder.path(), &[&LONG[..8], &["-o", "whole.inr"]].concat()),
        0,
    );
    for signal in ["-KILL", "-INT"] {
        let output = interrupted(&folder, signal);
        assert!(!output.status.success());
        assert_eq!(lasting(&folder), ["a.inr.checkpoint", "a.png", "whole.inr"]);
        if signal == "-INT" {
            expect_code(&output, 1);
            assert!(stderr(&output).contains("the same command resumes it"));
        }
    }
    let output = inr(folder.path(), &LONG);
    expect_code(&output, 0);
    assert!(stderr(&output).contains("resuming a.inr.checkpoint"));
    assert!(read(&folder, "a.inr") == read(&folder, "whole.inr"));
    assert_eq!(lasting(&folder), ["a.inr", "a.png", "whole.inr"]);
}

#[test]
fn checkpoints_of_other_encodes_and_damaged_ones_are_refused_and_kept() {
    let astronaut = fixture("astronaut-96.png");
    let folder = folder(&[("a.png", &astronaut)]);
    interrupted(&folder, "-KILL");
    let kept = read(&folder, "a.inr.checkpoint");
    let refused = |arguments: &[&str], checkpoint: &[u8], words: &str| {
        fs::write(folder.path().join("a.inr.checkpoint"), checkpoint).expect("room");
        let output = inr(folder.path(), arguments);
        expect_code(&output, 1);
        let told = stderr(&output);
        for words in [
            "cannot resume a.inr.checkpoint",
            words,
            "delete the checkpoint",
        ] {
            assert!(told.contains(words), "{told}");
        }
        assert_eq!(read(&folder, "a.inr.checkpoint"), checkpoint);
        assert_eq!(lasting(&folder), ["a.inr.checkpoint", "a.png"]);
    };
    refused(&LONG, b"what the user wrote", "not a checkpoint");
    refused(&LONG, &kept[..kept.len() - 5], "damaged");
    let mut changed = kept.clone();
    changed[kept.len() / 2] ^= 1;
    refused(&LONG, &changed, "damaged");
    refused(
        &[&LONG[..], &["--seed", "1"]].concat(),
        &kept,
        "seed: 0 there, seed: 1 here",
    );
    fs::write(folder.path().join("a.png"), fixture("camera-64.png")).expect("room");
    refused(&LONG, &kept, "another picture");
    fs::write(folder.path().join("a.png"), &astronaut).expect("room");
    let output = inr(folder.path(), &["encode", "a.png", "--resume"]);
    expect_code(&output, 2);
    assert!(stderr(&output).contains("--model pyramid does not take --resume"));
    let output = inr(folder.path(), &[&LONG[..], &["-o", "-"]].concat());
    expect_code(&output, 2);
}

#[test]
fn damaged_pictures_stop_neither_the_batch_nor_the_program() {
    let good = [
        "arithmetic.jpg",
        "luma-subsampled.jpg",
        "noninterleaved-420.jpg",
        "orientation-exif-xmp.jpg",
        "tiled-planar.tif",
        "bigtiff.tif",
        "exif-after-idat.png",
        "exif-prefix.webp",
        "exif-raw-profile.png",
        "g3.tif",
        "gama-1.0.png",
        "grey-alpha.tif",
        "grey-float.tif",
        "iptc-dpi.jpg",
        "jpeg-ycbcr.tif",
        "palette.tif",
        "premultiplied.tif",
        "rgb-uint32.tif",
        "hard-alpha.png",
        "opaque-rgba.png",
    ];
    let suite = [
        "basn0g01.png",
        "basi0g16.png",
        "basn2c16.png",
        "basn3p01.png",
        "basn3p04.png",
        "basn6a16.png",
        "tbbn3p08.png",
        "s01n3p01.png",
        "oi9n2c16.png",
        "z09n2c08.png",
    ];
    // Broken on purpose: signature, line ends, colour type, bit depth, checksums, no data.
    let broken = [
        "xs1n0g01.png",
        "xlfn0g04.png",
        "xc1n0g08.png",
        "xd0n2c08.png",
        "xhdn0g08.png",
        "xdtn0g01.png",
    ];
    let file = |name: &str| fixture(&format!("faults/{name}"));
    let from_suite = |name: &&'static str| (*name, fixture(&format!("pngsuite/{name}")));
    let half = |name: &str| {
        let whole = file(name);
        whole[..whole.len() / 2].to_vec()
    };
    let mut bad: Vec<(&str, Vec<u8>)> = vec![
        ("cut.jpg", file("truncated.jpg")),
        ("pages.tif", file("three-pages.tif")),
        ("half.png", half("opaque-rgba.png")),
        ("half.tif", half("bigtiff.tif")),
        ("half-fax.tif", half("g3.tif")),
        ("half.webp", half("exif-prefix.webp")),
        ("empty.png", Vec::new()),
        ("text.png", b"no picture at all".to_vec()),
        (
            "photo.avif",
            b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf".to_vec(),
        ),
        ("photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec()),
        ("done.inr", INR.to_vec()),
        ("half.jxl", vec![0xff, 0x0a, 0x7f]),
        ("cut.pfm", b"PF\n9 9\n-1.0\n0000".to_vec()),
    ];
    bad.extend(broken.iter().map(from_suite));
    let good_files = good.iter().map(|name| (*name, file(name)));
    let good_files: Vec<(&str, Vec<u8>)> = good_files.chain(suite.iter().map(from_suite)).collect();
    let all: Vec<(&str, &[u8])> = good_files
        .iter()
        .zip(bad.iter().map(Some).chain(std::iter::repeat(None)))
        .flat_map(|(good, bad)| std::iter::once(good).chain(bad))
        .map(|(name, bytes)| (*name, bytes.as_slice()))
        .collect();
    let folder = folder(&all);
    let mut arguments: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    arguments.push("missing.png");
    assert_eq!(arguments.len(), 50);
    let output = inr(folder.path(), &[&["encode"], &arguments[..]].concat());
    expect_code(&output, 1);
    let told = stderr(&output);
    for (name, _) in &bad {
        let line = format!("error: cannot encode {name}: ");
        assert_eq!(told.matches(&line).count(), 1, "{name}: {told}");
    }
    let errors = told.lines().filter(|line| line.starts_with("error: "));
    assert_eq!(errors.count(), bad.len() + 1, "{told}");
    assert!(told.contains("cut.jpg: damaged JPEG file: the file is cut off"));
    assert!(told.contains("AVIF is not read") && told.contains("3 pages"));
    assert!(
        !told.contains("panicked") && !told.contains("internal error"),
        "{told}"
    );
    let written = names(&folder);
    for (name, _) in &good_files {
        let stem = name.rsplit_once('.').expect("an extension").0;
        assert!(written.contains(&format!("{stem}.inr")), "{name}: {told}");
    }
    let output = encode(&folder, &["cut.jpg", "--partial-source"]);
    expect_code(&output, 0);
    assert!(stderr(&output).contains("its intact part is read"));
    assert!(names(&folder).contains(&"cut.inr".into()));
}

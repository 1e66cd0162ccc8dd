//! Other codecs, as programs that are started: one table, and what runs a line of it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use inr::{Limits, read_picture};

use super::coded::Coded;
use crate::bench::source::Source;
use crate::failure::refused;
use crate::program;

/// A codec of two programs. Arguments hold `{in}` and `{out}`, names of files, and `{quality}`.
pub struct Rival {
    /// Name on the command line.
    pub name: &'static str,
    /// Where to get the programs.
    from: From,
    encoder: Program,
    decoder: Program,
    /// Extension of its files.
    extension: &'static str,
    /// What `{quality}` stands for, of 0 to 100.
    setting: fn(u32) -> u32,
    /// Qualities from about 0.1 to 3 bits per pixel on photos.
    pub qualities: &'static [u32],
}

enum From {
    /// A package of Debian.
    Debian(&'static str),
    /// Not in Debian: what to do.
    Elsewhere(&'static str),
}

struct Program {
    /// Names that it goes by; the first that is found is taken.
    names: &'static [&'static str],
    args: &'static [&'static str],
    /// Extension of the pictures that it reads or writes.
    pictures: &'static str,
}

const DJPEG: Program = Program {
    names: &["djpeg"],
    args: &["-outfile", "{out}", "{in}"],
    pictures: "ppm",
};

const AVIFDEC: Program = Program {
    names: &["avifdec"],
    args: &["-j", "1", "-d", "8", "--png-compress", "0", "{in}", "{out}"],
    pictures: "png",
};

/// Recent codecs by one small program around Pillow.
const PILLOW: &[&str] = &["pillow-codec"];
const AVIF_IQ: [&str; 4] = ["avif-iq", "{quality}", "{in}", "{out}"];
const AVIF_PSNR: [&str; 4] = ["avif-psnr", "{quality}", "{in}", "{out}"];
const LIBJXL: [&str; 4] = ["jxl", "{quality}", "{in}", "{out}"];

const fn pillow(
    name: &'static str,
    extension: &'static str,
    qualities: &'static [u32],
    args: &'static [&'static str; 4],
) -> Rival {
    Rival {
        name,
        from: From::Elsewhere(
            "scripts/bench-rd installs pillow-codec, from PyPI's pillow, and starts this",
        ),
        encoder: Program {
            names: PILLOW,
            args,
            pictures: "png",
        },
        decoder: Program {
            names: PILLOW,
            args: &["decode", "0", "{in}", "{out}"],
            pictures: "ppm",
        },
        extension,
        setting: |quality| quality,
        qualities,
    }
}

const AVIF_QUALITIES: &[u32] = &[0, 5, 13, 21, 29, 37, 44, 52, 60, 68, 76, 84, 92];

/// libavif 0.11 takes quantisers, 63 to 0; later versions map qualities to them like this.
fn quantiser(quality: u32) -> u32 {
    ((100 - quality.min(100)) * 63 + 50) / 100
}

/// Every rival. Chroma is halved for all but JPEG XL, which does not do that; all work on one thread.
pub const RIVALS: [Rival; 9] = [
    pillow("avif-iq", "avif", AVIF_QUALITIES, &AVIF_IQ),
    pillow("avif-psnr", "avif", AVIF_QUALITIES, &AVIF_PSNR),
    pillow(
        "libjxl",
        "jxl",
        &[5, 10, 16, 22, 30, 40, 50, 60, 70, 80, 88, 93, 96],
        &LIBJXL,
    ),
    Rival {
        name: "jpeg",
        from: From::Debian("libjpeg-turbo-progs"),
        encoder: Program {
            names: &["cjpeg"],
            args: &[
                "-optimize",
                "-sample",
                "2x2",
                "-quality",
                "{quality}",
                "-outfile",
                "{out}",
                "{in}",
            ],
            pictures: "ppm",
        },
        decoder: DJPEG,
        extension: "jpg",
        setting: |quality| quality.max(1),
        qualities: &[2, 5, 9, 14, 20, 30, 42, 54, 66, 76, 84, 90, 94, 96],
    },
    Rival {
        name: "mozjpeg",
        from: From::Elsewhere(
            "build mozjpeg, which Debian does not have, so that its cjpeg is /opt/mozjpeg/bin/cjpeg or, as \
             mozjpeg-cjpeg, on the search path; djpeg is in the package libjpeg-turbo-progs",
        ),
        encoder: Program {
            names: &["mozjpeg-cjpeg", "mozcjpeg", "/opt/mozjpeg/bin/cjpeg"],
            args: &[
                "-sample",
                "2x2",
                "-quality",
                "{quality}",
                "-outfile",
                "{out}",
                "{in}",
            ],
            pictures: "ppm",
        },
        decoder: DJPEG,
        extension: "jpg",
        setting: |quality| quality.max(1),
        qualities: &[2, 5, 9, 14, 20, 30, 42, 54, 66, 76, 84, 90, 94, 96],
    },
    Rival {
        name: "webp",
        from: From::Debian("webp"),
        encoder: Program {
            names: &["cwebp"],
            args: &[
                "-quiet",
                "-m",
                "6",
                "-q",
                "{quality}",
                "{in}",
                "-o",
                "{out}",
            ],
            pictures: "png",
        },
        decoder: Program {
            names: &["dwebp"],
            args: &["-quiet", "{in}", "-ppm", "-o", "{out}"],
            pictures: "ppm",
        },
        extension: "webp",
        setting: |quality| quality,
        qualities: &[0, 3, 8, 16, 28, 42, 56, 70, 80, 87, 92, 95, 97],
    },
    Rival {
        name: "avif",
        from: From::Debian("libavif-bin"),
        encoder: Program {
            names: &["avifenc"],
            args: &[
                "-c",
                "aom",
                "-s",
                "4",
                "-j",
                "1",
                "-y",
                "420",
                "--min",
                "{quality}",
                "--max",
                "{quality}",
                "{in}",
                "{out}",
            ],
            pictures: "png",
        },
        decoder: AVIFDEC,
        extension: "avif",
        setting: quantiser,
        qualities: AVIF_QUALITIES,
    },
    Rival {
        name: "avif-slow",
        from: From::Debian("libavif-bin"),
        encoder: Program {
            names: &["avifenc"],
            args: &[
                "-c",
                "aom",
                "-s",
                "0",
                "-j",
                "1",
                "-y",
                "420",
                "--min",
                "{quality}",
                "--max",
                "{quality}",
                "{in}",
                "{out}",
            ],
            pictures: "png",
        },
        decoder: AVIFDEC,
        extension: "avif",
        setting: quantiser,
        qualities: AVIF_QUALITIES,
    },
    Rival {
        name: "jxl",
        from: From::Debian("libjxl-tools"),
        encoder: Program {
            names: &["cjxl"],
            args: &[
                "{in}",
                "{out}",
                "-q",
                "{quality}",
                "-e",
                "7",
                "--num_threads=0",
            ],
            pictures: "ppm",
        },
        decoder: Program {
            names: &["djxl"],
            args: &["{in}", "{out}", "--num_threads=0"],
            pictures: "ppm",
        },
        extension: "jxl",
        // cjxl 0.7 fails below 5.
        setting: |quality| quality.max(5),
        qualities: &[5, 10, 16, 22, 30, 40, 50, 60, 70, 80, 88, 93, 96],
    },
];

/// A rival whose programs are there.
pub struct Installed {
    /// Its line of the table.
    pub rival: &'static Rival,
    encoder: PathBuf,
    decoder: PathBuf,
    version: String,
}

impl Rival {
    /// Finds its programs; an error says what to install.
    pub fn find(&'static self) -> Result<Installed> {
        let find = |program: &Program| {
            let found = program
                .names
                .iter()
                .find_map(|name| program::on_search_path(name));
            found.ok_or_else(|| {
                let what = format!(
                    "{} takes the program {}, which is not on the search path",
                    self.name, program.names[0]
                );
                refused(what, self.advice())
            })
        };
        let encoder = find(&self.encoder)?;
        let version = version(&encoder);
        Ok(Installed {
            decoder: find(&self.decoder)?,
            rival: self,
            encoder,
            version,
        })
    }

    fn advice(&self) -> String {
        match self.from {
            From::Debian(package) => format!(
                "`apt-get install {package}` installs it on Debian; or leave {} out of --codecs",
                self.name
            ),
            From::Elsewhere(advice) => advice.into(),
        }
    }
}

impl Installed {
    /// All that its files depend on, in one line.
    pub fn description(&self) -> String {
        let line = |program: &Program| format!("{} {}", program.names[0], program.args.join(" "));
        let Rival {
            encoder, decoder, ..
        } = self.rival;
        format!("{}: {}; {}", self.version, line(encoder), line(decoder))
    }

    /// Encodes and decodes `source` in its folder.
    pub fn code(&self, source: &Source, quality: u32) -> Result<Coded> {
        let Rival {
            encoder,
            decoder,
            extension,
            setting,
            ..
        } = self.rival;
        let quality = OsString::from(setting(quality).to_string());
        let file = source.folder().join(format!("coded.{extension}"));
        let decoded = source
            .folder()
            .join(format!("decoded.{}", decoder.pictures));
        let input = source.file(encoder.pictures)?;
        let with = |input: &Path, output: &Path| {
            let files = [("{in}", input), ("{out}", output)];
            let files = files.map(|(name, path)| (name, path.as_os_str().to_owned()));
            [&files[..], &[("{quality}", quality.clone())]].concat()
        };
        let failed = || format!("setting {}", quality.display());
        let encode = program::run(&self.encoder, encoder.args, &with(&input, &file));
        let encode = encode.with_context(failed)?;
        let decode = program::run(&self.decoder, decoder.args, &with(&file, &decoded));
        let decode = decode.with_context(failed)?;
        let bytes = std::fs::read(&decoded)
            .with_context(|| format!("{} wrote nothing", decoder.names[0]))?;
        let picture = read_picture(&bytes, &Limits::default())?;
        let coded = Coded {
            bytes: std::fs::metadata(&file)?.len(),
            encode,
            decode,
            decoded: picture,
        };
        // What a later run leaves unwritten must not be taken for its own.
        std::fs::remove_file(&file)?;
        std::fs::remove_file(&decoded)?;
        Ok(coded)
    }
}

/// The first line that a program says about its version, of however it is asked.
fn version(program: &Path) -> String {
    let ask = |flag: &str| {
        let said = Command::new(program)
            .arg(flag)
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let text = [said.stdout, said.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().find(|line| !line.trim().is_empty())?;
        said.status.success().then(|| line.trim().to_owned())
    };
    let said = ["--version", "-version"].into_iter().find_map(ask);
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    format!("{name} {}", said.unwrap_or_default())
}

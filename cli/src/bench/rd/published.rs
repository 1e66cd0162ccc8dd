//! Curves that others have published, to draw beside the measured ones.

use std::path::Path;

use anyhow::{Context, Result};

use crate::csv;
use crate::failure::bad_arguments;
use crate::input;

/// Longest file that is read.
const MOST_BYTES: u64 = 1 << 26;

/// The columns that are read, by their headings; others may stand beside them.
const COLUMNS: [&str; 3] = ["codec", "bpp", "psnr_rgb_db"];

/// Points of one codec.
pub struct Published {
    /// Name of the codec.
    pub codec: String,
    /// Bits per pixel and PSNR in dB, by rising size.
    pub points: Vec<(f64, f64)>,
}

/// Reads the curves of a CSV file, in the order in which codecs appear.
pub fn read(path: &Path) -> Result<Vec<Published>> {
    let context = || format!("cannot read {}", path.display());
    let text = String::from_utf8(input::read(path, MOST_BYTES).with_context(context)?)
        .with_context(context)?;
    parse(&text).map_err(|what| {
        let help = format!(
            "--published takes a CSV file with the columns {}",
            COLUMNS.join(", ")
        );
        bad_arguments(format!("{}: {what}", path.display()), help)
    })
}

fn parse(text: &str) -> Result<Vec<Published>, String> {
    let mut lines = text.lines().enumerate();
    let headings = csv::fields(lines.next().map_or("", |(_, line)| line));
    let column = |name: &str| {
        let found = headings.iter().position(|heading| heading.trim() == name);
        found.ok_or_else(|| format!("there is no column {name}"))
    };
    let [codec, rate, psnr] = COLUMNS.map(column);
    let (codec, rate, psnr) = (codec?, rate?, psnr?);
    let mut curves: Vec<Published> = Vec::new();
    for (i, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let fields = csv::fields(line);
        let number = |column: usize| {
            let field = fields
                .get(column)
                .and_then(|field| field.trim().parse().ok());
            let field = field.filter(|value: &f64| value.is_finite());
            field.ok_or_else(|| format!("line {}: no number in column {}", i + 1, column + 1))
        };
        let point = (number(rate)?, number(psnr)?);
        let name = fields.get(codec).map_or("", |name| name.trim());
        match curves.iter_mut().find(|curve| curve.codec == name) {
            Some(curve) => curve.points.push(point),
            None => curves.push(Published {
                codec: name.to_owned(),
                points: vec![point],
            }),
        }
    }
    for curve in &mut curves {
        curve.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    Ok(curves)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_gathered_by_codec_whatever_the_order_of_columns() {
        let text = "psnr_rgb_db,codec,source,bpp\n30,A,\"x, y\",0.5\n\n28,B,,0.4\n25,A,,0.1\n";
        let curves = parse(text).expect("well formed");
        assert_eq!(curves.len(), 2);
        assert_eq!(curves[0].points, [(0.1, 25.0), (0.5, 30.0)]);
        assert_eq!(curves[1].codec, "B");
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = parse("codec,psnr_rgb_db\n").err().expect("no rates");
        assert!(missing.contains("bpp"), "{missing}");
        let text = "codec,bpp,psnr_rgb_db\nA,0.5,30\nA,x,30\n";
        let line = parse(text).err().expect("not a number");
        assert!(line.contains("line 3"), "{line}");
    }
}

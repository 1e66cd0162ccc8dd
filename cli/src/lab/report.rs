//! The results as one HTML file that needs no other, and as Markdown.

use std::path::Path;

use anyhow::Result;

use super::recipe::Recipe;
use crate::markup::{base64, escape, push};
use crate::output::write_over;
use crate::table::Table;

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>inr lab</title>
<style>
body { font: 15px/1.5 sans-serif; max-width: 1140px; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 1em 0; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: .2em .7em; text-align: right; border-bottom: 1px solid #ddd; vertical-align: top; }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
figure { margin: 1em 0; } figcaption { color: #555; font-size: 14px; }
svg, img { max-width: 100%; height: auto; }
</style></head><body>
<h1>inr lab</h1>
"#;

/// What is gathered while experiments run.
pub struct Report {
    html: String,
    markdown: String,
    /// Rows of every fit, and points of every curve, of the experiment under way.
    results: String,
    curves: String,
    /// Fits in the report.
    pub fits: usize,
    /// Rows that were not run.
    pub not_run: usize,
}

/// The columns of `results.csv`.
pub const RESULTS: &str = "group,trial,seed,psnr_db,ssim,published_psnr_db,published_ssim,psnr_free_db,psnr_affine_db,\
contrast,steps,visits,seconds,parameters,note\n";
const CURVES: &str = "group,trial,seed,step,visits,seconds,loss,psnr_db\n";

impl Report {
    pub fn new(quick: bool) -> Self {
        let note = if quick {
            "A quick run: small pictures, small networks and few steps. It shows that everything works; its figures are \
             not those of the study's set-up.\n"
        } else {
            "Every row states its set-up; published figures are those of the study at its own set-up.\n"
        };
        Self {
            html: format!("{HEAD}<p>{note}</p>\n"),
            markdown: note.to_owned(),
            results: String::new(),
            curves: String::new(),
            fits: 0,
            not_run: 0,
        }
    }

    pub fn begin(&mut self, recipe: &Recipe) {
        let (title, about) = (&recipe.title, &recipe.about);
        push(
            &mut self.html,
            format_args!("<h2>{}</h2>\n<p>{}</p>\n", escape(title), escape(about)),
        );
        push(
            &mut self.markdown,
            format_args!("\n## {title}\n\n{}\n", about.trim()),
        );
        self.results = RESULTS.to_owned();
        self.curves = CURVES.to_owned();
    }

    /// Ends an experiment: its figures and curves go into `folder`.
    pub fn end(&mut self, folder: &Path) -> Result<()> {
        write_over(&folder.join("results.csv"), self.results.as_bytes())?;
        write_over(&folder.join("curves.csv"), self.curves.as_bytes())
    }

    pub fn group(&mut self, title: &str, note: &str, table: &Table) {
        push(&mut self.html, format_args!("<h3>{}</h3>\n", escape(title)));
        push(&mut self.markdown, format_args!("\n### {title}\n\n"));
        if !note.is_empty() {
            push(&mut self.html, format_args!("<p>{}</p>\n", escape(note)));
            push(&mut self.markdown, format_args!("{}\n\n", note.trim()));
        }
        self.html.push_str(&table.html());
        self.markdown.push_str(&table.markdown());
    }

    pub fn result(&mut self, row: &str) {
        self.results.push_str(row);
    }

    pub fn curve_point(&mut self, row: std::fmt::Arguments) {
        push(&mut self.curves, row);
    }

    /// A chart, which goes into the report and into a file as well.
    pub fn chart(&mut self, path: &Path, svg: &str) -> Result<()> {
        if svg.is_empty() {
            return Ok(());
        }
        push(&mut self.html, format_args!("<figure>{svg}</figure>\n"));
        write_over(path, svg.as_bytes())
    }

    /// A picture, likewise.
    pub fn picture(&mut self, path: &Path, png: &[u8], caption: &str) -> Result<()> {
        let (data, caption) = (base64(png), escape(caption));
        push(
            &mut self.html,
            format_args!(
                "<figure><img alt=\"{caption}\" src=\"data:image/png;base64,{data}\"><figcaption>{caption}</figcaption></figure>\n"
            ),
        );
        write_over(path, png)
    }

    pub fn html(&self) -> String {
        format!("{}</body></html>\n", self.html)
    }

    pub fn markdown(&self) -> &str {
        &self.markdown
    }
}

//! Tables in three notations.

use crate::csv;
use crate::markup::{escape, push};

/// Headings and rows of the same length.
pub struct Table {
    pub headings: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(headings: &[&str]) -> Self {
        Self {
            headings: headings.iter().map(|&heading| heading.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Drops columns in which no row has anything.
    pub fn without_empty_columns(mut self) -> Self {
        let used: Vec<bool> = (0..self.headings.len())
            .map(|column| self.rows.iter().any(|row| !row[column].is_empty()))
            .collect();
        let keep = |row: &mut Vec<String>| {
            let mut flags = used.iter();
            row.retain(|_| flags.next().copied().unwrap_or(true));
        };
        keep(&mut self.headings);
        self.rows.iter_mut().for_each(keep);
        self
    }

    pub fn html(&self) -> String {
        let mut html = String::from("<table><tr>");
        for heading in &self.headings {
            push(&mut html, format_args!("<th>{}</th>", escape(heading)));
        }
        html.push_str("</tr>\n");
        for row in &self.rows {
            html.push_str("<tr>");
            for cell in row {
                push(&mut html, format_args!("<td>{}</td>", escape(cell)));
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</table>\n");
        html
    }

    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = line(&self.headings);
        text.push_str(&"|---".repeat(self.headings.len()));
        text.push_str("|\n");
        self.rows.iter().for_each(|row| text.push_str(&line(row)));
        text
    }

    /// With `first` cells in front of every row; without headings.
    pub fn csv(&self, first: &str) -> String {
        let line = |row: &Vec<String>| {
            let cells: Vec<&str> = std::iter::once(first)
                .chain(row.iter().map(String::as_str))
                .collect();
            csv::line(&cells)
        };
        self.rows.iter().map(line).collect()
    }
}

/// A number with so many decimals, or nothing.
pub fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.decimals$}"))
}

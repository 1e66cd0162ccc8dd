//! The results as one HTML file that needs no other.

use inr::metrics::BD_RATE_RANGE;

use super::figures::{Figures, METRICS, axis, place};
use super::plot::{self, Curve, Kind};
use super::published::Published;
use super::tables::{BdRates, Means, percent, times};
use crate::args::Metric;
use crate::markup::{escape, push};

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Rate and distortion</title>
<style>
body { font: 15px/1.5 sans-serif; max-width: 1140px; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 1em 0; font-variant-numeric: tabular-nums; }
th, td { padding: .2em .8em; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
.less { color: #07713b; } .more { color: #a3240e; }
body > svg { width: 100%; height: auto; }
code { font-size: 13px; }
</style></head><body>
<h1>Rate and distortion</h1>
"#;

/// The plot of one metric; published curves are of PSNR.
pub fn plot(metric: Metric, means: &[Means], published: &[Published]) -> String {
    let measured = means.iter().map(|of| Curve {
        name: of.codec.clone(),
        kind: if of.own { Kind::Own } else { Kind::Rival },
        points: points(&of.figures, metric),
    });
    let mut curves: Vec<Curve> = measured.collect();
    if metric == Metric::Psnr {
        curves.extend(published.iter().map(|of| Curve {
            name: of.codec.clone(),
            kind: Kind::Published,
            points: of.points.clone(),
        }));
    }
    let pictures = means.first().map_or(0, |of| of.pictures);
    let title = format!("{}, mean of {pictures} pictures", axis(metric));
    plot::svg(&title, axis(metric), BD_RATE_RANGE, &curves)
}

fn points(figures: &[Figures], metric: Metric) -> Vec<(f64, f64)> {
    let point = |figures: &Figures| Some((figures.bits_per_pixel, figures.metric(metric)?));
    let mut points: Vec<(f64, f64)> = figures.iter().filter_map(point).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// The whole report.
pub fn html(note: &str, rates: &[BdRates], means: &[Means], published: &[Published]) -> String {
    let mut html = String::from(HEAD);
    let pictures = means.first().map_or(0, |of| of.pictures);
    let (low, high) = BD_RATE_RANGE;
    push(&mut html, format_args!(
        "<p>Means over {pictures} pictures{}. Seconds are those of one thread; those of outside programs count their start.</p>
<h2>BD-rates</h2>
<p>Bits in percent more or fewer than the codec above the column, at equal quality by each metric, where that codec takes {low} to {high}
bits per pixel.</p>\n",
        escape(note)
    ));
    for rates in rates {
        push(&mut html, format_args!("<h3>{}</h3>\n", axis(rates.metric)));
        rates_table(&mut html, rates, means);
    }
    html.push_str("<h2>Curves</h2>\n");
    for (metric, _) in METRICS {
        let there = means
            .iter()
            .any(|of| !points(&of.figures, metric).is_empty());
        if there {
            html.push_str(&plot(metric, means, published));
        }
    }
    html.push_str("<h2>Means</h2>\n");
    means_table(&mut html, means);
    html.push_str("<h2>Codecs</h2>\n<ul>\n");
    for of in means {
        let (name, description) = (escape(&of.codec), escape(&of.description));
        push(
            &mut html,
            format_args!("<li>{name}: <code>{description}</code></li>\n"),
        );
    }
    html.push_str("</ul>\n</body></html>\n");
    html
}

fn rates_table(html: &mut String, rates: &BdRates, means: &[Means]) {
    html.push_str("<table><tr><th>codec</th>");
    for anchor in &rates.anchors {
        push(html, format_args!("<th>{}</th>", escape(anchor)));
    }
    html.push_str("<th>encode s</th><th>decode s</th></tr>\n");
    for (codec, row) in &rates.rows {
        push(html, format_args!("<tr><td>{}</td>", escape(codec)));
        for rate in row {
            let class = match rate {
                Some(rate) if *rate < 0.0 => "less",
                Some(_) => "more",
                None => "none",
            };
            push(
                html,
                format_args!("<td class=\"{class}\">{}</td>", percent(*rate)),
            );
        }
        let of = means.iter().find(|of| of.codec == *codec);
        let (encode, decode) = of.map_or((0.0, 0.0), |of| times(&of.figures));
        push(
            html,
            format_args!("<td>{encode:.3}</td><td>{decode:.3}</td></tr>\n"),
        );
    }
    html.push_str("</table>\n");
}

fn means_table(html: &mut String, means: &[Means]) {
    html.push_str("<table><tr><th>codec</th><th>quality</th><th>bpp</th>");
    for (metric, _) in METRICS {
        push(html, format_args!("<th>{}</th>", axis(metric)));
    }
    html.push_str("<th>encode s</th><th>decode s</th></tr>\n");
    for of in means {
        for figures in &of.figures {
            let (name, quality, bpp) = (escape(&of.codec), figures.quality, figures.bits_per_pixel);
            push(
                html,
                format_args!("<tr><td>{name}</td><td>{quality}</td><td>{bpp:.3}</td>"),
            );
            for (metric, _) in METRICS {
                let decimals = [2, 4, 4, 2, 3][place(metric)];
                match figures.metric(metric) {
                    Some(value) => push(html, format_args!("<td>{value:.decimals$}</td>")),
                    None => html.push_str("<td>-</td>"),
                }
            }
            let (encode, decode) = (figures.encode, figures.decode);
            push(
                html,
                format_args!("<td>{encode:.3}</td><td>{decode:.3}</td></tr>\n"),
            );
        }
    }
    html.push_str("</table>\n");
}

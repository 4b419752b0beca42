//! The report of an evaluation as one HTML page that needs nothing else: style, charts and pictures are inside, scripts are none.
//!
//! Owns the order of the page and its words. Pure: must not read pictures or write files.

mod html;
mod plots;

use std::fmt::Write as _;

use super::bounds::upper_bound;
use super::curves::Curve;
use super::evaluation::Evaluation;
use super::row::{Answer, Row};
use super::stress::Stress;
use crate::chart::escape;
use crate::verdict::Truth;

pub use html::data_uri;

/// Confidence of the bounds on the page.
const CONFIDENCE: f64 = 0.95;

/// What the page is made of.
#[derive(Debug)]
pub struct Page<'a> {
    /// The figures.
    pub evaluation: &'a Evaluation,
    /// Every judged picture.
    pub rows: &'a [Row],
    /// For each judged picture the milliseconds for preparing it and for the model.
    pub latency_ms: &'a [f64],
    /// What an escape costs, in false rejects.
    pub escape_cost: f64,
    /// Facts about model, data and split: name and text.
    pub facts: &'a [(&'a str, String)],
    /// Pictures to show.
    pub sheet: &'a [Shot],
}

/// A picture on the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Shot {
    /// The picture's file.
    pub file: String,
    /// What the part in it is.
    pub truth: Truth,
    /// Its score, 0 to 1; `None` when the model or the picture was at fault.
    pub score: Option<f32>,
    /// Whether its verdict was wrong.
    pub wrong: bool,
    /// The picture itself, see [`data_uri`]; `None` when it could not be read again.
    pub uri: Option<String>,
}

impl Page<'_> {
    /// The whole page.
    pub fn html(&self) -> String {
        let title = format!("Evaluation of {}", escape(&self.evaluation.model));
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n<h1>{title}</h1>\n",
            include_str!("style.css")
        );
        self.tiles(&mut page);
        self.facts(&mut page);
        let scores: Vec<(f32, bool)> = self
            .rows
            .iter()
            .filter_map(|row| match row.answer {
                Answer::Score(score) => Some((score.get(), row.truth == Truth::Defect)),
                Answer::Fault(_) => None,
            })
            .collect();
        let curve = Curve::of(&scores);
        page.push_str("<div class=\"charts\" style=\"margin-top:16px\">\n");
        self.confusion(&mut page);
        let cut = (self.evaluation.threshold, self.evaluation.unsure);
        for figure in [
            plots::scores(&scores, cut),
            plots::roc(&curve, cut),
            plots::precision_recall(&curve, cut),
            plots::cost(&curve, cut, self.escape_cost),
            plots::latency(self.latency_ms),
        ] {
            page.push_str(&figure);
        }
        page.push_str("</div>\n");
        self.sheet(&mut page);
        if let Some(stress) = &self.evaluation.stress {
            stress_table(&mut page, stress);
        }
        let version = env!("CARGO_PKG_VERSION");
        let _ = write!(
            page,
            "<p class=\"soft\">Written by castgate {version}. This file holds pictures of the data it names.</p>\n</body>\n</html>\n"
        );
        page
    }

    fn tiles(&self, page: &mut String) {
        let of = self.evaluation;
        let c = &of.confusion;
        let (defective, good) = (c.defect_passed + c.defect_rejected, c.ok_passed + c.ok_rejected);
        let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        let bound = |count: u64, whole: u64| {
            let bound = upper_bound(count as usize, whole as usize, CONFIDENCE) * 100.0;
            format!("of {whole}; at most {bound:.2} % with 95 % confidence")
        };
        page.push_str("<div class=\"tiles\">\n");
        for (value, name, more) in [
            (figure(of.accuracy), "accuracy", format!("of {} pictures", of.images)),
            (figure(of.auc), "ROC AUC", "1 is perfect, 0.5 is chance".to_owned()),
            (of.escapes.to_string(), "escapes", bound(of.escapes, defective)),
            (of.false_rejects.to_string(), "false rejects", bound(of.false_rejects, good)),
            (
                format!("{:.0}", of.images_per_second),
                "pictures a second",
                "reading and decoding included".to_owned(),
            ),
        ] {
            let _ = writeln!(page, "<div class=\"tile\">{name}<b>{value}</b><span>{more}</span></div>");
        }
        page.push_str("</div>\n");
    }

    fn facts(&self, page: &mut String) {
        let of = self.evaluation;
        let verdict = format!("threshold {}, unsure band +-{}", of.threshold, of.unsure);
        page.push_str("<section><table class=\"facts\">\n");
        let skipped = match of.skipped.len() {
            0 => "none".to_owned(),
            count => format!("{count}, such as {}: {}", of.skipped[0].file, of.skipped[0].why),
        };
        let more = [("verdict", verdict), ("skipped files", skipped)];
        for (name, text) in self.facts.iter().chain(&more) {
            let _ = writeln!(page, "<tr><td>{}</td><td>{}</td></tr>", escape(name), escape(text));
        }
        page.push_str("</table>\n<p class=\"soft\">The bounds hold for parts drawn independently from what the line will see. Pictures that training has seen, or copies of them, prove nothing.</p></section>\n");
    }

    fn confusion(&self, page: &mut String) {
        let of = self.evaluation;
        let c = &of.confusion;
        let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        page.push_str("<figure><h2>Confusion matrix</h2><table class=\"matrix wide\"><tr><th></th><th>rejected</th><th>passed</th></tr>\n");
        let cell = |count: u64, right: bool| {
            let class = if right {
                "good"
            } else if count > 0 {
                "bad"
            } else {
                ""
            };
            format!("<td class=\"{class}\">{count}</td>")
        };
        for (name, rejected, passed) in [
            ("defective", cell(c.defect_rejected, true), cell(c.defect_passed, false)),
            ("good", cell(c.ok_rejected, false), cell(c.ok_passed, true)),
        ] {
            let _ = writeln!(page, "<tr><td>{name}</td>{rejected}{passed}</tr>");
        }
        page.push_str("</table><table class=\"wide\" style=\"margin-top:14px\"><tr><th>class</th><th>precision</th><th>recall</th><th>F1</th></tr>\n");
        for (name, class) in [("defective", of.defect), ("good", of.ok)] {
            let (precision, recall, f1) = (figure(class.precision), figure(class.recall), figure(class.f1));
            let _ =
                writeln!(page, "<tr><td>{name}</td><td>{precision}</td><td>{recall}</td><td>{f1}</td></tr>");
        }
        page.push_str("</table><figcaption>A reject for any reason counts as the answer DEFECT.</figcaption></figure>\n");
    }

    fn sheet(&self, page: &mut String) {
        if self.sheet.is_empty() {
            return;
        }
        let title = if self.sheet.iter().any(|shot| shot.wrong) {
            "Worst mistakes, the farthest from the threshold first"
        } else {
            "No mistake: the pictures nearest to the threshold"
        };
        let _ = writeln!(page, "<section><h2>{title}</h2><div class=\"sheet\">");
        for shot in self.sheet {
            let file = escape(&shot.file);
            let image = match &shot.uri {
                Some(uri) => format!("<img src=\"{}\" alt=\"{file}\">", escape(uri)),
                None => String::new(),
            };
            let score = shot.score.map_or_else(|| "no score".to_owned(), |score| format!("{score:.4}"));
            let (class, word) = match (shot.truth, shot.wrong) {
                (Truth::Defect, true) => ("bad", "escape"),
                (Truth::Ok, true) => ("bad", "false reject"),
                (Truth::Defect, false) => ("", "defective"),
                (Truth::Ok, false) => ("", "good"),
            };
            let _ = writeln!(
                page,
                "<div class=\"shot\">{image}<b class=\"{class}\">{score} {word}</b><span>{file}</span></div>"
            );
        }
        page.push_str("</div></section>\n");
    }
}

fn stress_table(page: &mut String, stress: &Stress) {
    page.push_str("<section><h2>The same pictures, altered</h2><table class=\"wide\"><tr><th>alteration</th><th>accuracy</th><th></th><th>ROC AUC</th><th>escapes</th><th>false rejects</th></tr>\n");
    let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
    let class = |count: u64| if count > 0 { "bad" } else { "" };
    for row in &stress.rows {
        let width = row.accuracy.unwrap_or(0.0) * 100.0;
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td class=\"bar\"><span style=\"width:{width:.1}%\"></span></td><td>{}</td><td class=\"{}\">{}</td><td class=\"{}\">{}</td></tr>",
            escape(&row.name),
            figure(row.accuracy),
            figure(row.auc),
            class(row.escapes),
            row.escapes,
            class(row.false_rejects),
            row.false_rejects
        );
    }
    page.push_str("</table><p class=\"soft\">Where the ROC AUC stays high, the model still tells the parts apart, and only the threshold lies wrong under that change.</p></section>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Policy;
    use crate::score::evaluation::{Skipped, Tested};
    use crate::verdict::Score;

    #[test]
    fn the_page_names_everything_escapes_everything_and_needs_nothing_from_elsewhere() {
        let policy = Policy { threshold: 0.5, unsure: 0.1 };
        let row = |file: &str, truth, score| {
            let score = Score::new(score).unwrap();
            Row {
                file: file.to_owned(),
                truth,
                answer: Answer::Score(score),
                verdict: policy.verdict(score),
                unlike: None,
            }
        };
        let rows = [
            row("ok/<script>.png", Truth::Ok, 0.2),
            row("def/b.png", Truth::Defect, 0.3),
            row("def/c.png", Truth::Defect, 1.0),
        ];
        let skipped = vec![Skipped { file: "x<y".to_owned(), why: "is empty".to_owned() }];
        let evaluation = Evaluation::of("<model>".to_owned(), policy, Tested::default(), &rows, skipped, 1.0);
        let shot = Shot {
            file: "def/\"b\".png".to_owned(),
            truth: Truth::Defect,
            score: Some(0.3),
            wrong: true,
            uri: Some(data_uri("image/png", b"x")),
        };
        let facts = [("leak", "unknown & untold".to_owned())];
        let page = Page {
            evaluation: &evaluation,
            rows: &rows,
            latency_ms: &[1.0, 2.0, 4.0],
            escape_cost: 10.0,
            facts: &facts,
            sheet: &[shot],
        };
        let html = page.html();
        for part in [
            "&lt;model&gt;",
            "unknown &amp; untold",
            "x&lt;y: is empty",
            "def/&quot;b&quot;.png",
            "escape",
            "data:image/png;base64,eA==",
        ] {
            assert!(html.contains(part), "{part}");
        }
        for outside in ["<script", "http:", "https:", "src=\"/", "url(", "NaN", "inf"] {
            assert!(!html.contains(outside), "{outside}");
        }
        assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
    }

    #[test]
    fn a_page_of_nothing_is_still_a_page() {
        let evaluation = Evaluation::of(
            "m".to_owned(),
            Policy { threshold: 0.5, unsure: 0.0 },
            Tested::default(),
            &[],
            Vec::new(),
            0.0,
        );
        let page = Page {
            evaluation: &evaluation,
            rows: &[],
            latency_ms: &[],
            escape_cost: 10.0,
            facts: &[],
            sheet: &[],
        };
        assert!(!page.html().contains("NaN"));
    }
}

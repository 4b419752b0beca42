//! The report of an evaluation: gathers what the page shows, and writes it.

use std::path::Path;

use crate::camera::picture::{read_picture, thumbnail};
use crate::clock::{Clock, SystemClock, rfc3339};
use crate::frame::Frame;
use crate::lab::files::write_whole;
use crate::lab::labelled::Labelled;
use crate::model::ModelInfo;
use crate::score::evaluation::Evaluation;
use crate::score::page::{Page, Shot, data_uri};
use crate::score::row::{Answer, Row};
use crate::verdict::{Truth, Verdict};

/// Most pictures on the contact sheet.
const SHOTS: usize = 24;
/// Longer side of a picture on the sheet, in pixels.
const SHOT_PX: u32 = 200;
/// What an escape costs, in false rejects, unless the caller says otherwise: as in training.
const ESCAPE_COST: f64 = 10.0;

/// Writes the page to `path`: `seconds` are those of each row.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(
    path: &Path,
    model: &ModelInfo,
    pictures: &[Labelled],
    evaluation: &Evaluation,
    (rows, seconds): (&[Row], &[[f64; 3]]),
) -> anyhow::Result<()> {
    let leak = match evaluation.leaks {
        Some(leaks) => format!("{leaks} of these pictures show a photograph that was trained on"),
        None => "unknown: see --groups".to_owned(),
    };
    let date = rfc3339(SystemClock.wall_ms());
    let facts = [
        (
            "model",
            format!(
                "{} ({}), {} parameters, {:.1} million multiply-adds",
                model.name,
                model.id,
                model.parameters,
                model.multiply_adds as f64 / 1e6
            ),
        ),
        ("data", evaluation.split.clone()),
        ("leak", leak),
        ("date", date.get(..10).unwrap_or_default().to_owned()),
    ];
    let latency_ms: Vec<f64> = seconds.iter().map(|[_, prepare, infer]| (prepare + infer) * 1e3).collect();
    let sheet = sheet(evaluation, rows, pictures);
    let page = Page {
        evaluation,
        rows,
        latency_ms: &latency_ms,
        escape_cost: ESCAPE_COST,
        facts: &facts,
        sheet: &sheet,
    };
    write_whole(path, page.html().as_bytes())
}

/// The worst mistakes; without any, the pictures nearest to where the policy cuts.
fn sheet(evaluation: &Evaluation, rows: &[Row], pictures: &[Labelled]) -> Vec<Shot> {
    let cut = evaluation.threshold - evaluation.unsure;
    let score = |row: &Row| match row.answer {
        Answer::Score(score) => Some(score.get()),
        Answer::Fault(_) => None,
    };
    let wrong = |row: &Row| (row.truth == Truth::Ok) != (row.verdict == Verdict::Ok);
    let away = |row: &Row| score(row).map_or(1.0, |score| (score - cut).abs());
    let mut chosen: Vec<&Row> = rows.iter().filter(|row| wrong(row)).collect();
    if chosen.is_empty() {
        chosen = rows.iter().collect();
        chosen.sort_by(|a, b| away(a).total_cmp(&away(b)));
    } else {
        chosen.sort_by(|a, b| away(b).total_cmp(&away(a)));
    }
    chosen.truncate(SHOTS);
    let shot = |row: &Row| {
        let path = pictures.iter().find(|picture| picture.name == row.file).map(|picture| &picture.path);
        let uri = path.and_then(|path| small(path));
        Shot { file: row.file.clone(), truth: row.truth, score: score(row), wrong: wrong(row), uri }
    };
    chosen.into_iter().map(shot).collect()
}

/// The picture made small; `None` when it cannot be read any more, which costs the report only that picture.
fn small(path: &Path) -> Option<String> {
    let mut frame = Frame::default();
    read_picture(path, &mut frame).ok()?;
    Some(data_uri("image/png", &thumbnail(&frame, SHOT_PX).ok()?))
}

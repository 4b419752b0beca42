//! Pictures of other things than the model's parts: does it know that it does not know them?

use std::path::Path;

use crate::album::left::Left;
use crate::album::names::FORMATS;
use crate::folder;
use crate::lab::UsageError;
use crate::lab::judge::{Judge, Judged};
use crate::lab::labelled::short_name;
use crate::lab::tell::{Tell, left_aside};
use crate::printable::Printable as _;
use crate::score::foreign::Foreign;
use crate::score::row::Row;
use crate::verdict::Truth;

/// Judges every picture below `folder`; `own` are the judged pictures of the model's parts. What else is in the folder comes to `left`.
///
/// # Errors
/// When the folder cannot be read or holds no picture.
pub(super) fn judge(
    judge: &mut Judge,
    folder: &Path,
    own: &[Row],
    left: &mut Left,
    tell: Tell<'_>,
) -> anyhow::Result<Foreign> {
    let shown = folder.shown();
    let found = folder::pictures(folder)
        .map_err(|error| UsageError(format!("--foreign: cannot read {shown}: {error}")))?;
    left_aside(&found.left, tell);
    left.extend(found.left);
    let mut rows = Vec::with_capacity(found.pictures.len());
    for picture in found.pictures {
        let file = picture.path;
        match judge.judge(&file) {
            // What is no part of the model's is to be removed: it counts as defective.
            Ok(Judged { answer, verdict, unlike, .. }) => {
                rows.push(Row {
                    file: file.shown().to_string(),
                    truth: Truth::Defect,
                    answer,
                    verdict,
                    unlike,
                });
            }
            Err(why) => log::warn!("{} cannot be used: {why}", file.shown()),
        }
    }
    if rows.is_empty() {
        return Err(UsageError(format!("--foreign: no usable {FORMATS} file in {shown}")).into());
    }
    Ok(Foreign::of(short_name(folder), &rows, own))
}

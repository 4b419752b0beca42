//! Pictures of other things than the model's parts: does it know that it does not know them?

use std::path::Path;

use super::{Judge, Judged};
use crate::camera::picture::pictures_below;
use crate::commands::UsageError;
use crate::commands::labelled::short_name;
use crate::score::evaluation::Row;
use crate::score::foreign::Foreign;
use crate::verdict::Truth;

/// Judges every picture below `folder`; `own` are the judged pictures of the model's parts.
///
/// # Errors
/// When the folder cannot be read or holds no picture.
pub(super) fn judge(judge: &mut Judge, folder: &Path, own: &[Row]) -> anyhow::Result<Foreign> {
    let shown = folder.display();
    let files = pictures_below(folder)
        .map_err(|error| UsageError(format!("--foreign: cannot read {shown}: {error}")))?;
    let mut rows = Vec::with_capacity(files.len());
    for file in files {
        match judge.judge(&file) {
            // What is no part of the model's is to be removed: it counts as defective.
            Ok(Judged { answer, verdict, unlike, .. }) => {
                rows.push(Row {
                    file: file.display().to_string(),
                    truth: Truth::Defect,
                    answer,
                    verdict,
                    unlike,
                });
            }
            Err(why) => log::warn!("{} cannot be used: {why}", file.display()),
        }
    }
    if rows.is_empty() {
        return Err(UsageError(format!("--foreign: no usable JPEG, PNG or BMP file in {shown}")).into());
    }
    Ok(Foreign::of(short_name(folder), &rows, own))
}
